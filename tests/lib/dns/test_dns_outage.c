/* SPDX-License-Identifier: BSD-2-Clause */
/* The resolver against name servers that are dead, failing, and back again. */
#include "lib/base/count.h"
#include "lib/dns/breaker.h"
#include "lib/dns/forward.h"
#include "tests/lib/dns/asking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static size_t inflight(const struct fixture *fixture)
{
    struct dns_counts counts;

    dns_counts(fixture->dns, &counts);
    return counts.inflight;
}

/* Returns how many of the questions were asked all the same. */
static size_t assert_nobody_waits(const struct fixture *fixture, int64_t for_ms)
{
    int64_t began = asking_now_ms();
    size_t tries = 0;
    char name[32];

    for (unsigned i = 0; asking_now_ms() - began < for_ms; i++) {
        size_t before = inflight(fixture);
        struct told told = {0};

        (void)snprintf(name, sizeof(name), "t%u.test", i);
        assert_null(dns_ask(fixture->dns, name, DNS_A, 0, asking_told, &told));
        assert_true(told.times == 1 && told.timed_out);
        tries += inflight(fixture) - before;
        loop_run_once(fixture->loop, 10);
    }
    return tries;
}

/* A thousand questions into a black hole cost one time-out together; then nobody waits, but it is
 * noticed when the name server is back. */
static void test_dead_and_back(void **state)
{
    const struct fixture *fixture = *state;
    static struct told told[1000];
    struct told last = {.status = DNS_FAILED};
    int64_t began = asking_now_ms();
    size_t tries;
    char name[32];

    memset(told, 0, sizeof(told));
    responder_set(fixture->responder, RESPONDER_SILENT);
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        (void)snprintf(name, sizeof(name), "n%zu.test", i);
        (void)dns_ask(fixture->dns, name, DNS_A, 0, asking_told, &told[i]);
    }
    asking_wait(fixture, told, COUNT_OF(told));
    assert_true(asking_now_ms() - began < 400 + ASKING_SLACK_MS);
    for (size_t i = 0; i < COUNT_OF(told); i++)
        assert_true(told[i].timed_out);

    /* one may try, the others are told at once */
    began = asking_now_ms();
    memset(told, 0, sizeof(told));
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        (void)snprintf(name, sizeof(name), "m%zu.test", i);
        (void)dns_ask(fixture->dns, name, DNS_A, 0, asking_told, &told[i]);
    }
    if (asking_now_ms() - began < 1000)
        assert_int_equal(told[0].times, 0);
    for (size_t i = 1; i < COUNT_OF(told) && asking_now_ms() - began < 1000; i++) {
        assert_int_equal(told[i].times, 1);
        assert_true(told[i].timed_out);
        assert_string_equal(told[i].problem, "the resolver does not answer");
    }
    asking_wait(fixture, told, COUNT_OF(told));

    /* in vain: from now on the tries have nobody who waits for them */
    tries = assert_nobody_waits(fixture, 1200);
    assert_true(tries >= 1 && tries <= 3);

    responder_set(fixture->responder, RESPONDER_ANSWERS);
    began = asking_now_ms();
    for (unsigned i = 0; last.status != DNS_FOUND && asking_now_ms() - began < 10000; i++) {
        (void)snprintf(name, sizeof(name), "o%u.test", i);
        last = asking_ask(fixture, name, DNS_A);
        loop_run_once(fixture->loop, 10);
    }
    assert_int_equal(last.status, DNS_FOUND);
    assert_true(asking_now_ms() - began < 1100 + ASKING_SLACK_MS);
    /* all are served again, and the time-outs of before are forgotten */
    assert_int_equal(asking_ask(fixture, "p.test", DNS_A).status, DNS_FOUND);
    assert_int_equal(asking_ask(fixture, "n1.test", DNS_AAAA).status, DNS_NO_DATA);
}

static void kill_resolver(const struct fixture *fixture)
{
    struct told told[DNS_BREAKER_TIMEOUTS] = {{0}};
    char name[32];

    responder_set(fixture->responder, RESPONDER_SILENT);
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        (void)snprintf(name, sizeof(name), "killer%zu.test", i);
        assert_non_null(dns_ask(fixture->dns, name, DNS_A, 20, asking_told, &told[i]));
    }
    asking_wait(fixture, told, COUNT_OF(told));
}

/* A failure is not what tells that it is back: libunbound gives up on a dead one with the same
 * word. */
static void test_failure_is_no_life(void **state)
{
    const struct fixture *fixture = *state;
    struct told told = {0};

    kill_resolver(fixture);
    responder_set(fixture->responder, RESPONDER_SERVFAIL);
    assert_string_equal(asking_ask(fixture, "a.test", DNS_A).problem, "SERVFAIL");
    (void)dns_ask(fixture->dns, "b.test", DNS_A, 0, asking_told, &told);
    assert_int_equal(told.times, 1);
    assert_string_equal(told.problem, "the resolver does not answer");
}

/* A caller whose own deadline comes first gives up: that nobody answered is known all the same. And
 * when the try is given up, nobody waits for the next one. */
static void test_given_up(void **state)
{
    const int64_t timeout_ms = 800;
    const struct fixture *fixture = *state;
    struct told told[DNS_BREAKER_TIMEOUTS] = {{0}}, last = {0};
    struct dns_question *questions[COUNT_OF(told)];
    int64_t asked_ms;
    char name[32];

    responder_set(fixture->responder, RESPONDER_SILENT);
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        (void)snprintf(name, sizeof(name), "given-up%zu.test", i);
        questions[i] = dns_ask(fixture->dns, name, DNS_A, timeout_ms, asking_told, &told[i]);
        assert_non_null(questions[i]);
    }
    asked_ms = asking_now_ms();
    while (asking_now_ms() - asked_ms <= timeout_ms - timeout_ms / 8)
        loop_run_once(fixture->loop, 10);
    for (size_t i = 0; i < COUNT_OF(told); i++)
        if (told[i].times == 0)
            dns_cancel(questions[i]);
    questions[0] = dns_ask(fixture->dns, "try.test", DNS_A, 0, asking_told, &last);
    assert_non_null(questions[0]);
    dns_cancel(questions[0]);
    (void)assert_nobody_waits(fixture, 1200);
}

/* The questions that libunbound still asks take up all places, but not the one that is a try. */
static void test_a_try_has_a_place(void **state)
{
    struct fixture *fixture = *state;
    struct told told = {0};

    dns_free(&fixture->dns);
    fixture->dns =
        asking_make(fixture->loop, responder_address(fixture->responder), DNS_BREAKER_TIMEOUTS);
    kill_resolver(fixture);
    responder_set(fixture->responder, RESPONDER_ANSWERS);
    assert_int_equal(asking_ask(fixture, "a.test", DNS_A).status, DNS_FOUND);
    /* And the time-outs are forgotten: what is known now was learned when the library asked again.
     */
    (void)dns_ask(fixture->dns, "killer0.test", DNS_A, 20, asking_told, &told);
    asking_wait(fixture, &told, 1);
    if (told.from_cache)
        assert_int_equal(told.status, DNS_FOUND);
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
        assert_non_null(dns_ask(fixture->dns, name, DNS_A, 20, asking_told, &told));
        asking_wait(fixture, &told, 1);
        responder_set(fixture->responder, RESPONDER_ANSWERS);
        (void)snprintf(name, sizeof(name), "live%u.test", i);
        assert_int_equal(asking_ask(fixture, name, DNS_A).status, DNS_FOUND);
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
    fixture->dns = asking_make(fixture->loop, resolver, 100);
    began = asking_now_ms();
    told = asking_ask(fixture, "a.test", DNS_A);
    assert_int_equal(told.status, DNS_FAILED);
    assert_true(asking_now_ms() - began < 400 + ASKING_SLACK_MS);
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
        fixture->dns = asking_make(fixture->loop, resolver, 100);
        responder_set(fixture->responder, modes[i]);
        (void)dns_ask(fixture->dns, "a.test", DNS_A, 10000, asking_told, &told);
        asking_wait(fixture, &told, 1);
        assert_int_equal(told.status, DNS_FOUND);
        /* from now on the other one is asked first */
        seen = responder_questions(other);
        if (modes[i] == RESPONDER_SERVFAIL)
            responder_set(fixture->responder, RESPONDER_HOLDS);
        told = (struct told){0};
        (void)dns_ask(fixture->dns, "b.test", DNS_A, 10000, asking_told, &told);
        asking_wait(fixture, &told, 1);
        assert_int_equal(told.status, DNS_FOUND);
        assert_int_equal(responder_questions(other), seen + 1);
        assert_int_equal(responder_held(fixture->responder), 0);
        /* both fail: so does the answer */
        responder_set(other, RESPONDER_SERVFAIL);
        responder_set(fixture->responder, RESPONDER_SERVFAIL);
        told = (struct told){0};
        (void)dns_ask(fixture->dns, "c.test", DNS_A, 10000, asking_told, &told);
        asking_wait(fixture, &told, 1);
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
        fixture->dns = asking_make(fixture->loop, resolver, 100);
        began = asking_now_ms();
        (void)asking_ask(fixture, "a.test", DNS_A);
        if (asking_now_ms() - began < fastest)
            fastest = asking_now_ms() - began;
    }
    assert_true(fastest < DNS_NEXT_SERVER_MS);
    dns_free(&fixture->dns);
    responder_free(&other);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, asking_start, asking_stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_dead_and_back),
        TEST(test_failure_is_no_life),
        TEST(test_given_up),
        TEST(test_a_try_has_a_place),
        TEST(test_answers_between_keep_it_alive),
        TEST(test_nobody_there),
        TEST(test_second_server),
        TEST(test_second_server_soon),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
