/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "lib/store/window.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* A window from its newest slice on backwards; the counts end with -1. */
static struct window window_of(int64_t newest, const int64_t *counts)
{
    struct window window = {.newest = newest};

    for (size_t k = 0; counts[k] >= 0; k++) {
        window.counts[k] = counts[k];
        window.total += counts[k];
    }
    return window;
}

static void test_slices(void **state)
{
    static const struct {
        const char *name;
        int64_t window_sec, at_ms, slice;
    } rows[] = {
        {"start", 60, 0, 0},
        {"within the first", 60, 999, 0},
        {"second", 60, 1000, 1},
        {"a slice of 16 2/3 ms", 1, 16, 0},
        {"its end", 1, 17, 1},
        {"its third", 1, 50, 3},
        {"a day", 86400, INT64_C(1800000000000), 1250000},
        {"before its end", 86400, INT64_C(1800000000000) - 1, 1249999},
        {"longest", WINDOW_SEC_MAX, INT64_C(4000000000000), 55},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (window_slice(rows[i].window_sec, rows[i].at_ms) != rows[i].slice)
            fail_msg("%s: %lld", rows[i].name,
                     (long long)window_slice(rows[i].window_sec, rows[i].at_ms));
}

/* What all rests on: a window ago is exactly 60 slices ago, to the millisecond. */
static void test_a_window_is_60_slices(void **state)
{
    (void)state;
    for (int64_t window_sec = 1; window_sec < 5000000; window_sec += 1 + window_sec / 7)
        for (int64_t at_ms = INT64_C(1799999999000); at_ms < INT64_C(1800000001000); at_ms += 13) {
            int64_t slice = window_slice(window_sec, at_ms);
            int64_t forgotten = window_slice_forgotten_ms(window_sec, slice);

            assert_int_equal(window_slice(window_sec, at_ms - window_sec * 1000), slice - 60);
            assert_int_equal(window_slice(window_sec, forgotten), slice + 61);
            assert_int_equal(window_slice(window_sec, forgotten - 1), slice + 60);
            /* Early by a slice at most. */
            assert_true(forgotten - at_ms <= window_sec * 1000 + (window_sec * 50 + 2) / 3);
        }
}

static void test_pack(void **state)
{
    static const int64_t none[] = {-1};
    static const int64_t one[] = {1, -1};
    static const int64_t sizes[] = {7, 1, 2, 255, 256, 0, 0, 0xffffff, 0x1000000, 1, -1};
    static const int64_t gaps[] = {
        1, [1 ... 29] = 0, [30] = 1, [31 ... 59] = 0, [60] = WINDOW_COUNT_MAX - 2, [61] = -1};
    static const struct {
        const char *name;
        const int64_t *counts;
        size_t length;
    } rows[] = {
        {"none", none, 18},
        {"one", one, 18},
        {"sizes", sizes, 18 + 1 + 2 + 2 + 4 + 4 + 7 + 1},
        {"gaps", gaps, 18 + 7 + 1},
    };
    uint8_t bytes[WINDOW_PACKED_MAX];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct window window = window_of(12345678, rows[i].counts);
        struct window again;
        size_t length = window_pack(&window, bytes);

        if (length != rows[i].length)
            fail_msg("%s: %zu octets", rows[i].name, length);
        assert_true(window_unpack(bytes, length, &again));
        assert_int_equal(again.total, window.total);
        if (window.total > 0)
            assert_memory_equal(&again, &window, sizeof(window));
    }
}

/* The newest slice that is used is the newest one that is kept. */
static void test_pack_leaves_out_what_is_empty(void **state)
{
    static const int64_t counts[] = {0, 0, 5, 0, 3, 0, -1};
    struct window window = window_of(100, counts);
    uint8_t bytes[WINDOW_PACKED_MAX];

    (void)state;
    assert_int_equal(window_pack(&window, bytes), 20);
    assert_true(window_unpack(bytes, 20, &window));
    assert_int_equal(window.newest, 98);
    assert_int_equal(window.counts[0], 5);
    assert_int_equal(window.counts[2], 3);
}

static void test_unpack_of_anything(void **state)
{
    static const int64_t counts[] = {1, 2, 0, 300, 70000, -1};
    struct window window = window_of(100, counts);
    struct window other;
    uint8_t bytes[WINDOW_PACKED_MAX + 8] = {0};
    size_t length = window_pack(&window, bytes);

    (void)state;
    assert_false(window_unpack(NULL, 0, &other));
    assert_int_equal(other.total, 0);
    for (size_t i = 0; i < length; i++)
        assert_false(window_unpack(bytes, i, &other));
    assert_false(window_unpack(bytes, length + 1, &other));
    srand(1);
    for (int i = 0; i < 200000; i++) {
        uint8_t changed[WINDOW_PACKED_MAX];

        memcpy(changed, bytes, length);
        changed[rand() % (int)length] = (uint8_t)rand();
        changed[rand() % (int)length] = (uint8_t)rand();
        if (!window_unpack(changed, length, &other))
            assert_int_equal(other.total, 0);
    }
}

static void test_advance(void **state)
{
    static const int64_t counts[] = {4, 3, 0, 2, [4 ... 58] = 0, [59] = 1, [60] = 9, [61] = -1};
    static const struct {
        const char *name;
        int64_t slice, newest, total, first;
    } rows[] = {
        {"the same", 1000, 1000, 19, 4},
        {"one on: the oldest goes", 1001, 1001, 10, 0},
        {"two on", 1002, 1002, 9, 0},
        {"58 on", 1058, 1058, 7, 0},
        {"60 on: the newest is the oldest", 1060, 1060, 4, 0},
        {"61 on", 1061, 1061, 0, 0},
        {"far on", 900000, 900000, 0, 0},
        {"back: not followed", 999, 1000, 19, 4},
        {"back by a window: not followed", 940, 1000, 19, 4},
        {"back by more: it was wrong before", 939, 939, 19, 19},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct window window = window_of(1000, counts);

        window_advance(&window, rows[i].slice);
        if (window.newest != rows[i].newest || window.total != rows[i].total ||
            window.counts[0] != rows[i].first)
            fail_msg("%s: newest %lld total %lld first %lld", rows[i].name,
                     (long long)window.newest, (long long)window.total,
                     (long long)window.counts[0]);
    }
}

static void test_add_and_take(void **state)
{
    static const int64_t counts[] = {4, 3, -1};
    struct window window = window_of(1000, counts);

    (void)state;
    window_add(&window, 1000, 1);
    window_add(&window, 1002, 1); /* newer than the newest */
    window_add(&window, 940, 7);
    window_add(&window, 939, 100); /* too old */
    assert_int_equal(window.counts[0], 6);
    assert_int_equal(window.counts[60], 7);
    assert_int_equal(window.total, 16);
    window_take(&window, 999, 100); /* more than there is */
    window_take(&window, 998, 1);
    window_take(&window, 939, 1);
    window_take(&window, 1000, 2);
    assert_int_equal(window.total, 11);
    window_add(&window, 1000, WINDOW_COUNT_MAX);
    assert_int_equal(window.total, WINDOW_COUNT_MAX);
}

static void test_settle(void **state)
{
    static const int64_t counts[] = {4, 3, 2, -1};
    struct window window = window_of(1000, counts);

    (void)state;
    window_settle(&window, 12);
    assert_int_equal(window.counts[0], 7);
    window_settle(&window, 9);
    assert_int_equal(window.counts[2], 0);
    assert_int_equal(window.counts[1], 2);
    assert_int_equal(window.total, 9);
    window_settle(&window, 0);
    assert_int_equal(window.total, 0);
    assert_int_equal(window.counts[0], 0);
}

static void test_frees(void **state)
{
    static const int64_t counts[] = {4, 3, 0, 2, -1};
    struct window window = window_of(1000, counts);

    (void)state;
    assert_int_equal(window_frees(&window, 1), 997);
    assert_int_equal(window_frees(&window, 2), 997);
    assert_int_equal(window_frees(&window, 3), 999);
    assert_int_equal(window_frees(&window, 5), 999);
    assert_int_equal(window_frees(&window, 6), 1000);
    assert_int_equal(window_frees(&window, 9), 1000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slices),
        cmocka_unit_test(test_a_window_is_60_slices),
        cmocka_unit_test(test_pack),
        cmocka_unit_test(test_pack_leaves_out_what_is_empty),
        cmocka_unit_test(test_unpack_of_anything),
        cmocka_unit_test(test_advance),
        cmocka_unit_test(test_add_and_take),
        cmocka_unit_test(test_settle),
        cmocka_unit_test(test_frees),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
