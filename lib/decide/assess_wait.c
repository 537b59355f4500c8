/* SPDX-License-Identifier: BSD-2-Clause */
/* The door to assess() for threads that are not the loop's. */
#include "lib/base/mem.h"
#include "lib/decide/assess.h"
#include "lib/decide/limits.h"

#include <errno.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

#define PROGRESS_SEC 10 /* MTAs give up after 30 s and more */

struct waiting {
    struct services *services;
    const struct conf *conf;
    struct message *message;
    enum assess_charge charge;
    sem_t done; /* a condition would wake the thread for the lock that its waker still holds */
    atomic_bool ended; /* says the same to ThreadSanitizer, which does not know sem_clockwait() */
};

static void on_assessed(struct message *message, void *context)
{
    struct waiting *waiting = context;

    (void)message;
    atomic_store(&waiting->ended, true);
    (void)sem_post(&waiting->done);
}

static void start(void *context)
{
    struct waiting *waiting = context;

    assess(waiting->services, waiting->conf, waiting->message, waiting->charge, on_assessed,
           waiting);
}

/* Whether it ended within PROGRESS_SEC. */
static bool wait_a_while(struct waiting *waiting)
{
    struct timespec until;
    int result;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += PROGRESS_SEC;
    do {
        result = sem_clockwait(&waiting->done, CLOCK_MONOTONIC, &until);
    } while (result != 0 && errno == EINTR);
    return result == 0 && atomic_load(&waiting->ended);
}

void assess_wait(struct services *services, const struct conf *conf, struct message *message,
                 enum assess_charge charge, assess_progress *progress, void *context)
{
    struct waiting waiting = {
        .services = services, .conf = conf, .message = message, .charge = charge};

    (void)sem_init(&waiting.done, 0, 0);
    loop_post(services->loop, start, &waiting);
    while (!wait_a_while(&waiting))
        if (progress != NULL)
            progress(context);
    (void)sem_destroy(&waiting.done);
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
