/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/daemon/services.h"

#include "lib/auth/standing.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/daemon/spf_engine_log.h"
#include "lib/daemon/standing_log.h"
#include "lib/decide/class_lookup.h"
#include "lib/decide/notices.h"
#include "lib/decide/report.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DNS_SLOW_TIMEOUTS 10 /* lookups out of time within a minute that are worth a line */
#define DNS_SLOW_MINUTE_US (60 * INT64_C(1000000))

struct log_settings services_log_settings(const char *program, const struct conf *conf)
{
    return (struct log_settings){
        .program = program,
        .destination = conf->log,
        .format = conf->log_json ? LOG_FORMAT_JSON : LOG_FORMAT_TEXT,
        .facility = conf->log_facility,
        .owner = conf->user,
    };
}

/* --- the store ------------------------------------------------------------------------ */

static bool is_local(const char *store)
{
    return strncmp(store, "local:", strlen("local:")) == 0;
}

/* What becomes of mail meanwhile, and what to do. */
static void report_down(struct services *services, const struct store_event *event)
{
    static const char *const meanwhile[] = {
        [STORE_FAILURE_LOCAL] = "local counters are in force",
        [STORE_FAILURE_ACCEPT] = "mail passes without limits, and is counted afterwards",
        [STORE_FAILURE_DEFER] = "outgoing mail is put off",
    };
    struct conf *conf = services->conf != NULL ? conf_slot_get(services->conf) : NULL;
    const enum conf_store_failure failure =
        conf != NULL ? conf->store_failure : STORE_FAILURE_LOCAL;
    char *hint =
        mem_print("%s; %s", meanwhile[failure],
                  is_local(event->address) ? "start sluice-policyd, which has the store"
                                           : "start Redis or correct store = (sluicectl status)");

    report_own_cause(services, "self.store-down", hint, "state", "down", "store", event->address,
                     "problem", event->problem, NULL);
    free(hint);
    if (conf != NULL)
        conf_release(&conf);
}

static void store_happened(const struct store_event *event, void *context)
{
    struct services *services = context;
    char down_for[32], replayed[32], lost[32];

    if (event->kind == STORE_EVENT_DOWN) {
        report_down(services, event);
        return;
    }
    snprintf(down_for, sizeof down_for, "%" PRId64 ".%" PRId64, event->down_us / 1000000,
             event->down_us / 100000 % 10);
    snprintf(replayed, sizeof replayed, "%" PRIu64, event->replayed);
    snprintf(lost, sizeof lost, "%" PRIu64, event->lost);
    report_cause(
        services->log, NULL, "self.store-down",
        event->lost > 0
            ? "raise store-journal-size if the outage was long; what Redis itself does not "
              "take, sluicectl reset of the subject mends"
            : "nothing to do: the shared counters are in force again",
        "state", "up", "store", event->address, "down-for", down_for, "replayed", replayed, "lost",
        lost, NULL);
}

/* A socket is made where there still are the rights to make it. */
static bool may_serve(const struct services *services, const struct conf *conf, char **problem_r)
{
    if (services->served_store && strcmp(services->served_store, conf->store) == 0)
        return true;
    *problem_r = mem_print("store = %s: restart the daemon for this", conf->store);
    return false;
}

struct store_settings services_store_settings(const char *program, const struct conf *conf)
{
    return (struct store_settings){
        .url = conf->store,
        .user = conf->store_user,
        .password = conf->store_password,
        .database = conf->store_database,
        .tls = {conf->store_tls, conf->store_tls_ca, conf->store_tls_certificate,
                conf->store_tls_key, conf->store_tls_name},
        .client_name = program,
        .timeout_ms = conf->store_timeout_ms,
        .hash_key = conf->store_hash_addresses ? conf->store_hash_key : NULL,
    };
}

static bool open_store(struct services *services, const char *program, const struct conf *conf,
                       struct store **store_r, char **problem_r)
{
    static const enum store_failure_mode modes[] = {
        [STORE_FAILURE_LOCAL] = STORE_ON_FAILURE_LOCAL,
        [STORE_FAILURE_ACCEPT] = STORE_ON_FAILURE_ACCEPT,
        [STORE_FAILURE_DEFER] = STORE_ON_FAILURE_DEFER,
    };
    char *journal = conf->state_directory[0]
                        ? mem_print("%s/%s.journal", conf->state_directory, program)
                        : NULL;
    char *kept =
        conf->state_directory[0] ? mem_print("%s/store.lmdb", conf->state_directory) : NULL;
    bool serves = services->serves_store && is_local(conf->store);
    struct store_settings settings = services_store_settings(program, conf);
    struct store *store = NULL;

    settings.serves = serves;
    settings.serve_socket = services->store_socket;
    settings.serve_path = kept;
    settings.on_failure = modes[conf->store_failure];
    settings.journal_size = (size_t)conf->store_journal_size;
    settings.journal_path = journal;
    settings.event = store_happened;
    settings.event_context = services;
    if (!serves || may_serve(services, conf, problem_r))
        store = store_open(services->loop, &settings, problem_r);
    free(kept);
    free(journal);
    if (store)
        *store_r = store;
    return store != NULL;
}

static bool same(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

static bool same_store(const struct conf *a, const struct conf *b)
{
    return same(a->store, b->store) && same(a->store_user, b->store_user) &&
           same(a->store_password, b->store_password) && a->store_database == b->store_database &&
           a->store_timeout_ms == b->store_timeout_ms && a->store_failure == b->store_failure &&
           a->store_journal_size == b->store_journal_size &&
           same(a->state_directory, b->state_directory) && a->store_tls == b->store_tls &&
           same(a->store_tls_ca, b->store_tls_ca) &&
           same(a->store_tls_certificate, b->store_tls_certificate) &&
           same(a->store_tls_key, b->store_tls_key) && same(a->store_tls_name, b->store_tls_name) &&
           a->store_hash_addresses == b->store_hash_addresses &&
           same(a->store_hash_key, b->store_hash_key);
}

/* The old store goes first: both keep their journal in the same file. */
static bool reload_store(struct services *services, const char *program,
                         const struct conf *old_conf, const struct conf *conf, char **problem_r)
{
    char *again = NULL;

    if (same_store(old_conf, conf))
        return true;
    store_drain(services->store, old_conf->store_timeout_ms);
    store_close(&services->store);
    if (open_store(services, program, conf, &services->store, problem_r))
        return true;
    open_store(services, program, old_conf, &services->store, &again);
    free(again);
    return false;
}

/* --- the resolver --------------------------------------------------------------------- */

static bool open_dns(struct services *services, const struct conf *conf, struct dns **dns_r,
                     char **problem_r)
{
    const struct dns_settings settings = {
        .resolver = conf->resolver,
        .timeout_ms = conf->dns_timeout_ms,
        .max_inflight = (size_t)conf->dns_max_inflight,
        .cache_size = (size_t)conf->dns_cache_size,
    };
    struct dns *dns = dns_new(services->loop, &settings, problem_r);

    if (dns)
        *dns_r = dns;
    return dns != NULL;
}

static bool same_dns(const struct conf *a, const struct conf *b)
{
    return same(a->resolver, b->resolver) && a->dns_timeout_ms == b->dns_timeout_ms &&
           a->dns_max_inflight == b->dns_max_inflight && a->dns_cache_size == b->dns_cache_size;
}

/* --- places ---------------------------------------------------------------------------- */

static bool open_geo(struct services *services, const struct conf *conf, char **problem_r)
{
    struct geo *geo = NULL;
    char *problem = NULL;

    if (!geo_open(conf->geoip_country, conf->geoip_asn, &geo, &problem)) {
        *problem_r = mem_print("geoip-country, geoip-asn: %s", problem);
        free(problem);
        return false;
    }
    geo_close(&services->geo);
    services->geo = geo;
    return true;
}

/* --- how the world sees us ------------------------------------------------------------ */

static void open_standing(struct services *services, const struct conf *conf)
{
    services->standing =
        standing_new(services->loop, services->dns, conf, standing_log, services->log);
}

/* --- together ------------------------------------------------------------------------- */

bool services_open(struct services *services, const char *program, const struct conf *conf,
                   char **problem_r)
{
    const struct spf_engine_settings spf_engine = {
        .engine = conf->spf_engine, .tell = spf_engine_log, .context = services->log};

    services->spf_engine = spf_engine_new(services->loop, &spf_engine);
    services->outlooks = outlooks_new();
    services->habits = habits_cache_new();
    services->classes = class_lookup_new(services->loop);
    services->notices = notices_new(services);
    if (!open_geo(services, conf, problem_r) ||
        !open_store(services, program, conf, &services->store, problem_r) ||
        !open_dns(services, conf, &services->dns, problem_r))
        return false;
    open_standing(services, conf);
    return true;
}

bool services_reload(struct services *services, const char *program, const struct conf *old_conf,
                     const struct conf *conf, char **problem_r)
{
    struct dns *dns = NULL;

    /* Also where the paths are the same: the operator's tools replace the files. */
    if (!open_geo(services, conf, problem_r))
        return false;
    if (!same_dns(old_conf, conf) && !open_dns(services, conf, &dns, problem_r))
        return false;
    if (!reload_store(services, program, old_conf, conf, problem_r)) {
        if (dns)
            dns_free(&dns);
        return false;
    }
    spf_engine_set(services->spf_engine, conf->spf_engine);
    standing_free(&services->standing);
    if (dns) {
        struct dns *old = services->dns;

        services->dns = dns;
        dns_free(&old);
    }
    open_standing(services, conf);
    return true;
}

static void tell_slow_dns(struct services *services)
{
    struct dns_counts counts;
    int64_t now_us = clock_now_us(services->steady);
    char timeouts[32], asked[32];

    if (now_us < services->dns_minute_us + DNS_SLOW_MINUTE_US)
        return;
    dns_counts(services->dns, &counts);

    uint64_t late = counts.timed_out - services->dns_timed_out,
             all = counts.asked - services->dns_asked;

    if (counts.timed_out >= services->dns_timed_out && late >= DNS_SLOW_TIMEOUTS) {
        snprintf(timeouts, sizeof timeouts, "%" PRIu64, late);
        snprintf(asked, sizeof asked, "%" PRIu64, all);
        report_own_cause(
            services, "self.dns-slow",
            "look at the resolver (sluicectl status), or name a nearer one with resolver =",
            "timeouts", timeouts, "lookups", asked, "window", "60", NULL);
    }
    services->dns_minute_us = now_us;
    services->dns_timed_out = counts.timed_out;
    services->dns_asked = counts.asked;
}

/* Once when the disk takes nothing any more, and once when it does. */
static void tell_unsaved(struct services *services)
{
    struct store_status status;
    struct log_event event;
    bool unsaved;

    store_status(services->store, &status);
    unsaved = *status.unsaved != '\0';
    if (unsaved == services->store_unsaved)
        return;
    services->store_unsaved = unsaved;
    log_begin(&event, services->log, unsaved ? LOG_ERR : LOG_NOTICE, NULL, "store-disk");
    log_string(&event, "state", unsaved ? "trouble" : "saved");
    log_string(&event, "store", status.address);
    if (unsaved) {
        log_string(&event, "problem", status.unsaved);
        log_string(&event, "hint",
                   "make room in state-directory: counting goes on, but a restart would forget "
                   "what is not on disk");
    }
    log_write(&event);
}

bool services_tick(struct services *services)
{
    bool behind = log_flush(services->log) > 0;

    tell_slow_dns(services);
    if (services->store != NULL)
        tell_unsaved(services);
    return behind;
}

/* Who waits for an engine may ask the resolver next, and who waited for its answer the store. */
void services_close(struct services *services, int64_t timeout_ms)
{
    standing_free(&services->standing);
    if (services->spf_engine)
        spf_engine_stop(services->spf_engine);
    if (services->dns)
        dns_free(&services->dns);
    spf_engine_free(&services->spf_engine);
    outlooks_free(&services->outlooks);
    class_lookup_stop(services->classes);
    if (services->store) {
        store_drain(services->store, timeout_ms);
        store_close(&services->store);
    }
    habits_cache_free(&services->habits);
    class_lookup_free(&services->classes);
    notices_free(&services->notices);
    geo_close(&services->geo);
}
