/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions: who asks what, for how long, and who is told.
 *
 * A lookup is one name and type on its way through the name servers, a question is one caller who
 * waits for it.  The lookup outlives its questions, since what was asked cannot be taken back; a
 * late answer still goes into the cache.
 */
#include "lib/dns/dns.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/dns/breaker.h"
#include "lib/dns/cache.h"
#include "lib/dns/forward.h"
#include "lib/dns/name.h"
#include "lib/dns/servers.h"

#include <stdlib.h>
#include <string.h>

#define RESOLV_CONF "/etc/resolv.conf"
#define US_PER_SEC 1000000
#define US_PER_MS 1000

static const char closing[] = "the resolver is closing";

struct dns {
    struct loop *loop;
    const struct clock *clock;
    int64_t timeout_ms;
    size_t max_inflight;
    struct dns_forward *forward;
    struct dns_cache *cache;
    struct map *lookups; /* by key */
    struct dns_breaker breaker;
    struct dns_counts counts;
    dns_callback *trace;
    void *trace_context;
};

struct lookup {
    struct dns *dns;
    struct dns_key key;
    enum dns_type type;
    struct dns_question *first; /* those who wait, in the order of asking */
    struct dns_question *last;
    int64_t waited_ms; /* the longest time that somebody waited in vain */
};

struct dns_question {
    struct lookup *lookup;
    struct dns_question *before;
    struct dns_question *after;
    struct loop_timer *deadline;
    int64_t timeout_ms;
    int64_t asked_us;
    dns_callback *callback;
    void *context;
    char name[]; /* as asked */
};

/* Tells one caller, and counts it. */
static void tell(struct dns *dns, const struct dns_answer *answer, dns_callback *callback,
                 void *context)
{
    uint64_t *const counts[] = {
        [DNS_FOUND] = &dns->counts.found,   [DNS_NO_DATA] = &dns->counts.no_data,
        [DNS_ABSENT] = &dns->counts.absent, [DNS_FAILED] = &dns->counts.failed,
        [DNS_BOGUS] = &dns->counts.bogus,
    };

    (*counts[answer->status])++;
    if (answer->from_cache)
        dns->counts.cached++;
    else if (answer->timed_out)
        dns->counts.timed_out++;
    if (dns->trace != NULL)
        dns->trace(answer, dns->trace_context);
    callback(answer, context);
}

/* now_us < 0: the answer is fresh. */
static void tell_result(struct dns *dns, struct dns_result *result, enum dns_type type,
                        const char *name, int64_t now_us, dns_callback *callback, void *context)
{
    bool from_cache = now_us >= 0;
    struct dns_answer answer = {
        .status = result->records.status,
        .type = type,
        .name = name,
        .records = result->records.items,
        .count = result->records.count,
        .ttl_sec = result->records.ttl_sec,
        .problem = result->problem,
        .timed_out = result->waited_ms > 0,
        .from_cache = from_cache,
        .alias = result->records.alias,
    };

    if (from_cache)
        answer.ttl_sec = (result->expires_us - now_us + US_PER_SEC - 1) / US_PER_SEC;
    /* The callback may ask what pushes this one out of the cache. */
    (void)dns_result_hold(result);
    tell(dns, &answer, callback, context);
    dns_result_release(result);
}

static void tell_failure(struct dns *dns, const char *name, enum dns_type type, const char *problem,
                         bool timed_out, dns_callback *callback, void *context)
{
    const struct dns_answer answer = {
        .status = DNS_FAILED,
        .type = type,
        .name = name,
        .problem = problem,
        .timed_out = timed_out,
    };

    tell(dns, &answer, callback, context);
}

/* --- questions ------------------------------------------------------------------------ */

static void question_unlink(struct dns_question *question)
{
    struct lookup *lookup = question->lookup;

    *(question->before != NULL ? &question->before->after : &lookup->first) = question->after;
    *(question->after != NULL ? &question->after->before : &lookup->last) = question->before;
}

static void question_free(struct dns_question *question)
{
    loop_timer_free(&question->deadline);
    free(question);
}

/* Keeps the time-out for those who would wait no longer. */
static void keep_timeout(struct lookup *lookup, int64_t waited_ms)
{
    struct dns *dns = lookup->dns;
    struct dns_records failed = {.status = DNS_FAILED};
    struct dns_result *result;

    if (waited_ms < lookup->waited_ms)
        return;
    if (lookup->waited_ms == 0)
        dns_breaker_timed_out(&dns->breaker);
    lookup->waited_ms = waited_ms;
    result = dns_result_new(&failed, "timed out", clock_now_us(dns->clock));
    result->waited_ms = waited_ms;
    dns_cache_put(dns->cache, &lookup->key, result);
    dns_result_release(result);
}

static void on_deadline(void *context)
{
    struct dns_question *question = context;
    struct lookup *lookup = question->lookup;

    question_unlink(question);
    keep_timeout(lookup, question->timeout_ms);
    tell_failure(lookup->dns, question->name, lookup->type, "timed out", true, question->callback,
                 question->context);
    question_free(question);
}

static struct dns_question *question_new(struct lookup *lookup, const char *name,
                                         int64_t timeout_ms, dns_callback *callback, void *context)
{
    size_t room = strlen(name) + 1;
    struct dns_question *question = mem_new(1, sizeof(*question) + room);

    question->lookup = lookup;
    question->timeout_ms = timeout_ms;
    question->asked_us = clock_now_us(lookup->dns->clock);
    question->callback = callback;
    question->context = context;
    memcpy(question->name, name, room);
    question->before = lookup->last;
    *(lookup->last != NULL ? &lookup->last->after : &lookup->first) = question;
    lookup->last = question;
    question->deadline = loop_timer_new(lookup->dns->loop, on_deadline, question);
    loop_timer_start(question->deadline, timeout_ms);
    return question;
}

void dns_cancel(struct dns_question *question)
{
    int64_t waited_ms;

    if (question == NULL)
        return;
    /* Those who ask much have a deadline of their own, which comes a moment before ours: that the
     * resolver did not answer is known all the same. */
    waited_ms = (clock_now_us(question->lookup->dns->clock) - question->asked_us) / US_PER_MS;
    if (waited_ms >= question->timeout_ms - question->timeout_ms / 8)
        keep_timeout(question->lookup, waited_ms);
    question_unlink(question);
    question_free(question);
}

/* --- lookups -------------------------------------------------------------------------- */

/* The lookup is over: it can no longer be found, and those who wait are told. */
static void lookup_end(struct lookup *lookup, struct dns_result *result)
{
    struct dns *dns = lookup->dns;
    struct dns_question *question;

    (void)map_remove(dns->lookups, lookup->key.octets, lookup->key.length);
    /* A callback may cancel the others. */
    while ((question = lookup->first) != NULL) {
        question_unlink(question);
        tell_result(dns, result, lookup->type, question->name, -1, question->callback,
                    question->context);
        question_free(question);
    }
    free(lookup);
}

static void on_forwarded(struct dns_records *records, const char *problem, void *context)
{
    struct lookup *lookup = context;
    struct dns *dns = lookup->dns;
    bool answered = records->status != DNS_FAILED;
    struct dns_result *result = dns_result_new(records, problem, clock_now_us(dns->clock));

    /* A failure is not proof that the server is there: libunbound gives up in the same words. */
    if (answered && dns_breaker_answered(&dns->breaker))
        dns_cache_forget_timeouts(dns->cache);
    dns_cache_put(dns->cache, &lookup->key, result);
    lookup_end(lookup, result);
    dns_result_release(result);
}

static struct lookup *lookup_new(struct dns *dns, const struct dns_name *name, enum dns_type type,
                                 const struct dns_key *key)
{
    struct lookup *lookup = mem_new(1, sizeof(*lookup));

    lookup->dns = dns;
    lookup->key = *key;
    lookup->type = type;
    (void)map_put(dns->lookups, key->octets, key->length, lookup);
    dns_forward_ask(dns->forward, name, type, on_forwarded, lookup);
    return lookup;
}

/* --- the resolver --------------------------------------------------------------------- */

struct dns *dns_new(struct loop *loop, const struct dns_settings *settings, char **problem_r)
{
    struct strings servers;
    struct dns_forward *forward;
    struct dns *dns;

    if (!dns_servers_read(settings->resolver, RESOLV_CONF, &servers, problem_r))
        return NULL;
    forward = dns_forward_new(loop, &servers, settings->trust_anchor, problem_r);
    strings_free(&servers);
    if (forward == NULL)
        return NULL;
    dns = mem_new(1, sizeof(*dns));
    dns->loop = loop;
    dns->clock = settings->clock != NULL ? settings->clock : &clock_steady;
    dns->timeout_ms = settings->timeout_ms;
    dns->max_inflight = settings->max_inflight;
    dns->forward = forward;
    dns->cache = dns_cache_new(settings->cache_size);
    dns->lookups = map_new();
    return dns;
}

void dns_free(struct dns **dns)
{
    struct dns_records none = {.status = DNS_FAILED};
    struct dns *old = *dns;
    struct dns_result *result;
    struct lookup *lookup;

    if (old == NULL)
        return;
    dns_forward_free(&old->forward);
    result = dns_result_new(&none, closing, 0);
    while ((lookup = map_oldest(old->lookups, NULL, NULL)) != NULL)
        lookup_end(lookup, result);
    dns_result_release(result);
    map_free(&old->lookups, NULL);
    dns_cache_free(&old->cache);
    free(old);
    *dns = NULL;
}

/* A lookup to wait for.  NULL: there is none, and none may be started now. */
static struct lookup *lookup_get(struct dns *dns, const struct dns_name *name, enum dns_type type,
                                 const struct dns_key *key, int64_t now_us, const char **problem_r,
                                 bool *timed_out_r)
{
    /* The questions that were never answered must not keep out the one that finds the resolver
     * back. */
    bool probe = dns_breaker_is_open(&dns->breaker);
    bool sure = dns_breaker_is_sure(&dns->breaker);
    bool allowed = dns_breaker_allows(&dns->breaker, now_us);
    struct lookup *lookup = map_peek(dns->lookups, key->octets, key->length);

    *timed_out_r = false;
    if (sure && allowed && lookup == NULL && dns->forward != NULL)
        (void)lookup_new(dns, name, type, key);
    if (sure || !allowed) {
        *problem_r = "the resolver does not answer";
        *timed_out_r = true;
        return NULL;
    }
    if (lookup != NULL)
        return lookup;
    if (dns->forward == NULL) {
        *problem_r = closing;
        return NULL;
    }
    if (!probe && map_count(dns->lookups) >= dns->max_inflight) {
        *problem_r = "too many questions in flight";
        dns->counts.refused_inflight++;
        return NULL;
    }
    return lookup_new(dns, name, type, key);
}

struct dns_question *dns_ask(struct dns *dns, const char *name, enum dns_type type,
                             int64_t timeout_ms, dns_callback *callback, void *context)
{
    int64_t now_us = clock_now_us(dns->clock);
    struct dns_result *result;
    struct lookup *lookup;
    const char *problem;
    struct dns_name wire;
    struct dns_key key;
    bool timed_out;

    dns->counts.asked++;
    if (timeout_ms <= 0)
        timeout_ms = dns->timeout_ms;
    if (!dns_name_parse(name, &wire)) {
        tell_failure(dns, name, type, "not a domain name", false, callback, context);
        return NULL;
    }
    dns_key_make(&wire, type, &key);
    result = dns_cache_get(dns->cache, &key, now_us, timeout_ms);
    if (result != NULL) {
        tell_result(dns, result, type, name, now_us, callback, context);
        return NULL;
    }
    lookup = lookup_get(dns, &wire, type, &key, now_us, &problem, &timed_out);
    if (lookup == NULL) {
        tell_failure(dns, name, type, problem, timed_out, callback, context);
        return NULL;
    }
    return question_new(lookup, name, timeout_ms, callback, context);
}

void dns_trace(struct dns *dns, dns_callback *trace, void *context)
{
    dns->trace = trace;
    dns->trace_context = context;
}

void dns_counts(const struct dns *dns, struct dns_counts *counts_r)
{
    *counts_r = dns->counts;
    counts_r->inflight = map_count(dns->lookups);
    counts_r->kept = dns_cache_count(dns->cache);
}
