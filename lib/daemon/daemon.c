/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/daemon/daemon.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/notify.h"
#include "lib/base/privileges.h"
#include "lib/daemon/options.h"
#include "lib/daemon/services.h"
#include "lib/daemon/state_directory.h"

#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#define TICK_MS 1000
#define TICK_BEHIND_MS 20 /* while lines wait: syslog takes ten at a time */
#define SIGNALS 3

static const int signals[SIGNALS] = {SIGHUP, SIGTERM, SIGINT};

/* What the sequence itself keeps. */
struct run {
    struct daemon daemon; /* the first: daemon_drained() finds the rest by it */
    const struct daemon_program *program;
    struct options options;
    struct event *signals[SIGNALS];
    struct loop_timer *tick, *drain_deadline;
    int64_t tick_ms;
    bool draining;
    bool reload_asked;
    bool ended; /* the loop was stopped for good */
    bool begun; /* the program's own part has run, and has to be undone */
};

static void log_simple(struct run *run, int priority, const char *name, const char *problem)
{
    struct log_event event;

    log_begin(&event, run->daemon.services.log, priority, NULL, name);
    log_string(&event, "version", SLUICE_VERSION);
    log_string(&event, "problem", problem);
    log_write(&event);
}

/* --- signals -------------------------------------------------------------------------- */

/* conf_load() names every problem on a line of its own; each becomes an event of its own. */
static void log_problems(struct run *run, char *problems)
{
    for (char *line = problems, *end; line && *line; line = end) {
        end = strchr(line, '\n');
        if (end)
            *end++ = '\0';
        log_simple(run, LOG_ERR, "reload-failed", line);
    }
    free(problems);
}

/* The log and the services go over to the new configuration, or stay as they are. */
static bool change_services(struct run *run, const struct conf *old_conf, const struct conf *conf,
                            char **problem_r)
{
    struct services *services = &run->daemon.services;
    const char *name = run->program->name;
    const struct log_settings old_log = services_log_settings(name, old_conf);
    const struct log_settings new_log = services_log_settings(name, conf);
    char *again = NULL;

    if (!log_reopen(services->log, &new_log, problem_r))
        return false;
    if (services_reload(services, name, old_conf, conf, problem_r))
        return true;
    (void)log_reopen(services->log, &old_log, &again);
    free(again);
    return false;
}

/* Everything that can fail comes before the new configuration is current: a reload works whole or
 * not at all. */
static void reload(struct run *run)
{
    struct daemon *daemon = &run->daemon;
    struct conf *old_conf = conf_slot_get(daemon->conf), *conf;
    char *problem = NULL;

    notify_state("RELOADING=1");
    conf = options_load(&run->options, &problem);
    if (!conf || (run->program->prepare && !run->program->prepare(daemon, conf, &problem)) ||
        !change_services(run, old_conf, conf, &problem)) {
        log_problems(run, problem);
        goto done;
    }
    conf_slot_set(daemon->conf, conf_hold(conf));
    if (run->program->reloaded)
        run->program->reloaded(daemon, conf);
    log_simple(run, LOG_INFO, "reloaded", NULL);
done:
    if (conf)
        conf_release(&conf);
    conf_release(&old_conf);
    notify_state("READY=1");
}

static void stop_loop(void *context)
{
    struct run *run = context;

    run->ended = true;
    loop_stop(run->daemon.services.loop);
}

static void drain(struct run *run)
{
    struct conf *conf;

    if (run->draining || !run->program->drain) {
        stop_loop(run);
        return;
    }
    run->draining = true;
    notify_state("STOPPING=1");
    conf = conf_slot_get(run->daemon.conf);
    loop_timer_start(run->drain_deadline, conf->drain_timeout_ms);
    conf_release(&conf);
    run->program->drain(&run->daemon);
}

void daemon_drained(struct daemon *daemon)
{
    stop_loop((struct run *)daemon); /* its first member */
}

static void on_signal(evutil_socket_t number, short what, void *context)
{
    struct run *run = context;

    (void)what;
    if (number != SIGHUP) {
        drain(run);
        return;
    }
    run->reload_asked = true;
    loop_stop(run->daemon.services.loop);
}

/* A store that is closed has the loop run until its charges are through, so a reload has its place
 * between two runs of the loop, not in one of its callbacks. */
static void run_loop(struct run *run)
{
    loop_run(run->daemon.services.loop);
    while (run->reload_asked && !run->ended) {
        run->reload_asked = false;
        reload(run);
        if (!run->ended)
            loop_run(run->daemon.services.loop);
    }
}

static void on_tick(void *context)
{
    struct run *run = context;
    bool behind = services_tick(&run->daemon.services);

    notify_state("WATCHDOG=1");
    loop_timer_start(run->tick,
                     behind && run->tick_ms > TICK_BEHIND_MS ? TICK_BEHIND_MS : run->tick_ms);
}

/* A signal that comes while the daemon starts waits until somebody handles it. */
static void hold_signals(bool hold)
{
    sigset_t set;

    sigemptyset(&set);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&set, signals[i]);
    pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void come_too_late(int number)
{
    (void)number;
}

/* libevent puts back the handler that it found.  With the default one, a second SIGTERM would kill
 * a daemon that is about to exit; and ignoring one would lose those that are held. */
static void survive_late_signals(void)
{
    struct sigaction action = {.sa_handler = come_too_late, .sa_flags = SA_RESTART};

    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaction(signals[i], &action, NULL);
}

static void watch(struct run *run)
{
    struct loop *loop = run->daemon.services.loop;
    int64_t watchdog_ms = notify_watchdog_ms();

    for (size_t i = 0; i < SIGNALS; i++) {
        run->signals[i] = evsignal_new(loop_base(loop), signals[i], on_signal, run);
        evsignal_add(run->signals[i], NULL);
    }
    run->tick_ms = watchdog_ms > 0 && watchdog_ms < TICK_MS ? watchdog_ms : TICK_MS;
    run->tick = loop_timer_new(loop, on_tick, run);
    run->drain_deadline = loop_timer_new(loop, stop_loop, run);
    loop_timer_start(run->tick, run->tick_ms);
    hold_signals(false);
}

/* --- the sequence --------------------------------------------------------------------- */

static int complain(const struct run *run, int status, char *problem)
{
    fprintf(stderr, "%s: %s\n", run->program->name, problem ? problem : "failed");
    free(problem);
    return status;
}

/* What -t says of a configuration that could be read. */
static int check_only(const struct run *run, const struct conf *conf)
{
    char *problem = NULL;

    if (!privileges_check(conf->user, conf->group, &problem))
        return complain(run, EX_CONFIG, problem);
    printf("%s: the configuration is good\n", run->program->name);
    return EX_OK;
}

/* As root: what needs it. */
static int bind_and_drop(struct run *run, const struct conf *conf)
{
    const struct daemon_program *program = run->program;
    struct log_settings log_settings = services_log_settings(program->name, conf);
    char *problem = NULL;

    run->daemon.services.log = log_open(&log_settings, &problem);
    if (!run->daemon.services.log)
        return complain(run, EX_UNAVAILABLE, problem);
    run->begun = true;
    if (program->bind && !program->bind(&run->daemon, conf, &problem))
        return complain(run, EX_UNAVAILABLE, problem);
    if (program->prepare && !program->prepare(&run->daemon, conf, &problem))
        return complain(run, EX_CONFIG, problem);
    state_directory_make(conf);
    if (!privileges_drop(conf->user, conf->group, &problem))
        return complain(run, EX_CONFIG, problem);
    return EX_OK;
}

static int serve(struct run *run, const struct conf *conf)
{
    struct services *services = &run->daemon.services;
    char *problem = NULL;

    services->program = run->program->name;
    services->conf = run->daemon.conf;
    services->steady = &clock_steady;
    services->loop = loop_new();
    if (!services->loop)
        return complain(run, EX_UNAVAILABLE,
                        mem_print("cannot make an event loop: %s", strerror(errno)));
    watch(run);
    if (!services_open(services, run->program->name, conf, &problem))
        return complain(run, EX_CONFIG, problem);
    if (run->program->serve && !run->program->serve(&run->daemon, &problem))
        return complain(run, EX_UNAVAILABLE, problem);
    log_simple(run, LOG_INFO, "started", NULL);
    notify_state("READY=1");
    run_loop(run);
    log_simple(run, LOG_INFO, "stopped", NULL);
    return EX_OK;
}

static void free_run(struct run *run, int64_t timeout_ms)
{
    struct services *services = &run->daemon.services;

    if (run->begun && run->program->stop)
        run->program->stop(&run->daemon);
    services_close(services, timeout_ms);
    for (size_t i = 0; i < SIGNALS; i++)
        if (run->signals[i])
            event_free(run->signals[i]);
    if (run->tick)
        loop_timer_free(&run->tick);
    if (run->drain_deadline)
        loop_timer_free(&run->drain_deadline);
    if (services->loop)
        loop_free(&services->loop);
    if (run->daemon.conf)
        conf_slot_free(&run->daemon.conf);
    if (services->log)
        log_close(&services->log);
    options_free(&run->options);
}

int daemon_main(int argc, char **argv, const struct daemon_program *program)
{
    struct run run = {.program = program, .daemon = {.program = program->name}};
    struct conf *conf = NULL;
    char *problems = NULL;
    int64_t timeout_ms = 0;
    int status = options_parse(argc, argv, program->name, program->summary, &run.options);

    if (status >= 0)
        goto done;
    conf = options_load(&run.options, &problems);
    if (!conf) {
        fputs(problems, stderr);
        free(problems);
        status = EX_CONFIG;
        goto done;
    }
    if (run.options.check_only) {
        status = check_only(&run, conf);
        goto done;
    }
    mem_tune();
    /* A full disk or a peer that went away is an error to handle, not a reason to die. */
    signal(SIGPIPE, SIG_IGN);
    signal(SIGXFSZ, SIG_IGN);
    timeout_ms = conf->store_timeout_ms;
    hold_signals(true);
    survive_late_signals();
    run.daemon.conf = conf_slot_new(conf_hold(conf));
    status = bind_and_drop(&run, conf);
    if (status == EX_OK)
        status = serve(&run, conf);
done:
    free_run(&run, timeout_ms);
    if (conf)
        conf_release(&conf);
    return status;
}
