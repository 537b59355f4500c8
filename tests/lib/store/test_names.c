/* SPDX-License-Identifier: BSD-2-Clause */
/* Names of subjects, the order of a call's limits, URLs, and what Redis' errors mean. */
#include "lib/base/count.h"
#include "lib/store/call.h"
#include "lib/store/redis_address.h"
#include "lib/store/redis_trouble.h"
#include "lib/store/slot.h"
#include "lib/store/subject.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct subject_hiding plain;

static void test_subjects(void **state)
{
    static const struct {
        const char *subject, *name;
    } rows[] = {
        {"user:alice@example.com", "user:alice@example.com"},
        {"user:{a}%", "user:%7ba%7d%25"},
        {"{:x", "%7b:x"},
        {"", ""},
        {"user:", "user:"},
        {"user:\xc3\xa4@b", "user:\xc3\xa4@b"},
    };
    char name[SUBJECT_NAME_SIZE];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t length = subject_name(&plain, rows[i].subject, name);

        assert_string_equal(name, rows[i].name);
        assert_int_equal(length, strlen(name));
    }
}

static void test_long_subjects(void **state)
{
    char subject[4096] = "sender:";
    char name[SUBJECT_NAME_SIZE];
    char other[SUBJECT_NAME_SIZE];

    (void)state;
    for (size_t length = 7; length < sizeof(subject) - 1; length++) {
        subject[length] = '{';
        assert_in_range(subject_name(&plain, subject, name), 8, STORE_SUBJECT_MAX);
        assert_memory_equal(name, "sender:", 7);
    }
    assert_int_equal(name[7], '#');
    assert_int_equal(strlen(name), 7 + 1 + 64);
    subject[4000] = '}';
    subject_name(&plain, subject, other);
    assert_string_not_equal(name, other);
    /* No kind to be seen, and one that is too long for one. */
    memset(subject, 'x', sizeof(subject) - 1);
    assert_int_equal(subject_name(&plain, subject, name), 65);
    subject[100] = ':';
    assert_int_equal(subject_name(&plain, subject, name), 65);
}

static void test_hidden_subjects(void **state)
{
    struct subject_hiding hiding;
    struct subject_hiding other;
    char name[SUBJECT_NAME_SIZE];
    char again[SUBJECT_NAME_SIZE];

    (void)state;
    subject_hiding_set(&hiding, "");
    assert_false(hiding.on);
    subject_hiding_set(&hiding, "secret");
    subject_hiding_set(&other, "Secret");
    assert_int_equal(subject_name(&hiding, "user:alice@example.com", name), 5 + 1 + 32);
    assert_memory_equal(name, "user:~", 6);
    subject_name(&hiding, "user:alice@example.com", again);
    assert_string_equal(name, again);
    subject_name(&hiding, "user:bob@example.com", again);
    assert_string_not_equal(name, again);
    subject_name(&other, "user:alice@example.com", again);
    assert_string_not_equal(name, again);
}

static void test_order_of_limits(void **state)
{
    const struct store_limit limits[] = {
        {"b", 'r', 60, 2, 5, 0, true, NULL, 0},   {"a", 'm', 3600, 1, 5, 0, true, NULL, 0},
        {"b", 'm', 60, 1, 5, 0, true, NULL, 0},   {"b", 'r', 60, 4, 9, 0, false, NULL, 0},
        {"a", 'm', 60, -3, 5, -1, true, NULL, 0}, {"b", 'r', 60, 1, 7, 0, true, NULL, 0},
        {"b", 'r', 0, 1, 7, 0, true, NULL, 0},
    };
    static const struct {
        const char *subject, *field;
        size_t index;
        int64_t amount;
        bool first, same_field;
    } want[] = {
        {"b", "m60", 2, 1, true, false},    {"b", "r1", 6, 1, false, false},
        {"b", "r60", 0, 4, false, false},   {"b", "r60", 3, 4, false, true},
        {"b", "r60", 5, 4, false, true},    {"a", "m60", 4, 0, true, false},
        {"a", "m3600", 1, 1, false, false},
    };
    const struct store_request request = {.identity = "h/1",
                                          .fingerprint = 9,
                                          .limits = limits,
                                          .nlimits = COUNT_OF(limits),
                                          .at_us = 5000};
    struct call *call = call_new(&plain, CALL_CHARGE, &request);

    (void)state;
    assert_int_equal(call->nsubjects, 2);
    assert_int_equal(call->at_ms, 5);
    assert_string_equal(call->message, "h/1");
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        const struct call_limit *limit = &call->limits[i];

        if (strcmp(limit->subject, want[i].subject) != 0 || limit->index != want[i].index ||
            strcmp(limit->field, want[i].field) != 0 || limit->amount != want[i].amount ||
            limit->first != want[i].first || limit->same_field != want[i].same_field)
            fail_msg("limit %zu: %s %s index %zu amount %lld", i, limit->subject, limit->field,
                     limit->index, (long long)limit->amount);
    }
    assert_int_equal(call->limits[2].tag, call->limits[3].tag);
    assert_int_not_equal(call->limits[0].tag, call->limits[5].tag);
    assert_int_equal(call->limits[5].near, 0);
    call_release(call);
}

static void test_addresses(void **state)
{
    static const struct {
        const char *url, *text; /* NULL: refused */
        int database;
    } rows[] = {
        {"unix:/run/redis.sock", "unix:/run/redis.sock", -1},
        {"unix:redis.sock", NULL, 0},
        {"redis://localhost", "redis://localhost:6379", -1},
        {"redis://localhost/", "redis://localhost:6379", -1},
        {"redis://db.example.com:7000/12", "redis://db.example.com:7000", 12},
        {"redis://[::1]:7000/0", "redis://[::1]:7000", 0},
        {"redis://[::1]", "redis://[::1]:6379", -1},
        {"redis://[::1", NULL, 0},
        {"redis://", NULL, 0},
        {"redis://:6379", NULL, 0},
        {"redis://h:0", NULL, 0},
        {"redis://h:65536", NULL, 0},
        {"redis://h:99999999999999999999", NULL, 0},
        {"redis://h:1x", NULL, 0},
        {"redis://h/x", NULL, 0},
        {"redis://h/1/", NULL, 0},
        {"redis://user:password@h", NULL, 0},
        {"rediss://h", "rediss://h:6379", -1},
        {"rediss://[::1]:7000/2", "rediss://[::1]:7000", 2},
        {"rediss://h,i", NULL, 0},
        {"redis://h,i", NULL, 0},
        {"redis://h?master=m", NULL, 0},
        {"sentinel://h/4?master=m", "redis://h:26379", 4},
        {"sentinel://h", NULL, 0},
        {"cluster://h:7000", "redis://h:7000", -1},
        {"cluster://h?master=m", NULL, 0},
        {"sentinel://,h?master=m", NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct redis_addresses addresses;
        char *problem = NULL;
        bool good = redis_addresses_parse(rows[i].url, false, &addresses, &problem);

        if (good != (rows[i].text != NULL))
            fail_msg("%s: %s", rows[i].url, good ? "taken" : problem);
        if (good) {
            assert_int_equal(addresses.count, 1);
            assert_string_equal(addresses.items[0].text, rows[i].text);
            assert_int_equal(addresses.database, rows[i].database);
            redis_addresses_free(&addresses);
        }
        free(problem);
    }
}

/* What is asked for besides the URL. */
static void test_tls_addresses(void **state)
{
    static const struct {
        const char *url, *text; /* NULL: refused */
    } rows[] = {
        {"redis://h", "rediss://h:6379"},
        {"rediss://h", "rediss://h:6379"},
        {"sentinel://h?master=m", "rediss://h:26379"},
        {"cluster://h", "rediss://h:6379"},
        {"", "rediss://127.0.0.1:6379"},
        {"unix:/run/redis.sock", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct redis_addresses addresses;
        char *problem = NULL;
        bool good = redis_addresses_parse(rows[i].url, true, &addresses, &problem);

        if (good != (rows[i].text != NULL))
            fail_msg("%s: %s", rows[i].url, good ? "taken" : problem);
        if (good) {
            assert_int_equal(addresses.count, 1);
            assert_true(addresses.tls);
            assert_string_equal(addresses.items[0].text, rows[i].text);
            redis_addresses_free(&addresses);
        }
        free(problem);
    }
}

static void test_usual_addresses(void **state)
{
    struct redis_addresses addresses;
    char *problem = NULL;

    (void)state;
    assert_true(redis_addresses_parse("", false, &addresses, &problem));
    assert_non_null(addresses.items[0].path);
    assert_string_equal(addresses.items[addresses.count - 1].text, "redis://127.0.0.1:6379");
    redis_addresses_free(&addresses);
}

/* The vector of Redis' cluster specification, and what redis-cli says. */
static void test_slots(void **state)
{
    (void)state;
    assert_int_equal(slot_of("123456789", 9), 0x31c3);
    assert_int_equal(slot_of("foo", 3), 12182);
    assert_int_equal(slot_of("", 0), 0);
}

static void test_redirects(void **state)
{
    (void)state;
    assert_true(redis_trouble_is_redirect("MOVED 3999 127.0.0.1:6381"));
    assert_true(redis_trouble_is_redirect("ASK 3999 127.0.0.1:6381"));
    assert_true(redis_trouble_is_redirect("TRYAGAIN Multiple keys request during rehashing"));
    assert_false(redis_trouble_is_redirect("ASKING"));
    assert_false(redis_trouble_is_redirect("CLUSTERDOWN The cluster is down"));
    assert_true(redis_trouble_is_general("CLUSTERDOWN The cluster is down"));
}

static void test_troubles(void **state)
{
    static const struct {
        const char *error, *says;
        bool general;
    } rows[] = {
        {"OOM command not allowed when used memory > 'maxmemory'.", "raise maxmemory", true},
        {"READONLY You can't write against a read only replica.", "primary", true},
        {"WRONGPASS invalid username-password pair", "store-password-file", true},
        {"NOPERM this user has no permissions", "ACL SETUSER", true},
        {"ERR user_script:37: bad argument", "user_script:37", false},
        {"ERR Error running script (call to f_38c4f457): @user_script:54: @user_script: 54: -OOM "
         "command not allowed when used memory > 'maxmemory'.",
         "raise maxmemory", true},
        {"ERR Error running script (call to f_38c4f457): @user_script:37: bad", "user_script:37",
         false},
        {"WRONGTYPE Operation against a key", "WRONGTYPE", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        char *text = redis_trouble(rows[i].error);

        if (strstr(text, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].error, text);
        assert_int_equal(redis_trouble_is_general(rows[i].error), rows[i].general);
        free(text);
    }
    assert_true(redis_trouble_is_no_script("NOSCRIPT No matching script."));
    assert_false(redis_trouble_is_general("NOSCRIPT No matching script."));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subjects),        cmocka_unit_test(test_long_subjects),
        cmocka_unit_test(test_hidden_subjects), cmocka_unit_test(test_order_of_limits),
        cmocka_unit_test(test_addresses),       cmocka_unit_test(test_tls_addresses),
        cmocka_unit_test(test_usual_addresses), cmocka_unit_test(test_slots),
        cmocka_unit_test(test_redirects),       cmocka_unit_test(test_troubles),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
