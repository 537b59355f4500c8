/* SPDX-License-Identifier: BSD-2-Clause */
/* The door to assess() for threads that are not the loop's. */
#include "lib/base/mem.h"
#include "lib/decide/assess.h"
#include "lib/decide/limits.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define PROGRESS_SEC 10 /* MTAs give up after 30 s and more */

struct waiting {
    struct services *services;
    const struct conf *conf;
    struct message *message;
    enum assess_charge charge;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static void on_assessed(struct message *message, void *context)
{
    struct waiting *waiting = context;

    (void)message;
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

static void start(void *context)
{
    struct waiting *waiting = context;

    assess(waiting->services, waiting->conf, waiting->message, waiting->charge, on_assessed,
           waiting);
}

static void make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t steady;

    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &steady);
    pthread_condattr_destroy(&steady);
}

void assess_wait(struct services *services, const struct conf *conf, struct message *message,
                 enum assess_charge charge, assess_progress *progress, void *context)
{
    struct waiting waiting = {
        .services = services, .conf = conf, .message = message, .charge = charge};

    pthread_mutex_init(&waiting.lock, NULL);
    make_condition(&waiting.changed);
    loop_post(services->loop, start, &waiting);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done) {
        struct timespec until;

        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec += PROGRESS_SEC;
        if (pthread_cond_timedwait(&waiting.changed, &waiting.lock, &until) == ETIMEDOUT &&
            progress != NULL)
            progress(context);
    }
    pthread_mutex_unlock(&waiting.lock);
    pthread_cond_destroy(&waiting.changed);
    pthread_mutex_destroy(&waiting.lock);
}

/* A request that outlives the message it was made from. */
struct posted_give_back {
    struct services *services;
    struct store_limit limits[STORE_LIMITS_MAX];
    struct store_request request;
    char *identity;
    char *subjects[STORE_LIMITS_MAX];
};

static void give_back(void *context)
{
    struct posted_give_back *posted = context;

    store_give_back(posted->services->store, &posted->request, NULL, NULL);
    for (size_t i = 0; i < posted->request.nlimits; i++)
        free(posted->subjects[i]);
    free(posted->identity);
    free(posted);
}

void assess_give_back(struct services *services, const struct conf *conf,
                      const struct message *message)
{
    if (!message->facts.charged)
        return;

    struct posted_give_back *posted = mem_new(1, sizeof *posted);

    posted->services = services;
    limits_request(conf, message, posted->limits, &posted->identity, &posted->request);
    for (size_t i = 0; i < posted->request.nlimits; i++)
        posted->limits[i].subject = posted->subjects[i] = mem_copy(posted->limits[i].subject);
    loop_post(services->loop, give_back, posted);
}
