/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every daemon does before and after it serves: options, configuration, log, sockets,
 * privileges, services, signals, reload, drain.  daemon_main() is that sequence, once.
 *
 * The loop runs in the main thread, which is also where signals arrive: libmilter waits for SIGHUP
 * and SIGTERM in a thread of its own and would stop on a reload; Linux prefers the main thread
 * for a signal to the process when it does not block it.
 */
#pragma once

#include "lib/conf/conf.h"
#include "lib/decide/assess.h"

#include <stdbool.h>

struct daemon {
    const char *program; /* "sluice-policyd" */
    struct conf_slot *conf; /* the current configuration */
    struct services services;
    void *state; /* the program's own */
};

/* A daemon's part of the sequence.  Each may be NULL.  false means failure; *problem_r then says
 * why (daemon_main() frees it). */
struct daemon_program {
    const char *name;
    const char *summary; /* one line for --help */
    bool (*bind)(struct daemon *daemon, const struct conf *conf,
                 char **problem_r); /* as root: sockets; exit 69 */
    bool (*prepare)(struct daemon *daemon, const struct conf *conf, char **problem_r); /* as root:
        keys; also at a reload, before the new configuration is current: false keeps the old one */
    bool (*serve)(struct daemon *daemon,
                  char **problem_r); /* without privileges, services are there: begin */
    void (*reloaded)(struct daemon *daemon,
                     const struct conf *conf); /* the new configuration is current */
    void (*drain)(struct daemon *daemon); /* stop accepting; call daemon_drained() when the last
                                             message is done */
    void (*stop)(struct daemon *daemon); /* free everything */
};

/* Runs the program; returns its exit status: 0 asked to stop, 64 wrong usage, 69 cannot bind, 78
 * bad configuration. Options: -c FILE, -o NAME=VALUE, -t (check the configuration and exit),
 * -V/--version, -h/--help. */
int daemon_main(int argc, char **argv, const struct daemon_program *program);

/* Says that drain is complete (the loop's thread, or posted). */
void daemon_drained(struct daemon *daemon);
