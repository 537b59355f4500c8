/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/program.h"

#include "lib/auth/key_life.h"
#include "lib/base/mem.h"
#include "lib/decide/report.h"
#include "milter/callbacks.h"
#include "milter/listener.h"
#include "milter/shared.h"
#include "milter/signals.h"

#include <libmilter/mfapi.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>
#include <unistd.h>

/* The loop's thread only. */
static struct signer *prepared; /* the keys of the newest configuration that could be loaded */
static bool stopping;

/* --- libmilter's thread --------------------------------------------------------------- */

/* A milter that does not listen is no use; whoever started it shall start it again. */
static void give_up(void *context)
{
    struct daemon *daemon = context;
    struct log_event event;

    if (stopping)
        return;
    log_begin(&event, daemon->services.log, LOG_CRIT, NULL, "listener-failed");
    log_string(&event, "problem", "libmilter stopped listening; the system log may say why");
    log_write(&event);
    (void)log_flush(daemon->services.log);
    _exit(EX_UNAVAILABLE);
}

static void *run_libmilter(void *context)
{
    struct services *services;

    (void)smfi_main();
    services = shared_enter();
    if (services != NULL) {
        loop_post(services->loop, give_up, context);
        shared_leave();
    }
    return NULL;
}

/* Signals are for the main thread: libmilter's threads inherit that they are blocked. */
static bool start_libmilter(struct daemon *daemon, char **problem_r)
{
    sigset_t all, before;
    pthread_attr_t detached;
    pthread_t thread;
    int error;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    pthread_attr_init(&detached);
    pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
    error = pthread_create(&thread, &detached, run_libmilter, daemon);
    pthread_attr_destroy(&detached);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error != 0)
        *problem_r = mem_print("cannot start a thread: %s", strerror(error));
    else if (!signals_wait_for_libmilter())
        *problem_r = mem_copy("libmilter does not start; the system log may say why");
    return *problem_r == NULL;
}

/* --- keys ----------------------------------------------------------------------------- */

static void report_unusable(struct log *log, const struct signer_note *note,
                            enum key_trouble trouble, const char *problem)
{
    char *hint = key_remedy(trouble, note->path, problem, note->domain, note->selector);

    report_cause(log, NULL, trouble == KEY_TOO_SHORT ? "dns.dkim-weak" : "self.key-unreadable",
                 hint, "domain", note->domain, "key", note->path, "problem", problem, NULL);
    free(hint);
}

static void report_weak(struct log *log, const struct signer_note *note)
{
    char bits[16];

    (void)snprintf(bits, sizeof(bits), "%u", note->bits);
    report_cause(log, NULL, "dns.dkim-weak",
                 "make a new RSA key of 2048 bits under a new selector (RFC 8301)", "domain",
                 note->domain, "key", note->path, "bits", bits, NULL);
}

static void report_kept(struct log *log, const struct signer_note *note)
{
    struct log_event event;

    log_begin(&event, log, LOG_NOTICE, NULL, "key-kept");
    log_string(&event, "domain", note->domain);
    log_string(&event, "key", note->path);
    log_string(&event, "problem",
               "the file may be read at the start only: a new key in it is "
               "used after a restart");
    log_write(&event);
}

static void report_keys(struct log *log, const struct signer *signer)
{
    struct signer_note note;

    for (size_t n = 0; signer_note(signer, n, &note); n++) {
        if (note.problem != NULL)
            report_unusable(log, &note, note.trouble, note.problem);
        if (note.exposure != NULL)
            report_unusable(log, &note, KEY_EXPOSED, note.exposure);
        if (note.weak)
            report_weak(log, &note);
        if (note.kept)
            report_kept(log, &note);
    }
}

static struct key_watch *key_watch;

static void tell_key_state(const struct key_life_news *news, void *context)
{
    struct log_event event;

    if (news->state == NULL) {
        log_begin(&event, context, LOG_WARNING, NULL, "key-state-not-kept");
        log_string(&event, "problem", news->why);
        log_write(&event);
        return;
    }
    log_begin(&event, context, LOG_INFO, NULL, "key-state");
    log_string(&event, "domain", news->domain);
    log_string(&event, "selector", news->selector);
    log_string(&event, "state", news->state);
    log_string(&event, "why", news->why);
    if (news->wait_sec >= 0)
        log_number(&event, "signs-in", news->wait_sec);
    log_write(&event);
}

static void watch_keys(struct daemon *daemon)
{
    struct conf *conf = conf_slot_get(daemon->conf);
    char *path = conf->state_directory[0] != '\0'
                     ? mem_print("%s/sluice-milter.keys", conf->state_directory)
                     : NULL;

    key_watch_free(&key_watch);
    key_watch = key_watch_new(daemon->services.loop, daemon->services.dns, prepared, path,
                              tell_key_state, daemon->services.log);
    free(path);
    conf_release(&conf);
}

/* --- the sequence --------------------------------------------------------------------- */

static bool milter_bind(struct daemon *daemon, const struct conf *conf, char **problem_r)
{
    (void)daemon;
    if (smfi_register(callbacks) != MI_SUCCESS) {
        *problem_r = mem_copy("libmilter does not start");
        return false;
    }
    return listener_open(conf, problem_r);
}

static bool milter_prepare(struct daemon *daemon, const struct conf *conf, char **problem_r)
{
    struct signer *signer = signer_new(conf, prepared, problem_r);

    if (signer == NULL)
        return false;
    report_keys(daemon->services.log, signer);
    signer_release(&prepared);
    prepared = signer;
    return true;
}

static bool milter_serve(struct daemon *daemon, char **problem_r)
{
    struct conf *conf = conf_slot_get(daemon->conf);

    shared_open(daemon);
    shared_set(conf, prepared);
    conf_release(&conf);
    watch_keys(daemon);
    return start_libmilter(daemon, problem_r);
}

static void milter_reloaded(struct daemon *daemon, const struct conf *conf)
{
    struct conf *current = conf_slot_get(daemon->conf);
    struct log_event event;
    char *problem = NULL;

    shared_set(current, prepared);
    conf_release(&current);
    watch_keys(daemon);
    if (listener_is_at(conf) && listener_update(conf, &problem))
        return;
    log_begin(&event, daemon->services.log, LOG_WARNING, NULL, "restart-needed");
    log_string(&event, "problem",
               problem != NULL ? problem : "milter-listen has changed: it is used after a restart");
    log_write(&event);
    free(problem);
}

static void milter_drain(struct daemon *daemon)
{
    (void)daemon;
    stopping = true;
    listener_remove();
    shared_drain();
}

/* libmilter's threads live on until the process ends; they find the door shut. */
static void milter_stop(struct daemon *daemon)
{
    stopping = true;
    listener_remove();
    key_watch_free(&key_watch);
    shared_close(daemon);
    signer_release(&prepared);
}

const struct daemon_program program_milter = {
    .name = "sluice-milter",
    .summary = "Counts, checks and signs mail as a milter of Postfix or Sendmail.",
    .bind = milter_bind,
    .prepare = milter_prepare,
    .serve = milter_serve,
    .reloaded = milter_reloaded,
    .drain = milter_drain,
    .stop = milter_stop,
};
