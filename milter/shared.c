/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/shared.h"

#include "lib/base/loop.h"

#include <pthread.h>

#define PAUSE_MS 10 /* between looks whether the callbacks are out */
#define REPLY_MS 300 /* for libmilter to write a reply to an MTA that says nothing more */

static struct {
    pthread_mutex_t lock; /* guards all that follows */
    struct daemon *daemon; /* NULL: the door is shut */
    struct conf *conf;
    struct signer *signer;
    size_t messages; /* in hand, not judged yet */
    size_t replies; /* in hand, judged */
    size_t inside; /* callbacks that use the services */
    bool draining;
    struct loop_timer *last_replies; /* the loop's thread only */
} shared = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void drained(void *context)
{
    daemon_drained(context);
}

void shared_open(struct daemon *daemon)
{
    shared.last_replies = loop_timer_new(daemon->services.loop, drained, daemon);
    pthread_mutex_lock(&shared.lock);
    shared.daemon = daemon;
    pthread_mutex_unlock(&shared.lock);
}

static bool is_empty(void)
{
    bool empty;

    pthread_mutex_lock(&shared.lock);
    empty = shared.inside == 0;
    pthread_mutex_unlock(&shared.lock);
    return empty;
}

/* A callback that waits for an answer gets it from the loop, at the latest when its time is up. */
void shared_close(struct daemon *daemon)
{
    struct conf *conf;
    struct signer *signer;

    pthread_mutex_lock(&shared.lock);
    shared.daemon = NULL;
    conf = shared.conf;
    signer = shared.signer;
    shared.conf = NULL;
    shared.signer = NULL;
    pthread_mutex_unlock(&shared.lock);
    while (!is_empty())
        loop_run_once(daemon->services.loop, PAUSE_MS);
    if (shared.last_replies != NULL)
        loop_timer_free(&shared.last_replies);
    if (conf != NULL)
        conf_release(&conf);
    signer_release(&signer);
}

void shared_set(struct conf *conf, struct signer *signer)
{
    struct conf *old_conf;
    struct signer *old_signer;

    pthread_mutex_lock(&shared.lock);
    old_conf = shared.conf;
    old_signer = shared.signer;
    shared.conf = conf_hold(conf);
    shared.signer = signer_hold(signer);
    pthread_mutex_unlock(&shared.lock);
    if (old_conf != NULL)
        conf_release(&old_conf);
    signer_release(&old_signer);
}

/* --- messages ------------------------------------------------------------------------- */

/* The loop's thread. */
static void look_whether_drained(void *context)
{
    bool judged, done;

    pthread_mutex_lock(&shared.lock);
    judged = shared.daemon != NULL && shared.messages == 0;
    done = judged && shared.replies == 0;
    pthread_mutex_unlock(&shared.lock);
    if (done)
        daemon_drained(context);
    else if (judged)
        loop_timer_start(shared.last_replies, REPLY_MS);
}

/* The lock is held. */
static void message_changed(void)
{
    if (shared.draining && shared.messages == 0 && shared.daemon != NULL)
        loop_post(shared.daemon->services.loop, look_whether_drained, shared.daemon);
}

bool shared_begin_message(struct conf **conf_r, struct signer **signer_r, bool *in_hand_r)
{
    bool open;

    pthread_mutex_lock(&shared.lock);
    open = shared.daemon != NULL && shared.conf != NULL;
    if (open) {
        *conf_r = conf_hold(shared.conf);
        *signer_r = signer_hold(shared.signer);
        /* A busy MTA begins a new message on each connection as the last one ends: a drain that
         * waited for those too would never end. */
        *in_hand_r = !shared.draining;
        shared.messages += *in_hand_r;
    }
    pthread_mutex_unlock(&shared.lock);
    return open;
}

void shared_message_judged(void)
{
    pthread_mutex_lock(&shared.lock);
    shared.messages--;
    shared.replies++;
    message_changed();
    pthread_mutex_unlock(&shared.lock);
}

void shared_message_done(bool judged)
{
    pthread_mutex_lock(&shared.lock);
    if (judged)
        shared.replies--;
    else
        shared.messages--;
    message_changed();
    pthread_mutex_unlock(&shared.lock);
}

struct conf *shared_conf(void)
{
    struct conf *conf;

    pthread_mutex_lock(&shared.lock);
    conf = shared.conf != NULL ? conf_hold(shared.conf) : NULL;
    pthread_mutex_unlock(&shared.lock);
    return conf;
}

struct services *shared_enter(void)
{
    struct services *services;

    pthread_mutex_lock(&shared.lock);
    services = shared.daemon != NULL ? &shared.daemon->services : NULL;
    shared.inside += services != NULL;
    pthread_mutex_unlock(&shared.lock);
    return services;
}

void shared_leave(void)
{
    pthread_mutex_lock(&shared.lock);
    shared.inside--;
    pthread_mutex_unlock(&shared.lock);
}

void shared_drain(void)
{
    pthread_mutex_lock(&shared.lock);
    shared.draining = true;
    message_changed();
    pthread_mutex_unlock(&shared.lock);
}

bool shared_is_draining(void)
{
    bool draining;

    pthread_mutex_lock(&shared.lock);
    draining = shared.draining || shared.daemon == NULL;
    pthread_mutex_unlock(&shared.lock);
    return draining;
}
