/* SPDX-License-Identifier: BSD-2-Clause */
/* The resolver: what it answers, keeps, gives up and refuses. */
#include "lib/base/count.h"
#include "tests/lib/dns/asking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void run_for(const struct fixture *fixture, int64_t ms)
{
    int64_t until = asking_now_ms() + ms;

    while (asking_now_ms() < until)
        loop_run_once(fixture->loop, until - asking_now_ms());
}

static void test_answers_and_cache(void **state)
{
    const struct fixture *fixture = *state;
    struct told told = asking_ask(fixture, "Found.Test", DNS_A);
    struct dns_counts counts;

    assert_int_equal(told.status, DNS_FOUND);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.ttl_sec, 300);
    assert_false(told.from_cache);
    assert_string_equal(told.name, "Found.Test");

    told = (struct told){0};
    assert_null(dns_ask(fixture->dns, "found.test.", DNS_A, 0, asking_told, &told));
    assert_int_equal(told.times, 1);
    assert_int_equal(told.status, DNS_FOUND);
    assert_true(told.from_cache);
    assert_string_equal(told.name, "found.test.");
    assert_true(told.ttl_sec > 290 && told.ttl_sec <= 300);

    assert_int_equal(asking_ask(fixture, "found.test", DNS_MX).status, DNS_NO_DATA);
    told = asking_ask(fixture, "absent.test", DNS_A);
    assert_int_equal(told.status, DNS_ABSENT);
    assert_int_equal(told.ttl_sec, 60);
    assert_true(asking_ask(fixture, "absent.test", DNS_A).from_cache);
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

        assert_null(dns_ask(fixture->dns, names[i], DNS_A, 0, asking_told, &told));
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
    told = asking_ask(fixture, "broken.test", DNS_A);
    assert_int_equal(told.status, DNS_FAILED);
    assert_string_equal(told.problem, "SERVFAIL");
    assert_false(told.timed_out);
    told = asking_ask(fixture, "broken.test", DNS_A);
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
        assert_non_null(dns_ask(fixture->dns, "one.test", DNS_A, 10000, asking_told, &told[i]));
    dns_counts(fixture->dns, &counts);
    assert_int_equal(counts.inflight, 1);
    while (responder_held(fixture->responder) == 0)
        loop_run_once(fixture->loop, 50);
    assert_int_equal(responder_questions(fixture->responder), 1);
    responder_release(fixture->responder);
    asking_wait(fixture, told, COUNT_OF(told));
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
    int64_t began = asking_now_ms();

    responder_set(fixture->responder, RESPONDER_SILENT);
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 300, asking_told, &told[0]);
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 0, asking_told, &told[1]);
    asking_wait(fixture, told, 1);
    assert_true(asking_now_ms() - began >= 300 && asking_now_ms() - began < 300 + ASKING_SLACK_MS);
    if (asking_now_ms() - began < 400)
        assert_int_equal(told[1].times, 0);
    asking_wait(fixture, told, 2);
    assert_true(asking_now_ms() - began >= 400 && asking_now_ms() - began < 400 + ASKING_SLACK_MS);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(told[i].status, DNS_FAILED);
        assert_true(told[i].timed_out);
        assert_false(told[i].from_cache);
        assert_string_equal(told[i].problem, "timed out");
    }
    /* Known by now, but not to those who would wait for longer. */
    assert_null(dns_ask(fixture->dns, "late.test", DNS_A, 400, asking_told, &told[2]));
    assert_true(told[2].from_cache);
    assert_true(told[2].timed_out);
    told[2] = (struct told){0};
    assert_non_null(dns_ask(fixture->dns, "late.test", DNS_A, 700, asking_told, &told[2]));
    asking_wait(fixture, told, 3);
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
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 200, asking_told, &told[0]);
    run_for(fixture, 100);
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 150, asking_told, &told[1]);
    asking_wait(fixture, told, 2);
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 200, asking_told, &told[2]);
    asking_wait(fixture, told, 3);
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
    (void)dns_ask(fixture->dns, "late.test", DNS_A, 50, asking_told, &told);
    asking_wait(fixture, &told, 1);
    assert_true(told.timed_out);
    responder_set(fixture->responder, RESPONDER_ANSWERS);
    responder_release(fixture->responder);
    wait_idle(fixture);
    told = (struct told){0};
    assert_null(dns_ask(fixture->dns, "late.test", DNS_A, 50, asking_told, &told));
    assert_int_equal(told.status, DNS_FOUND);
}

static void test_cancel(void **state)
{
    const struct fixture *fixture = *state;
    struct told told[4] = {{0}};
    struct dns_question *questions[3];

    responder_set(fixture->responder, RESPONDER_HOLDS);
    for (size_t i = 0; i < 3; i++)
        questions[i] = dns_ask(fixture->dns, "a.test", DNS_A, 10000, asking_told, &told[i]);
    dns_cancel(questions[1]);
    dns_cancel(dns_ask(fixture->dns, "b.test", DNS_A, 10000, asking_told, &told[3]));
    dns_cancel(NULL);
    while (responder_held(fixture->responder) < 2)
        loop_run_once(fixture->loop, 50);
    responder_release(fixture->responder);
    asking_wait(fixture, &told[0], 1);
    asking_wait(fixture, &told[2], 1);
    assert_int_equal(told[1].times, 0);
    assert_int_equal(told[3].times, 0);
    /* what nobody waited for is in the cache as well */
    run_for(fixture, 50);
    assert_true(asking_ask(fixture, "b.test", DNS_A).from_cache);
}

struct canceller {
    struct told told;
    struct dns_question *victim;
};

static void cancel_other(const struct dns_answer *answer, void *context)
{
    struct canceller *canceller = context;

    asking_told(answer, &canceller->told);
    dns_cancel(canceller->victim);
}

static void test_cancel_within_a_callback(void **state)
{
    const struct fixture *fixture = *state;
    struct canceller canceller = {0};
    struct told told[2] = {{0}};

    responder_set(fixture->responder, RESPONDER_HOLDS);
    (void)dns_ask(fixture->dns, "a.test", DNS_A, 10000, cancel_other, &canceller);
    canceller.victim = dns_ask(fixture->dns, "a.test", DNS_A, 10000, asking_told, &told[0]);
    (void)dns_ask(fixture->dns, "a.test", DNS_A, 10000, asking_told, &told[1]);
    while (responder_held(fixture->responder) == 0)
        loop_run_once(fixture->loop, 50);
    responder_release(fixture->responder);
    asking_wait(fixture, &told[1], 1);
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

    asking_told(answer, &asker->told);
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
    int64_t until = asking_now_ms() + 10000;

    (void)dns_ask(fixture->dns, "first.test", DNS_A, 0, ask_again, &asker);
    while (asker.told.times < 21 && asking_now_ms() < until)
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
    fixture->dns = asking_make(fixture->loop, responder_address(fixture->responder), 2);
    responder_set(fixture->responder, RESPONDER_HOLDS);
    assert_non_null(dns_ask(fixture->dns, "a.test", DNS_A, 10000, asking_told, &told[0]));
    assert_non_null(dns_ask(fixture->dns, "b.test", DNS_A, 10000, asking_told, &told[1]));
    /* what is in flight already is no new question */
    assert_non_null(dns_ask(fixture->dns, "a.test", DNS_A, 10000, asking_told, &told[2]));
    assert_null(dns_ask(fixture->dns, "c.test", DNS_A, 10000, asking_told, &told[3]));
    assert_int_equal(told[3].status, DNS_FAILED);
    assert_string_equal(told[3].problem, "too many questions in flight");
    dns_counts(fixture->dns, &counts);
    assert_int_equal(counts.inflight, 2);
    assert_int_equal(counts.refused_inflight, 1);
    while (responder_held(fixture->responder) < 2)
        loop_run_once(fixture->loop, 50);
    responder_release(fixture->responder);
    asking_wait(fixture, told, 3);
    responder_set(fixture->responder, RESPONDER_ANSWERS);
    assert_int_equal(asking_ask(fixture, "c.test", DNS_A).status, DNS_FOUND);
}

static void test_free_answers_what_is_open(void **state)
{
    struct fixture *fixture = *state;
    struct told told[3] = {{0}};

    responder_set(fixture->responder, RESPONDER_SILENT);
    for (size_t i = 0; i < COUNT_OF(told); i++)
        (void)dns_ask(fixture->dns, i == 2 ? "b.test" : "a.test", DNS_A, 10000, asking_told,
                      &told[i]);
    run_for(fixture, 50);
    dns_free(&fixture->dns);
    for (size_t i = 0; i < COUNT_OF(told); i++) {
        assert_int_equal(told[i].times, 1);
        assert_int_equal(told[i].status, DNS_FAILED);
        assert_string_equal(told[i].problem, "the resolver is closing");
    }
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

#define TEST(function) cmocka_unit_test_setup_teardown(function, asking_start, asking_stop)

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
        TEST(test_settings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
