/* SPDX-License-Identifier: BSD-2-Clause */
/* The resolver against name servers that are slow, broken, dead, and back again. */
#include "lib/dns/dns.h"

#include "lib/dns/breaker.h"
#include "lib/dns/forward.h"
#include "tests/support/responder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define PATIENCE_US (20 * 1000000)
#define SLACK_MS 1500 /* of a busy machine */

/* What one question was told. */
struct told {
    unsigned times;
    enum dns_status status;
    size_t count;
    int64_t ttl_sec;
    bool timed_out;
    bool from_cache;
    char name[64];
    char problem[64];
    int64_t order; /* the how-manieth callback it was */
};

struct fixture {
    struct loop *loop;
    struct responder *responder;
    struct dns *dns;
};

static int64_t callbacks;

static void on_answer(const struct dns_answer *answer, void *context)
{
    struct told *told = context;

    told->times++;
    told->status = answer->status;
    told->count = answer->count;
    told->ttl_sec = answer->ttl_sec;
    told->timed_out = answer->timed_out;
    told->from_cache = answer->from_cache;
    told->order = callbacks++;
    (void)snprintf(told->name, sizeof(told->name), "%s", answer->name);
    (void)snprintf(told->problem, sizeof(told->problem), "%s",
                   answer->problem != NULL ? answer->problem : "");
}

static int64_t now_ms(void)
{
    return clock_now_us(&clock_steady) / 1000;
}

static struct dns *make(struct loop *loop, const char *resolver, size_t max_inflight)
{
    const struct dns_settings settings = {
        .resolver = resolver,
        .timeout_ms = 400,
        .max_inflight = max_inflight,
        .cache_size = 5000,
    };
    char *problem = NULL;
    struct dns *dns = dns_new(loop, &settings, &problem);

    if (dns == NULL)
        fail_msg("%s", problem);
    return dns;
}

static int start(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->loop = loop_new();
    assert_non_null(fixture->loop);
    fixture->responder = responder_new(fixture->loop, 0);
    fixture->dns = make(fixture->loop, responder_address(fixture->responder), 2000);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;

    dns_free(&fixture->dns);
    responder_free(&fixture->responder);
    loop_free(&fixture->loop);
    free(fixture);
    return 0;
}

/* Runs the loop until all were told. */
static void wait_all(const struct fixture *fixture, const struct told *told, size_t count)
{
    int64_t until_us = clock_now_us(&clock_steady) + PATIENCE_US;

    for (size_t i = 0; i < count;) {
        if (told[i].times > 0) {
            i++;
            continue;
        }
        if (clock_now_us(&clock_steady) > until_us)
            fail_msg("question %zu was never answered", i);
        loop_run_once(fixture->loop, 50);
    }
}

static void run_for(const struct fixture *fixture, int64_t ms)
{
    int64_t until = now_ms() + ms;

    while (now_ms() < until)
        loop_run_once(fixture->loop, until - now_ms());
}

static struct told ask(const struct fixture *fixture, const char *name, enum dns_type type)
{
    struct told told = {0};

    (void)dns_ask(fixture->dns, name, type, 0, on_answer, &told);
    wait_all(fixture, &told, 1);
    assert_int_equal(told.times, 1);
    return told;
}

static void test_answers_and_cache(void **state)
{
    const struct fixture *fixture = *state;
    struct told told = ask(fixture, "Found.Test", DNS_A);
    struct dns_counts counts;

    assert_int_equal(told.status, DNS_FOUND);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.ttl_sec, 300);
    assert_false(told.from_cache);
    assert_string_equal(told.name, "Found.Test");

    told = (struct told){0};
    assert_null(dns_ask(fixture->dns, "found.test.", DNS_A, 0, on_answer, &told));
    assert_int_equal(told.times, 1);
    assert_int_equal(told.status, DNS_FOUND);
    assert_true(told.from_cache);
    assert_string_equal(told.name, "found.test.");
    assert_true(told.ttl_sec > 290 && told.ttl_sec <= 300);

    assert_int_equal(ask(fixture, "found.test", DNS_MX).status, DNS_NO_DATA);
    told = ask(fixture, "absent.test", DNS_A);
    assert_int_equal(told.status, DNS_ABSENT);
    assert_int_equal(told.ttl_sec, 60);
    assert_true(ask(fixture, "absent.test", DNS_A).from_cache);
    assert_int_equal(responder_questions(fixture->responder), 3);

    dns_counts(fixture->dns, &counts);
    assert_int_equal(counts.asked, 5);
    assert_int_equal(counts.cached, 2);
    assert_int_equal(counts.found, 2);
    assert_int_equal(counts.no_data, 1);
    assert_int_equal(counts.absent, 2);
    assert_int_equal(counts.failed, 0);
    assert_int_equal(counts.inflight, 0);
    assert_int_equal(counts.kept, 3);
}

static void test_no_name(void **state)
{
    static const char *const names[] = {"", "a..test", "b\xc3\xbc.test", "a\\.test"};
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(names); i++) {
        struct told told = {0};

        assert_null(dns_ask(fixture->dns, names[i], DNS_A, 0, on_answer, &told));
        if (told.times != 1 || told.status != DNS_FAILED || told.timed_out)
            fail_msg("<%s>: status %d", names[i], (int)told.status);
        assert_string_equal(told.problem, "not a domain name");
    }
}

static void test_failure_is_no_absence(void **state)
{
    const struct fixture *fixture = *state;
    struct told told;

    responder_set(fixture->responder, RESPONDER_SERVFAIL);
    told = ask(fixture, "broken.test", DNS_A);
    assert_int_equal(told.status, DNS_FAILED);
    assert_string_equal(told.problem, "SERVFAIL");
    assert_false(told.timed_out);
    told = ask(fixture, "broken.test", DNS_A);
    assert_int_equal(told.status, DNS_FAILED);
    assert_true(told.from_cache);
    assert_true(told.ttl_sec <= 5);
}

static void test_asked_once(void **state)
{
    const struct fixture *fixture = *state;
    struct told told[50] = {{0}};
    struct dns_counts counts;

    responder_set(fixture->responder, RESPONDER_HOLDS);
    for (size_t i = 0; i < COUNT_OF(told); i++)
        assert_non_null(dns_ask(fixture->dns, "one.test", DNS_A, 10000, on_answer, &told[i]));
    dns_counts(fixture->dns, &counts);
    assert_int_equal(counts.inflight, 1);
    while (responder_held(fixture->responder) == 0)
        loop_run_once(fixture->loop, 50);
    assert_int_equal(responder_questions(fixture->responder), 1);
    responder_release(fixture->responder);
    wait_all(fixture, told, COUNT_OF(told));
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        assert_int_equal(told[i].times, 1);
        assert_int_equal(told[i].status, DNS_FOUND);
        assert_int_equal(told[i].order, told[0].order + (int64_t)i);
    }
}

static void test_deadline(void **state)
{
    const struct fixture *fixture = *state;
    struct told told[3] = {{0}};
    struct dns_counts counts;
    int64_t began = now_ms();

    responder_set(fixture->responder, RESPONDER_SILENT);
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 300, on_answer, &told[0]);
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 0, on_answer, &told[1]);
    wait_all(fixture, told, 1);
    assert_true(now_ms() - began >= 300 && now_ms() - began < 300 + SLACK_MS);
    assert_int_equal(told[1].times, 0);
    wait_all(fixture, told, 2);
    assert_true(now_ms() - began >= 400 && now_ms() - began < 400 + SLACK_MS);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(told[i].status, DNS_FAILED);
        assert_true(told[i].timed_out);
        assert_false(told[i].from_cache);
        assert_string_equal(told[i].problem, "timed out");
    }
    /* Known by now, but not to those who would wait for longer. */
    assert_null(dns_ask(fixture->dns, "late.test", DNS_A, 400, on_answer, &told[2]));
    assert_true(told[2].from_cache);
    assert_true(told[2].timed_out);
    told[2] = (struct told){0};
    assert_non_null(dns_ask(fixture->dns, "late.test", DNS_A, 700, on_answer, &told[2]));
    wait_all(fixture, told, 3);
    assert_false(told[2].from_cache);
    dns_counts(fixture->dns, &counts);
    assert_int_equal(counts.timed_out, 3);
    assert_int_equal(counts.failed, 4);
}

/* Of two who waited in vain the longer wait is known, whoever gave up last. */
static void test_longest_wait_is_kept(void **state)
{
    const struct fixture *fixture = *state;
    struct told told[3] = {{0}};

    responder_set(fixture->responder, RESPONDER_SILENT);
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 200, on_answer, &told[0]);
    run_for(fixture, 100);
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 150, on_answer, &told[1]);
    wait_all(fixture, told, 2);
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 200, on_answer, &told[2]);
    wait_all(fixture, told, 3);
    assert_true(told[2].from_cache);
}

static void wait_idle(const struct fixture *fixture)
{
    struct dns_counts counts;

    do {
        loop_run_once(fixture->loop, 50);
        dns_counts(fixture->dns, &counts);
    } while (counts.inflight > 0);
}

/* Whoever asked is gone, the answer is good all the same. */
static void test_late_answer_is_kept(void **state)
{
    const struct fixture *fixture = *state;
    struct told told = {0};

    responder_set(fixture->responder, RESPONDER_HOLDS);
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 50, on_answer, &told);
    wait_all(fixture, &told, 1);
    assert_true(told.timed_out);
    responder_set(fixture->responder, RESPONDER_ANSWERS);
    responder_release(fixture->responder);
    wait_idle(fixture);
    told = (struct told){0};
    assert_null(dns_ask(fixture->dns, "late.test", DNS_A, 50, on_answer, &told));
    assert_int_equal(told.status, DNS_FOUND);
}

static void test_cancel(void **state)
{
    const struct fixture *fixture = *state;
    struct told told[4] = {{0}};
    struct dns_question *questions[3];

    responder_set(fixture->responder, RESPONDER_HOLDS);
    for (size_t i = 0; i < 3; i++)
        questions[i] = dns_ask(fixture->dns, "a.test", DNS_A, 10000, on_answer, &told[i]);
    dns_cancel(questions[1]);
    dns_cancel(dns_ask(fixture->dns, "b.test", DNS_A, 10000, on_answer, &told[3]));
    dns_cancel(NULL);
    while (responder_held(fixture->responder) < 2)
        loop_run_once(fixture->loop, 50);
    responder_release(fixture->responder);
    wait_all(fixture, &told[0], 1);
    wait_all(fixture, &told[2], 1);
    assert_int_equal(told[1].times, 0);
    assert_int_equal(told[3].times, 0);
    /* what nobody waited for is in the cache as well */
    run_for(fixture, 50);
    assert_true(ask(fixture, "b.test", DNS_A).from_cache);
}

struct canceller {
    struct told told;
    struct dns_question *victim;
};

static void cancel_other(const struct dns_answer *answer, void *context)
{
    struct canceller *canceller = context;

    on_answer(answer, &canceller->told);
    dns_cancel(canceller->victim);
}

static void test_cancel_within_a_callback(void **state)
{
    const struct fixture *fixture = *state;
    struct canceller canceller = {0};
    struct told told[2] = {{0}};

    responder_set(fixture->responder, RESPONDER_HOLDS);
    (void)dns_ask(fixture->dns, "a.test", DNS_A, 10000, cancel_other, &canceller);
    canceller.victim = dns_ask(fixture->dns, "a.test", DNS_A, 10000, on_answer, &told[0]);
    (void)dns_ask(fixture->dns, "a.test", DNS_A, 10000, on_answer, &told[1]);
    while (responder_held(fixture->responder) == 0)
        loop_run_once(fixture->loop, 50);
    responder_release(fixture->responder);
    wait_all(fixture, &told[1], 1);
    assert_int_equal(canceller.told.times, 1);
    assert_int_equal(told[0].times, 0);
}

struct asker {
    const struct fixture *fixture;
    unsigned left;
    struct told told;
};

/* Ten in a row, each from the one before; each is known at once the second time. */
static void ask_again(const struct dns_answer *answer, void *context)
{
    struct asker *asker = context;
    char name[32];

    on_answer(answer, &asker->told);
    assert_int_equal(answer->status, DNS_FOUND);
    if (asker->left == 0)
        return;
    asker->left--;
    (void)snprintf(name, sizeof(name), "n%u.test", asker->left / 2);
    (void)dns_ask(asker->fixture->dns, name, DNS_A, 0, ask_again, asker);
}

static void test_ask_within_a_callback(void **state)
{
    const struct fixture *fixture = *state;
    struct asker asker = {.fixture = fixture, .left = 20};
    int64_t until = now_ms() + 10000;

    (void)dns_ask(fixture->dns, "first.test", DNS_A, 0, ask_again, &asker);
    while (asker.told.times < 21 && now_ms() < until)
        loop_run_once(fixture->loop, 50);
    assert_int_equal(asker.told.times, 21);
    assert_int_equal(responder_questions(fixture->responder), 11);
}

static void test_max_inflight(void **state)
{
    struct fixture *fixture = *state;
    struct told told[4] = {{0}};
    struct dns_counts counts;

    dns_free(&fixture->dns);
    fixture->dns = make(fixture->loop, responder_address(fixture->responder), 2);
    responder_set(fixture->responder, RESPONDER_HOLDS);
    assert_non_null(dns_ask(fixture->dns, "a.test", DNS_A, 10000, on_answer, &told[0]));
    assert_non_null(dns_ask(fixture->dns, "b.test", DNS_A, 10000, on_answer, &told[1]));
    /* what is in flight already is no new question */
    assert_non_null(dns_ask(fixture->dns, "a.test", DNS_A, 10000, on_answer, &told[2]));
    assert_null(dns_ask(fixture->dns, "c.test", DNS_A, 10000, on_answer, &told[3]));
    assert_int_equal(told[3].status, DNS_FAILED);
    assert_string_equal(told[3].problem, "too many questions in flight");
    dns_counts(fixture->dns, &counts);
    assert_int_equal(counts.inflight, 2);
    assert_int_equal(counts.refused_inflight, 1);
    while (responder_held(fixture->responder) < 2)
        loop_run_once(fixture->loop, 50);
    responder_release(fixture->responder);
    wait_all(fixture, told, 3);
    responder_set(fixture->responder, RESPONDER_ANSWERS);
    assert_int_equal(ask(fixture, "c.test", DNS_A).status, DNS_FOUND);
}

static void test_free_answers_what_is_open(void **state)
{
    struct fixture *fixture = *state;
    struct told told[3] = {{0}};

    responder_set(fixture->responder, RESPONDER_SILENT);
    for (size_t i = 0; i < COUNT_OF(told); i++)
        (void)dns_ask(fixture->dns, i == 2 ? "b.test" : "a.test", DNS_A, 10000, on_answer,
                      &told[i]);
    run_for(fixture, 50);
    dns_free(&fixture->dns);
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        assert_int_equal(told[i].times, 1);
        assert_int_equal(told[i].status, DNS_FAILED);
        assert_string_equal(told[i].problem, "the resolver is closing");
    }
}

static void assert_nobody_waits(const struct fixture *fixture, int64_t for_ms)
{
    int64_t began = now_ms();
    char name[32];

    for (unsigned i = 0; now_ms() - began < for_ms; i++) {
        struct told told = {0};

        (void)snprintf(name, sizeof(name), "t%u.test", i);
        assert_null(dns_ask(fixture->dns, name, DNS_A, 0, on_answer, &told));
        assert_true(told.times == 1 && told.timed_out);
        loop_run_once(fixture->loop, 10);
    }
}

/* A thousand questions into a black hole cost one time-out together; then nobody waits, but it is
 * noticed when the name server is back. */
static void test_dead_and_back(void **state)
{
    const struct fixture *fixture = *state;
    static struct told told[1000];
    struct told last = {.status = DNS_FAILED};
    int64_t began = now_ms();
    size_t asked;
    char name[32];

    memset(told, 0, sizeof(told));
    responder_set(fixture->responder, RESPONDER_SILENT);
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        (void)snprintf(name, sizeof(name), "n%zu.test", i);
        (void)dns_ask(fixture->dns, name, DNS_A, 0, on_answer, &told[i]);
    }
    wait_all(fixture, told, COUNT_OF(told));
    assert_true(now_ms() - began < 400 + SLACK_MS);
    for (size_t i = 0; i < COUNT_OF(told); i++)
        assert_true(told[i].timed_out);

    /* one may try, the others are told at once */
    began = now_ms();
    memset(told, 0, sizeof(told));
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        (void)snprintf(name, sizeof(name), "m%zu.test", i);
        (void)dns_ask(fixture->dns, name, DNS_A, 0, on_answer, &told[i]);
    }
    if (now_ms() - began < 1000)
        assert_int_equal(told[0].times, 0);
    asked = responder_questions(fixture->responder);
    for (size_t i = 1; i < COUNT_OF(told) && now_ms() - began < 1000; i++) {
        assert_int_equal(told[i].times, 1);
        assert_true(told[i].timed_out);
        assert_string_equal(told[i].problem, "the resolver does not answer");
    }
    wait_all(fixture, told, COUNT_OF(told));

    /* in vain: from now on the tries have nobody who waits for them */
    assert_nobody_waits(fixture, 1200);
    assert_true(responder_questions(fixture->responder) > asked);

    responder_set(fixture->responder, RESPONDER_ANSWERS);
    began = now_ms();
    for (unsigned i = 0; last.status != DNS_FOUND && now_ms() - began < 10000; i++) {
        (void)snprintf(name, sizeof(name), "o%u.test", i);
        last = ask(fixture, name, DNS_A);
        loop_run_once(fixture->loop, 10);
    }
    assert_int_equal(last.status, DNS_FOUND);
    assert_true(now_ms() - began < 1100 + SLACK_MS);
    /* all are served again, and the time-outs of before are forgotten */
    assert_int_equal(ask(fixture, "p.test", DNS_A).status, DNS_FOUND);
    assert_int_equal(ask(fixture, "n1.test", DNS_AAAA).status, DNS_NO_DATA);
}

static void kill_resolver(const struct fixture *fixture)
{
    struct told told[DNS_BREAKER_TIMEOUTS] = {{0}};
    char name[32];

    responder_set(fixture->responder, RESPONDER_SILENT);
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        (void)snprintf(name, sizeof(name), "killer%zu.test", i);
        assert_non_null(dns_ask(fixture->dns, name, DNS_A, 20, on_answer, &told[i]));
    }
    wait_all(fixture, told, COUNT_OF(told));
}

/* A failure is not what tells that it is back: libunbound gives up on a dead one with the same
 * word. */
static void test_failure_is_no_life(void **state)
{
    const struct fixture *fixture = *state;
    struct told told = {0};

    kill_resolver(fixture);
    responder_set(fixture->responder, RESPONDER_SERVFAIL);
    assert_string_equal(ask(fixture, "a.test", DNS_A).problem, "SERVFAIL");
    (void)dns_ask(fixture->dns, "b.test", DNS_A, 0, on_answer, &told);
    assert_int_equal(told.times, 1);
    assert_string_equal(told.problem, "the resolver does not answer");
}

/* The questions that libunbound still asks take up all places, but not the one that is a try. */
static void test_a_try_has_a_place(void **state)
{
    struct fixture *fixture = *state;
    struct told told = {0};

    dns_free(&fixture->dns);
    fixture->dns = make(fixture->loop, responder_address(fixture->responder), DNS_BREAKER_TIMEOUTS);
    kill_resolver(fixture);
    responder_set(fixture->responder, RESPONDER_ANSWERS);
    assert_int_equal(ask(fixture, "a.test", DNS_A).status, DNS_FOUND);
    /* and the time-outs are forgotten */
    (void)dns_ask(fixture->dns, "killer0.test", DNS_A, 20, on_answer, &told);
    wait_all(fixture, &told, 1);
    assert_false(told.from_cache);
}

/* Names whose own servers are dead look the same, but one answer says otherwise. */
static void test_answers_between_keep_it_alive(void **state)
{
    const struct fixture *fixture = *state;
    char name[32];

    for (unsigned i = 0; i < 2 * DNS_BREAKER_TIMEOUTS; i++) {
        struct told told = {0};

        responder_set(fixture->responder, RESPONDER_SILENT);
        (void)snprintf(name, sizeof(name), "dead%u.test", i);
        assert_non_null(dns_ask(fixture->dns, name, DNS_A, 20, on_answer, &told));
        wait_all(fixture, &told, 1);
        responder_set(fixture->responder, RESPONDER_ANSWERS);
        (void)snprintf(name, sizeof(name), "live%u.test", i);
        assert_int_equal(ask(fixture, name, DNS_A).status, DNS_FOUND);
    }
}

/* Nobody listens at all: the same, by the deadline at the latest. */
static void test_nobody_there(void **state)
{
    struct fixture *fixture = *state;
    struct told told;
    int64_t began;
    char resolver[32];

    (void)snprintf(resolver, sizeof(resolver), "%s", responder_address(fixture->responder));
    dns_free(&fixture->dns);
    responder_free(&fixture->responder);
    fixture->dns = make(fixture->loop, resolver, 100);
    began = now_ms();
    told = ask(fixture, "a.test", DNS_A);
    assert_int_equal(told.status, DNS_FAILED);
    assert_true(now_ms() - began < 400 + SLACK_MS);
}

static void test_second_server(void **state)
{
    static const enum responder_mode modes[] = {RESPONDER_SILENT, RESPONDER_SERVFAIL};
    struct fixture *fixture = *state;
    struct responder *other = responder_new(fixture->loop, 0);
    char resolver[80];

    (void)snprintf(resolver, sizeof(resolver), "%s,%s", responder_address(fixture->responder),
                   responder_address(other));
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        struct told told = {0};
        size_t seen;

        dns_free(&fixture->dns);
        fixture->dns = make(fixture->loop, resolver, 100);
        responder_set(fixture->responder, modes[i]);
        (void)dns_ask(fixture->dns, "a.test", DNS_A, 10000, on_answer, &told);
        wait_all(fixture, &told, 1);
        assert_int_equal(told.status, DNS_FOUND);
        /* from now on the other one is asked first */
        seen = responder_questions(other);
        if (modes[i] == RESPONDER_SERVFAIL)
            responder_set(fixture->responder, RESPONDER_HOLDS);
        told = (struct told){0};
        (void)dns_ask(fixture->dns, "b.test", DNS_A, 10000, on_answer, &told);
        wait_all(fixture, &told, 1);
        assert_int_equal(told.status, DNS_FOUND);
        assert_int_equal(responder_questions(other), seen + 1);
        assert_int_equal(responder_held(fixture->responder), 0);
        /* both fail: so does the answer */
        responder_set(other, RESPONDER_SERVFAIL);
        responder_set(fixture->responder, RESPONDER_SERVFAIL);
        told = (struct told){0};
        (void)dns_ask(fixture->dns, "c.test", DNS_A, 10000, on_answer, &told);
        wait_all(fixture, &told, 1);
        assert_int_equal(told.status, DNS_FAILED);
        assert_string_equal(told.problem, "SERVFAIL");
        responder_set(other, RESPONDER_ANSWERS);
    }
    dns_free(&fixture->dns);
    responder_free(&other);
}

/* A failure is passed on to the next server at once, not when the first one has had its time. */
static void test_second_server_soon(void **state)
{
    struct fixture *fixture = *state;
    struct responder *other = responder_new(fixture->loop, 0);
    int64_t fastest = INT64_MAX;
    char resolver[80];

    (void)snprintf(resolver, sizeof(resolver), "%s,%s", responder_address(fixture->responder),
                   responder_address(other));
    responder_set(fixture->responder, RESPONDER_SERVFAIL);
    for (int i = 0; i < 4; i++) {
        int64_t began;

        dns_free(&fixture->dns);
        fixture->dns = make(fixture->loop, resolver, 100);
        began = now_ms();
        (void)ask(fixture, "a.test", DNS_A);
        if (now_ms() - began < fastest)
            fastest = now_ms() - began;
    }
    assert_true(fastest < DNS_NEXT_SERVER_MS);
    dns_free(&fixture->dns);
    responder_free(&other);
}

static void test_settings(void **state)
{
    static const struct {
        const char *resolver;
        const char *trust_anchor;
    } cases[] = {
        {"nonsense", NULL},
        {"127.0.0.1@99999", NULL},
        {"127.0.0.1", "/nonexistent/anchor"},
    };
    const struct fixture *fixture = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const struct dns_settings settings = {
            .resolver = cases[i].resolver,
            .timeout_ms = 100,
            .max_inflight = 1,
            .trust_anchor = cases[i].trust_anchor,
        };
        char *problem = NULL;

        assert_null(dns_new(fixture->loop, &settings, &problem));
        assert_non_null(problem);
        free(problem);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers_and_cache),
        TEST(test_no_name),
        TEST(test_failure_is_no_absence),
        TEST(test_asked_once),
        TEST(test_deadline),
        TEST(test_longest_wait_is_kept),
        TEST(test_late_answer_is_kept),
        TEST(test_cancel),
        TEST(test_cancel_within_a_callback),
        TEST(test_ask_within_a_callback),
        TEST(test_max_inflight),
        TEST(test_free_answers_what_is_open),
        TEST(test_dead_and_back),
        TEST(test_failure_is_no_life),
        TEST(test_a_try_has_a_place),
        TEST(test_answers_between_keep_it_alive),
        TEST(test_nobody_there),
        TEST(test_second_server),
        TEST(test_second_server_soon),
        TEST(test_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
