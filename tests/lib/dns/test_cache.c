/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache: how long for, how many; and the breaker. */
#include "lib/dns/cache.h"

#include "lib/base/count.h"
#include "lib/dns/breaker.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#define SEC 1000000

static struct dns_key key_of(const char *text, enum dns_type type)
{
    struct dns_name name;
    struct dns_key key;

    assert_true(dns_name_parse(text, &name));
    dns_key_make(&name, type, &key);
    return key;
}

static void put(struct dns_cache *cache, const char *name, enum dns_status status, int64_t ttl_sec,
                int64_t now_us, int64_t waited_ms)
{
    struct dns_records records = {.status = status, .ttl_sec = ttl_sec};
    struct dns_result *result = dns_result_new(&records, NULL, now_us);
    struct dns_key key = key_of(name, DNS_A);

    result->waited_ms = waited_ms;
    dns_cache_put(cache, &key, result);
    dns_result_release(result);
}

static bool has(struct dns_cache *cache, const char *name, int64_t now_us, int64_t timeout_ms)
{
    struct dns_key key = key_of(name, DNS_A);

    return dns_cache_get(cache, &key, now_us, timeout_ms) != NULL;
}

static void test_how_long(void **state)
{
    static const struct {
        const char *name;
        enum dns_status status;
        int64_t ttl_sec;
        int64_t want_sec;
    } cases[] = {
        {"found", DNS_FOUND, 300, 300},
        {"found, no TTL", DNS_FOUND, 0, 1},
        {"found, for ever", DNS_FOUND, INT32_MAX, 86400},
        {"no data", DNS_NO_DATA, 120, 120},
        {"no data, no TTL", DNS_NO_DATA, 0, 1},
        {"no data, for ever", DNS_NO_DATA, INT32_MAX, 3600},
        {"absent, for ever", DNS_ABSENT, INT32_MAX, 3600},
        {"failed", DNS_FAILED, 0, 5},
        {"bogus", DNS_BOGUS, 300, 5},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct dns_cache *cache = dns_cache_new(10);
        int64_t end_us = 7 * SEC + cases[i].want_sec * SEC;

        put(cache, "a.test", cases[i].status, cases[i].ttl_sec, 7 * SEC, 0);
        if (!has(cache, "A.test", end_us - 1, 1000))
            fail_msg("%s: gone too early", cases[i].name);
        if (has(cache, "a.test", end_us, 1000))
            fail_msg("%s: kept too long", cases[i].name);
        assert_int_equal(dns_cache_count(cache), 0);
        dns_cache_free(&cache);
    }
}

static void test_types_are_apart(void **state)
{
    struct dns_cache *cache = dns_cache_new(10);
    struct dns_key key = key_of("a.test", DNS_MX);

    (void)state;
    put(cache, "a.test", DNS_FOUND, 300, 0, 0);
    assert_null(dns_cache_get(cache, &key, 1, 1000));
    dns_cache_free(&cache);
}

static void test_oldest_goes(void **state)
{
    struct dns_cache *cache = dns_cache_new(3);

    (void)state;
    put(cache, "a.test", DNS_FOUND, 300, 0, 0);
    put(cache, "b.test", DNS_FOUND, 300, 0, 0);
    put(cache, "c.test", DNS_FOUND, 300, 0, 0);
    assert_true(has(cache, "a.test", 1, 1000));
    put(cache, "d.test", DNS_FOUND, 300, 0, 0);
    put(cache, "d.test", DNS_FOUND, 300, 0, 0);
    assert_int_equal(dns_cache_count(cache), 3);
    assert_false(has(cache, "b.test", 1, 1000));
    assert_true(has(cache, "a.test", 1, 1000));
    assert_true(has(cache, "c.test", 1, 1000));
    assert_true(has(cache, "d.test", 1, 1000));
    dns_cache_free(&cache);
}

static void test_no_room(void **state)
{
    struct dns_cache *cache = dns_cache_new(0);

    (void)state;
    put(cache, "a.test", DNS_FOUND, 300, 0, 0);
    assert_false(has(cache, "a.test", 1, 1000));
    dns_cache_free(&cache);
}

static void test_timeouts(void **state)
{
    struct dns_cache *cache = dns_cache_new(10);

    (void)state;
    put(cache, "late.test", DNS_FAILED, 0, 0, 500);
    put(cache, "failed.test", DNS_FAILED, 0, 0, 0);
    put(cache, "found.test", DNS_FOUND, 300, 0, 0);
    assert_true(has(cache, "late.test", 1, 500));
    assert_true(has(cache, "late.test", 1, 100));
    /* the same patience, but for what a message's earlier stages took of it */
    assert_true(has(cache, "late.test", 1, 562));
    assert_false(has(cache, "late.test", 1, 563));
    dns_cache_forget_timeouts(cache);
    assert_false(has(cache, "late.test", 1, 100));
    assert_true(has(cache, "failed.test", 1, 1000));
    assert_true(has(cache, "found.test", 1, 1000));
    dns_cache_free(&cache);
}

static void test_breaker(void **state)
{
    struct dns_breaker breaker = {0};
    unsigned allowed = 0;

    (void)state;
    for (int i = 0; i < DNS_BREAKER_TIMEOUTS - 1; i++) {
        dns_breaker_timed_out(&breaker);
        assert_true(dns_breaker_allows(&breaker, 0));
    }
    assert_false(dns_breaker_answered(&breaker));
    for (int i = 0; i < DNS_BREAKER_TIMEOUTS; i++) {
        assert_false(dns_breaker_is_open(&breaker));
        dns_breaker_timed_out(&breaker);
    }
    assert_true(dns_breaker_is_open(&breaker));
    /* a hundred questions in each of ten seconds: one a second is asked, the first one at once */
    assert_false(dns_breaker_is_sure(&breaker));
    assert_true(dns_breaker_allows(&breaker, 0));
    assert_false(dns_breaker_allows(&breaker, 0));
    /* ... and that one alone may be waited for, whatever became of it */
    assert_true(dns_breaker_is_sure(&breaker));
    for (int i = 1; i <= 1000; i++) {
        allowed += dns_breaker_allows(&breaker, i * (SEC / 100)) ? 1 : 0;
        dns_breaker_timed_out(&breaker);
    }
    assert_int_equal(allowed, 10);
    assert_true(dns_breaker_answered(&breaker));
    assert_false(dns_breaker_is_sure(&breaker));
    assert_true(dns_breaker_allows(&breaker, 1000 * (SEC / 100)));
    assert_true(dns_breaker_allows(&breaker, 1000 * (SEC / 100)));
}

/* The promise is under a microsecond; ten times that still tells a mistake on a busy machine. */
static void test_speed(void **state)
{
    const int rounds = 100000;
    struct dns_cache *cache = dns_cache_new(20000);
    char name[64];
    clock_t start;
    double each_us;

    (void)state;
    for (int i = 0; i < 20000; i++) {
        (void)snprintf(name, sizeof(name), "mail%d.example.test", i);
        put(cache, name, DNS_FOUND, 300, 0, 0);
    }
    start = clock(); /* of this process alone, however busy the machine is */
    for (int i = 0; i < rounds; i++)
        assert_true(has(cache, "mail77.example.test", 1, 1000));
    each_us = (double)(clock() - start) * 1e6 / CLOCKS_PER_SEC / rounds;
    print_message("%.3f us\n", each_us);
    assert_true(each_us < 10);
    dns_cache_free(&cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_how_long),    cmocka_unit_test(test_types_are_apart),
        cmocka_unit_test(test_oldest_goes), cmocka_unit_test(test_no_room),
        cmocka_unit_test(test_timeouts),    cmocka_unit_test(test_breaker),
        cmocka_unit_test(test_speed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
