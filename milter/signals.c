/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps libmilter's hands off our signals.
 *
 * smfi_main() starts a thread that waits in sigwait(3) for SIGHUP, SIGTERM and SIGINT and stops
 * libmilter on any of them, which drops the messages in hand.  To us SIGHUP means reload and
 * SIGTERM drain.  The kernel prefers the main thread for a signal to the process, but not while
 * another one is pending there.  The dynamic linker looks for sigwait(3) in the program first, so
 * this definition is the one that libmilter calls; nothing else in the process does.
 */
#include "milter/signals.h"

#include "lib/base/count.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <time.h>

#define START_SEC 30

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards libmilter_waits */
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool libmilter_waits;

static void tell_that_libmilter_waits(void)
{
    pthread_mutex_lock(&lock);
    libmilter_waits = true;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

bool signals_wait_for_libmilter(void)
{
    struct timespec until;
    int result = 0;
    bool waits;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += START_SEC;
    pthread_mutex_lock(&lock);
    while (!libmilter_waits && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&changed, &lock, &until);
    waits = libmilter_waits;
    pthread_mutex_unlock(&lock);
    return waits;
}

int sigwait(const sigset_t *set, int *number_r)
{
    static const int ours[] = {SIGHUP, SIGTERM, SIGINT};
    sigset_t rest = *set;

    for (size_t i = 0; i < COUNT_OF(ours); i++)
        (void)sigdelset(&rest, ours[i]);
    tell_that_libmilter_waits();
    for (;;) {
        int number = sigwaitinfo(&rest, NULL);

        if (number > 0) {
            *number_r = number;
            return 0;
        }
    }
}
