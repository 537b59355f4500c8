/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/map.h"

#include "lib/base/count.h"
#include "lib/base/hash.h"
#include "lib/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The map never writes to a value. */
static void *put_n(struct map *map, const char *key, size_t key_length, const char *value)
{
    return map_put(map, key, key_length, (void *)(uintptr_t)value);
}

static void *put(struct map *map, const char *key, const char *value)
{
    return put_n(map, key, strlen(key), value);
}

static void show(const void *key, size_t key_length, void *value, void *context)
{
    text_add(context, key, key_length);
    text_print(context, "=%s ", (const char *)value);
}

static void assert_order(struct map *map, const char *want)
{
    struct text text = TEXT_EMPTY;

    map_each(map, show, &text);
    assert_string_equal(text_string(&text), want);
    text_free(&text);
}

static void test_put_get_remove(void **state)
{
    struct map *map = map_new();

    (void)state;
    assert_null(map_get(map, "a", 1));
    assert_null(put(map, "a", "1"));
    assert_null(put(map, "b", "2"));
    assert_string_equal(map_get(map, "a", 1), "1");
    assert_string_equal(put(map, "a", "3"), "1");
    assert_string_equal(map_peek(map, "a", 1), "3");
    assert_int_equal(map_count(map), 2);
    assert_string_equal(map_remove(map, "a", 1), "3");
    assert_null(map_remove(map, "a", 1));
    assert_null(map_peek(map, "a", 1));
    assert_int_equal(map_count(map), 1);
    map_free(&map, NULL);
    assert_null(map);
    map_free(&map, NULL);
}

static void test_keys_are_bytes(void **state)
{
    struct map *map = map_new();

    (void)state;
    put_n(map, "a\0b", 3, "1");
    put_n(map, "a\0c", 3, "2");
    put_n(map, "a", 1, "3");
    put_n(map, NULL, 0, "4");
    assert_int_equal(map_count(map), 4);
    assert_string_equal(map_get(map, "a\0b", 3), "1");
    assert_string_equal(map_get(map, "a\0c", 3), "2");
    assert_string_equal(map_get(map, "a", 1), "3");
    assert_string_equal(map_get(map, "", 0), "4");
    map_free(&map, NULL);
}

static void test_order_of_use(void **state)
{
    struct map *map = map_new();
    const void *key = NULL;
    size_t key_length = 0;

    (void)state;
    assert_null(map_oldest(map, &key, &key_length));
    put(map, "a", "1");
    put(map, "b", "2");
    put(map, "c", "3");
    put(map, "d", "4");
    assert_order(map, "a=1 b=2 c=3 d=4 ");
    assert_non_null(map_get(map, "b", 1));
    assert_order(map, "a=1 c=3 d=4 b=2 ");
    assert_non_null(map_peek(map, "a", 1));
    assert_string_equal(map_oldest(map, &key, &key_length), "1");
    assert_int_equal(key_length, 1);
    assert_memory_equal(key, "a", 1);
    put(map, "a", "5");
    assert_order(map, "c=3 d=4 b=2 a=5 ");
    assert_non_null(map_get(map, "a", 1));
    assert_order(map, "c=3 d=4 b=2 a=5 ");
    map_remove(map, "d", 1);
    assert_order(map, "c=3 b=2 a=5 ");
    map_remove(map, "c", 1);
    map_remove(map, "a", 1);
    assert_order(map, "b=2 ");
    assert_string_equal(map_oldest(map, NULL, NULL), "2");
    map_remove(map, "b", 1);
    assert_order(map, "");
    put(map, "e", "6");
    assert_order(map, "e=6 ");
    map_free(&map, NULL);
}

struct removing {
    struct map *map;
    int seen;
};

static void remove_even(const void *key, size_t key_length, void *value, void *context)
{
    struct removing *removing = context;

    removing->seen++;
    if (*(int *)value % 2 == 0)
        free(map_remove(removing->map, key, key_length));
}

/* Enough entries for the table to grow many times, and the visitor removes while it walks. */
static void test_many(void **state)
{
    enum { MANY = 10000 };
    struct map *map = map_new();
    struct removing removing = {map, 0};
    char key[32];

    (void)state;
    for (int i = 0; i < MANY; i++) {
        int *value = malloc(sizeof(*value));

        *value = i;
        (void)snprintf(key, sizeof(key), "user%d@example.com", i);
        assert_null(map_put(map, key, strlen(key), value));
    }
    map_each(map, remove_even, &removing);
    assert_int_equal(removing.seen, MANY);
    assert_int_equal(map_count(map), MANY / 2);
    for (int i = 0; i < MANY; i++) {
        const int *value;

        (void)snprintf(key, sizeof(key), "user%d@example.com", i);
        value = map_get(map, key, strlen(key));
        assert_int_equal(value != NULL, i % 2);
        if (value != NULL)
            assert_int_equal(*value, i);
    }
    map_free(&map, free);
}

/* The vectors that SipHash's authors publish: key 00 01 ... 0f, input 00 01 ... */
static void test_siphash(void **state)
{
    static const struct {
        size_t length;
        uint64_t want;
    } cases[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},
        {1, UINT64_C(0x74f839c593dc67fd)},
        {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)},
    };
    uint8_t key[HASH_KEY_SIZE];
    uint8_t input[16];

    (void)state;
    for (uint8_t i = 0; i < 16; i++)
        key[i] = input[i] = i;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (hash_keyed(key, input, cases[i].length) != cases[i].want)
            fail_msg("%zu octets: wrong", cases[i].length);
    assert_true(hash_table("a", 1) == hash_table("a", 1));
    assert_true(hash_table("a", 1) != hash_table("b", 1));
}

static void test_fnv(void **state)
{
    static const struct {
        const char *input;
        uint64_t want;
    } cases[] = {
        {"", UINT64_C(0xcbf29ce484222325)},
        {"a", UINT64_C(0xaf63dc4c8601ec8c)},
        {"foobar", UINT64_C(0x85944171f73967e8)},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (hash_stable(cases[i].input, strlen(cases[i].input)) != cases[i].want)
            fail_msg("\"%s\": wrong", cases[i].input);
    assert_true(hash_stable_more(hash_stable("foo", 3), "bar", 3) == cases[2].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_get_remove), cmocka_unit_test(test_keys_are_bytes),
        cmocka_unit_test(test_order_of_use),   cmocka_unit_test(test_many),
        cmocka_unit_test(test_siphash),        cmocka_unit_test(test_fnv),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
