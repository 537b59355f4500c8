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
#include <signal.h>
#include <unistd.h>

int sigwait(const sigset_t *set, int *number_r)
{
    static const int ours[] = {SIGHUP, SIGTERM, SIGINT};
    sigset_t rest = *set;

    for (size_t i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
        (void)sigdelset(&rest, ours[i]);
    for (;;) {
        int number = sigwaitinfo(&rest, NULL);

        if (number > 0) {
            *number_r = number;
            return 0;
        }
    }
}
