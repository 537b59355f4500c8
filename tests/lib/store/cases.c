/* SPDX-License-Identifier: BSD-2-Clause */
/* What every backend has to do. */
#include "tests/lib/store/cases.h"

#include "lib/base/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND CASE_SECOND
#define HOUR (3600 * SECOND)
#define DAY (24 * HOUR)
#define START CASE_START

struct store_limit case_messages(const char *subject, int64_t max)
{
    return (struct store_limit){.subject = subject,
                                .count = 'm',
                                .window_sec = 60,
                                .amount = 1,
                                .max = max,
                                .enforce = true};
}

struct store_request case_request(const struct store_limit *limits, size_t nlimits,
                                  const char *identity, int64_t at_us)
{
    return (struct store_request){.identity = identity,
                                  .fingerprint = 1,
                                  .limits = limits,
                                  .nlimits = nlimits,
                                  .at_us = at_us};
}

static void charges_and_looks(struct ask *ask)
{
    struct store_limit limits[] = {case_messages("charges_and_looks", 2),
                                   {.subject = "charges_and_looks:b",
                                    .count = 'b',
                                    .window_sec = 86400,
                                    .amount = INT64_C(1) << 40,
                                    .max = INT64_C(1) << 42,
                                    .enforce = true}};
    struct store_request request = case_request(limits, 2, "", START);

    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 0);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->answer.known);
    assert_int_equal(ask->limits[0].used, 1);
    assert_int_equal(ask->limits[1].used, INT64_C(1) << 40);
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 1);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 2);
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[0].used, 2);
    assert_true(ask->limits[0].over);
    assert_false(ask->limits[1].over);
    assert_int_equal(ask->limits[1].used, INT64_C(1) << 41);
}

static void all_or_none(struct ask *ask)
{
    struct store_limit limits[] = {case_messages("all_or_none:a", 5),
                                   case_messages("all_or_none:b", 1),
                                   case_messages("all_or_none:c", 5)};
    struct store_request request = case_request(limits, 3, "", START);

    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[0].used, 1);
    assert_int_equal(ask->limits[1].used, 1);
    assert_int_equal(ask->limits[2].used, 1);
    assert_false(ask->limits[0].over);
    assert_true(ask->limits[1].over);
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[0].used, 1);
}

static void over_but_not_enforced(struct ask *ask)
{
    struct store_limit limit = case_messages("over_but_not_enforced", 1);
    struct store_request request = case_request(&limit, 1, "", START);

    limit.enforce = false;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->limits[0].over);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->limits[0].over);
    assert_int_equal(ask->limits[0].used, 2);
    assert_int_equal(ask->limits[0].retry_after_us, 61 * SECOND);
}

static void more_than_the_maximum(struct ask *ask)
{
    struct store_limit limit = case_messages("more_than_the_maximum", 3);
    struct store_request request = case_request(&limit, 1, "", START);

    limit.amount = 4;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[0].used, 0);
    assert_int_equal(ask->limits[0].retry_after_us, -1);
    limit.amount = 3;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
}

/* The time that is named is the first at which it fits. */
static void fits_when_it_says(struct ask *ask)
{
    static const int64_t windows[] = {1, 7, 60, 3600, 86400, 2678400};
    char subject[64];

    for (size_t i = 0; i < COUNT_OF(windows); i++) {
        struct store_limit limit = case_messages(subject, 10);
        struct store_request request = case_request(&limit, 1, "", START + 123457);
        int64_t retry_us;

        (void)snprintf(subject, sizeof(subject), "fits_when_it_says:%d", (int)i);
        limit.window_sec = windows[i];
        limit.amount = 4;
        assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
        request.at_us += windows[i] * SECOND / 2;
        assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
        assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_OVER);
        retry_us = ask->limits[0].retry_after_us;
        assert_in_range(retry_us, 1, windows[i] * SECOND * 32 / 60);
        request.at_us += retry_us - 1000;
        assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_OVER);
        request.at_us += 1000;
        assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
        assert_int_equal(ask->limits[0].used, 4);
    }
}

static void edges_of_slices(struct ask *ask)
{
    struct store_limit limit = case_messages("edges_of_slices", 1);
    struct store_request request = case_request(&limit, 1, "", START + SECOND - 1000);

    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    /* Counted while its slice is among the 61, whose oldest began 60 s ago at the latest. */
    request.at_us = START + 61 * SECOND - 1000;
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[0].retry_after_us, 1000);
    request.at_us = START + 61 * SECOND;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    request.at_us += 60 * SECOND;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
}

static void identity_charges_once(struct ask *ask)
{
    struct store_limit limits[] = {case_messages("identity_charges_once", 1),
                                   case_messages("identity_charges_once", 0)};
    struct store_request request = case_request(limits, 2, "host/once", START);

    limits[1].window_sec = 3600;
    limits[1].enforce = false;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->answer.known);
    assert_true(ask->limits[1].over);
    request.at_us += SECOND;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->answer.known);
    assert_int_equal(ask->limits[0].used, 1);
    assert_false(ask->limits[0].over);
    assert_true(ask->limits[1].over);
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->answer.known);
    request.identity = "host/other";
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_false(ask->answer.known);
}

/* It was not over when it was charged: what others use afterwards does not make it so. */
static void first_answer_stands(struct ask *ask)
{
    struct store_limit limit = case_messages("first_answer_stands", 1);
    struct store_request request = case_request(&limit, 1, "host/first", START);

    limit.enforce = false;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    request.identity = "host/second";
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->limits[0].over);
    request.identity = "host/first";
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->limits[0].over);
    assert_int_equal(ask->limits[0].used, 2);
}

static void recipients_added(struct ask *ask)
{
    struct store_limit limits[] = {case_messages("recipients_added", 10),
                                   case_messages("recipients_added", 10)};
    struct store_request request = case_request(limits, 2, "host/added", START);

    limits[1].count = 'r';
    limits[1].amount = 4;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    limits[1].amount = 7;
    request.at_us += 5 * SECOND;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->answer.known);
    assert_int_equal(ask->limits[0].used, 1);
    assert_int_equal(ask->limits[1].used, 7);
    /* Fewer than before: nothing is charged, and nothing given back. */
    limits[1].amount = 2;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[1].used, 7);
    /* Too many: what is added is refused, the charge from before stays. */
    limits[1].amount = 11;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_true(ask->answer.known);
    assert_int_equal(ask->limits[1].used, 7);
    /* Each part is given back in its own slice. */
    request.at_us = START + 61 * SECOND;
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[1].used, 3);
    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[1].used, 0);
}

static void queue_id_used_again(struct ask *ask)
{
    struct store_limit limit = case_messages("queue_id_used_again", 3);
    struct store_request request = case_request(&limit, 1, "host/again", START);

    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    request.fingerprint = 2;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->answer.known);
    assert_int_equal(ask->limits[0].used, 2);
    /* What the other message was charged is not this one's to give back. */
    request.fingerprint = 1;
    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->answer.known);
    assert_int_equal(ask->limits[0].used, 2);
    request.fingerprint = 2;
    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 1);
}

static void near_once_a_window(struct ask *ask)
{
    static const bool want[] = {false, false, true, false, false};
    struct store_limit limits[] = {case_messages("near_once_a_window", 6),
                                   case_messages("near_once_a_window", 100)};
    struct store_request request = case_request(limits, 2, "", START);

    limits[0].near = 3;
    limits[1].near = 4; /* another maximum of the same use */
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
        assert_false(ask->limits[0].near);
        assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
        assert_int_equal(ask->limits[0].used, i + 1);
        assert_int_equal(ask->limits[0].near, want[i]);
        assert_int_equal(ask->limits[1].near, i == 3);
    }
    request.at_us += 62 * SECOND;
    limits[0].amount = limits[1].amount = 3;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->limits[0].near);
    assert_false(ask->limits[1].near);
}

/* A refused charge does not use the one time up. */
static void near_not_when_refused(struct ask *ask)
{
    struct store_limit limits[] = {case_messages("near_not_when_refused:a", 10),
                                   case_messages("near_not_when_refused:b", 0)};
    struct store_request request = case_request(limits, 2, "", START);

    limits[0].near = 1;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_false(ask->limits[0].near);
    request.nlimits = 1;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->limits[0].near);
}

static void gives_back(struct ask *ask)
{
    struct store_limit limits[] = {case_messages("gives_back:a", 2),
                                   case_messages("gives_back:b", 2)};
    struct store_request request = case_request(limits, 2, "host/back", START);
    struct store_request other = case_request(limits, 2, "host/stays", START);

    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->answer.known);
    assert_int_equal(ask_charge(ask, &other), STORE_OUTCOME_DONE);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    request.at_us += 10 * SECOND;
    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->answer.known);
    assert_int_equal(ask->limits[0].used, 1);
    assert_int_equal(ask->limits[1].used, 1);
    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->answer.known);
    assert_int_equal(ask->limits[1].used, 1);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->answer.known);
    assert_int_equal(ask->limits[0].used, 2);
}

/* What was charged long ago has left the window: giving it back must not take from others. */
static void gives_back_late(struct ask *ask)
{
    struct store_limit limit = case_messages("gives_back_late", 5);
    struct store_request request = case_request(&limit, 1, "host/late", START);
    struct store_request other = case_request(&limit, 1, "", START + 70 * SECOND);

    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask_charge(ask, &other), STORE_OUTCOME_DONE);
    request.at_us = other.at_us;
    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 1);
}

static void clock_goes_back(struct ask *ask)
{
    struct store_limit limit = case_messages("clock_goes_back", 2);
    struct store_request request = case_request(&limit, 1, "", START);

    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    request.at_us -= 30 * SECOND;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 2);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    /* The second counts as made at the time of the first. */
    request.at_us = START + 60 * SECOND;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[0].used, 2);
}

/* A clock that was wrong by years, once, must not lock a user out for years, nor let more through.
 */
static void clock_was_far_ahead(struct ask *ask)
{
    struct store_limit limit = case_messages("clock_was_far_ahead", 2);
    struct store_request request = case_request(&limit, 1, "", START + 400 * DAY);

    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    request.at_us = START;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[0].used, 2);
    assert_int_equal(ask->limits[0].retry_after_us, 61 * SECOND);
    request.at_us += 61 * SECOND;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 1);
}

static void resets(struct ask *ask)
{
    struct store_limit limits[] = {case_messages("resets:{a}", 1), case_messages("resets:b", 1)};
    struct store_request request = case_request(limits, 2, "", START);

    assert_int_equal(ask_reset(ask, "resets:{a}"), STORE_OUTCOME_DONE);
    assert_false(ask->answer.known);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask_reset(ask, "resets:{a}"), STORE_OUTCOME_DONE);
    assert_true(ask->answer.known);
    assert_int_equal(ask->answer.nlimits, 0);
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[0].used, 0);
    assert_int_equal(ask->limits[1].used, 1);
}

/* Two limits may have the same subject, count and window: one use, two maxima. */
static void limits_share_their_use(struct ask *ask)
{
    struct store_limit limits[] = {case_messages("limits_share_their_use", 3),
                                   case_messages("limits_share_their_use:b", 9),
                                   case_messages("limits_share_their_use", 1)};
    struct store_request request = case_request(limits, 3, "host/share", START);

    limits[2].enforce = false;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 1);
    assert_int_equal(ask->limits[2].used, 1);
    assert_false(ask->limits[2].over);
    request.identity = "host/share2";
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 2);
    assert_false(ask->limits[0].over);
    assert_int_equal(ask->limits[2].used, 2);
    assert_true(ask->limits[2].over);
    /* The second to ask hears the same of each. */
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask->limits[0].over);
    assert_true(ask->limits[2].over);
    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 1);
    assert_int_equal(ask->limits[2].used, 1);
}

static void nothing_to_charge(struct ask *ask)
{
    struct store_limit limit = case_messages("nothing_to_charge", 1);
    struct store_request request = case_request(&limit, 1, "host/nothing", START);

    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    request.identity = "host/nothing2";
    limit.amount = 0;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[0].used, 1);
    assert_false(ask->limits[0].over);
    request.nlimits = 0;
    request.identity = "host/nothing3";
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
}

static void strange_subjects(struct ask *ask)
{
    static char longest[3000];
    const char *const subjects[] = {
        "strange_subjects:{a",
        "strange_subjects:}a",
        "strange_subjects:%7Ba",
        "strange_subjects:a b",
        "strange_subjects:\xff",
        "strange_subjects:\r\n$5\r\n",
        "strange_subjects",
        longest,
        longest + 1,
    };
    size_t count = COUNT_OF(subjects);
    struct store_limit limits[ASK_LIMITS_MAX];
    struct store_request request = case_request(limits, count, "h{o}st/\r\n%7B}{", START);

    memset(longest, 'x', sizeof(longest) - 1);
    for (size_t i = 0; i < count; i++) {
        limits[i] = case_messages(subjects[i], 10);
        limits[i].amount = (int64_t)i + 1;
    }
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(ask->limits[i].used, i + 1);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->answer.known);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

const struct contract_case contract_cases[] = {
    CASE(charges_and_looks),
    CASE(all_or_none),
    CASE(over_but_not_enforced),
    CASE(more_than_the_maximum),
    CASE(fits_when_it_says),
    CASE(edges_of_slices),
    CASE(identity_charges_once),
    CASE(first_answer_stands),
    CASE(recipients_added),
    CASE(queue_id_used_again),
    CASE(near_once_a_window),
    CASE(near_not_when_refused),
    CASE(gives_back),
    CASE(gives_back_late),
    CASE(clock_goes_back),
    CASE(clock_was_far_ahead),
    CASE(resets),
    CASE(limits_share_their_use),
    CASE(nothing_to_charge),
    CASE(strange_subjects),
};

const size_t contract_case_count = COUNT_OF(contract_cases);
