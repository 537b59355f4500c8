/* SPDX-License-Identifier: BSD-2-Clause */
/* What every backend has to do about limits that count what is different. */
#include "lib/base/count.h"
#include "tests/lib/store/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define SECOND CASE_SECOND
#define START CASE_START

#define MEMBERS 400

/* As even as a hash is (SplitMix64). */
static uint64_t mixed(uint64_t number)
{
    number = (number + 1) * UINT64_C(0x9e3779b97f4a7c15);
    number = (number ^ number >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    number = (number ^ number >> 27) * UINT64_C(0x94d049bb133111eb);
    return number ^ number >> 31;
}

/* One message to so many, the first of them being first. */
static struct store_limit members(const char *subject, uint64_t *hashes, size_t first, size_t count,
                                  int64_t max)
{
    for (size_t i = 0; i < count; i++)
        hashes[i] = mixed(first + i);
    return (struct store_limit){.subject = subject,
                                .count = STORE_DISTINCT,
                                .window_sec = 3600,
                                .amount = (int64_t)count,
                                .max = max,
                                .enforce = true,
                                .members = hashes,
                                .nmembers = count};
}

static void assert_about(int64_t used, int64_t want)
{
    assert_in_range(used, want - want / 20 - 1, want + want / 20 + 1);
}

/* Who was written to before costs nothing; the window slides. */
static void counts_what_is_different(struct ask *ask)
{
    static const char subject[] = "counts_what_is_different";
    uint64_t hashes[MEMBERS];
    struct store_limit limit = members(subject, hashes, 0, 300, 340);
    struct store_request request = case_request(&limit, 1, "", START);
    int64_t used;

    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 0);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    used = ask->limits[0].used;
    assert_about(used, 300);
    request.at_us = START + 1800 * SECOND;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, used);
    /* 100 others are too many, and not counted; 20 are not. */
    limit = members(subject, hashes, 300, 100, 340);
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[0].used, used);
    assert_int_equal(ask->limits[0].retry_after_us, 3660 * SECOND);
    limit = members(subject, hashes, 300, 20, 340);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_about(ask->limits[0].used, 320);
    /* The first were written to again half an hour after the first time, so they count still. */
    limit = members(subject, hashes, 0, 1, 340);
    request.at_us = START + 3700 * SECOND;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_about(ask->limits[0].used, 320);
    request.at_us = START + 5700 * SECOND;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 1);
}

static void different_once_a_message(struct ask *ask)
{
    static const char subject[] = "different_once_a_message";
    uint64_t hashes[MEMBERS];
    struct store_limit limits[] = {members(subject, hashes, 0, 2, 3), case_messages(subject, 5)};
    struct store_request request = case_request(limits, 2, "h/different", START);

    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 2);
    assert_int_equal(ask->limits[1].used, 1);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->answer.known);
    /* One more recipient, and two more. */
    limits[0] = members(subject, hashes, 0, 3, 3);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 3);
    assert_int_equal(ask->limits[1].used, 1);
    limits[0] = members(subject, hashes, 0, 5, 3);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[0].used, 3);
    /* What is given back was written to all the same; charged anew it costs nothing more. */
    limits[0] = members(subject, hashes, 0, 3, 3);
    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 3);
    assert_int_equal(ask->limits[1].used, 0);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->answer.known);
    assert_int_equal(ask->limits[0].used, 3);
    assert_int_equal(ask->limits[1].used, 1);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

const struct contract_case distinct_cases[] = {
    CASE(counts_what_is_different),
    CASE(different_once_a_message),
};

const size_t distinct_case_count = COUNT_OF(distinct_cases);
