/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/judge.h"

#include <errno.h>
#include <pthread.h>
#include <time.h>

#define PROGRESS_SEC 10 /* MTAs wait 30 s and more */

struct judging {
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
    struct judging *judging = context;

    (void)message;
    pthread_mutex_lock(&judging->lock);
    judging->done = true;
    pthread_cond_signal(&judging->changed);
    pthread_mutex_unlock(&judging->lock);
}

static void start(void *context)
{
    struct judging *judging = context;

    assess(judging->services, judging->conf, judging->message, judging->charge, on_assessed,
           judging);
}

static void make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t steady;

    pthread_condattr_init(&steady);
    pthread_condattr_setclock(&steady, CLOCK_MONOTONIC);
    pthread_cond_init(condition, &steady);
    pthread_condattr_destroy(&steady);
}

static void wait_a_while(struct judging *judging, SMFICTX *context, bool progress)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PROGRESS_SEC;
    if (pthread_cond_timedwait(&judging->changed, &judging->lock, &until) == ETIMEDOUT && progress)
        (void)smfi_progress(context);
}

void judge_wait(SMFICTX *context, bool progress, struct services *services, const struct conf *conf,
                struct message *message, enum assess_charge charge)
{
    struct judging judging = {
        .services = services, .conf = conf, .message = message, .charge = charge};

    pthread_mutex_init(&judging.lock, NULL);
    make_condition(&judging.changed);
    loop_post(services->loop, start, &judging);
    pthread_mutex_lock(&judging.lock);
    while (!judging.done)
        wait_a_while(&judging, context, progress);
    pthread_mutex_unlock(&judging.lock);
    pthread_cond_destroy(&judging.changed);
    pthread_mutex_destroy(&judging.lock);
}
