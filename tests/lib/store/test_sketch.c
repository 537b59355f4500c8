/* SPDX-License-Identifier: BSD-2-Clause */
/* How good the estimates are, and that a window of them slides. */
#include "lib/base/count.h"
#include "lib/store/sketch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define SLICE 1000000

/* As even as a hash is (SplitMix64). */
static uint16_t code(uint64_t number)
{
    number = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return sketch_code(number ^ number >> 31);
}

static void add(struct sketch *sketch, uint64_t first, uint64_t count, int64_t slice)
{
    for (uint64_t i = 0; i < count; i++) {
        uint16_t one = code(first + i);

        sketch_add(sketch, &one, 1, slice);
    }
}

/* Packed and read back, as it is in another slice. */
static struct sketch *again(struct sketch *sketch, int64_t current)
{
    size_t length;
    uint8_t *bytes = sketch_pack(sketch, &length);
    struct sketch *other = sketch_new(bytes, length, current);

    sketch_free(&sketch);
    free(bytes);
    return other;
}

static void test_estimates(void **state)
{
    static const int64_t counts[] = {0, 1, 2, 5, 10, 100, 1000, 3000, 6000, 10000, 100000};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(counts); i++) {
        struct sketch *sketch = sketch_new(NULL, 0, SLICE);
        int64_t off;

        add(sketch, 0, (uint64_t)counts[i], SLICE);
        sketch = again(sketch, SLICE);
        off = llabs(sketch_estimate(sketch) - counts[i]);
        if (off * 1000 > counts[i] * 70) /* three times the standard error */
            fail_msg("%lld of %lld", (long long)sketch_estimate(sketch), (long long)counts[i]);
        add(sketch, 0, (uint64_t)counts[i], SLICE);
        assert_true(llabs(sketch_estimate(sketch) - counts[i]) == off);
        sketch_free(&sketch);
    }
}

static void test_slides(void **state)
{
    struct sketch *sketch = sketch_new(NULL, 0, SLICE);
    int64_t first;

    (void)state;
    add(sketch, 0, 100, SLICE);
    first = sketch_estimate(sketch);
    sketch = again(sketch, SLICE + 30);
    add(sketch, 0, 50, SLICE + 30);
    assert_int_equal(sketch_estimate(sketch), first);
    sketch = again(sketch, SLICE + 60);
    assert_int_equal(sketch_estimate(sketch), first);
    assert_int_equal(sketch_frees(sketch, 60), SLICE);
    assert_int_equal(sketch_frees(sketch, 10), SLICE + 30);
    sketch = again(sketch, SLICE + 61);
    assert_in_range(sketch_estimate(sketch), 47, 53);
    /* A clock that goes back lets nothing be forgotten, and nothing stay for ever. */
    sketch = again(sketch, SLICE + 10);
    assert_int_equal(sketch_newest(sketch), SLICE + 61);
    sketch = again(sketch, SLICE - 1000);
    assert_int_equal(sketch_newest(sketch), SLICE - 1000);
    assert_in_range(sketch_estimate(sketch), 47, 53);
    sketch = again(sketch, SLICE - 1000 + 61);
    assert_int_equal(sketch_estimate(sketch), 0);
    sketch_free(&sketch);
}

/* What is too old is not added; what is newer than now is now's. */
static void test_other_times(void **state)
{
    struct sketch *sketch = sketch_new(NULL, 0, SLICE);

    (void)state;
    add(sketch, 0, 5, SLICE - 61);
    assert_int_equal(sketch_estimate(sketch), 0);
    add(sketch, 0, 5, SLICE - 60);
    assert_int_equal(sketch_estimate(sketch), 5);
    sketch = again(sketch, SLICE + 1);
    assert_int_equal(sketch_estimate(sketch), 0);
    add(sketch, 0, 1, SLICE + 100);
    sketch = again(sketch, SLICE + 61);
    assert_int_equal(sketch_estimate(sketch), 1);
    sketch_free(&sketch);
}

static void test_any_octets(void **state)
{
    uint8_t bytes[512];
    uint64_t random = 1;

    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct sketch *sketch;
        size_t length;

        for (size_t at = 0; at < sizeof(bytes); at++) {
            random = random * UINT64_C(6364136223846793005) + 1442695040888963407;
            bytes[at] = (uint8_t)(random >> 56);
        }
        length = (size_t)(random >> 40) % sizeof(bytes);
        sketch = sketch_new(bytes, length, SLICE);
        add(sketch, 0, 3, SLICE);
        assert_true(sketch_estimate(sketch) >= 1);
        (void)sketch_frees(sketch, 0);
        sketch = again(sketch, SLICE);
        sketch_free(&sketch);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_estimates),
        cmocka_unit_test(test_slides),
        cmocka_unit_test(test_other_times),
        cmocka_unit_test(test_any_octets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
