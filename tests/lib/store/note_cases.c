/* SPDX-License-Identifier: BSD-2-Clause */
/* What every backend has to do about notes and marks. */
#include "lib/base/count.h"
#include "tests/lib/store/cases.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define START_SEC INT64_C(1800000000)
#define HOUR_SEC 3600
#define DAY_SEC 86400
#define WEEK_SEC (7 * DAY_SEC)

static struct store_note_change change_of(const char *subject, const struct store_pair *pairs,
                                          size_t npairs)
{
    return (struct store_note_change){
        .subject = subject, .kind = "flag", .pairs = pairs, .npairs = npairs};
}

static void sets_reads_removes(struct ask *ask)
{
    static const char subject[] = "sets_reads_removes:a{b}c@example.com";
    static const char *const wanted[] = {"until", "nothing", "by"};
    const struct store_pair pairs[] = {{"by", "root, \"quoted\""}, {"until", "17"}, {"why", ""}};
    const struct store_pair later[] = {{"until", "18"}};
    struct store_note_change change = change_of(subject, pairs, 3);
    struct store_wish wishes[] = {{subject, "flag", wanted, 3}, {subject, "seen", NULL, 0}};
    struct store_request request = {.identity = "", .wishes = wishes, .nwishes = 2};

    assert_string_equal(ask_note(ask, subject, "flag"), "");
    assert_int_equal(ask_set(ask, &change), STORE_OUTCOME_DONE);
    assert_string_equal(ask_note(ask, subject, "flag"), "by=root, \"quoted\";until=17;why=;");
    assert_string_equal(ask_note(ask, subject, "seen"), "");
    assert_string_equal(ask_note(ask, subject, ""), "");
    change = change_of(subject, later, 1);
    assert_int_equal(ask_set(ask, &change), STORE_OUTCOME_DONE);
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->answer.nnotes, 2);
    assert_string_equal(ask->notes[0], "by=root, \"quoted\";until=18;");
    assert_string_equal(ask->notes[1], "");
    assert_true(ask->answer.now_us > 0);
    assert_int_equal(ask_remove(ask, subject, "flag", "why"), STORE_OUTCOME_DONE);
    assert_true(ask->answer.known);
    assert_int_equal(ask_remove(ask, subject, "flag", "why"), STORE_OUTCOME_DONE);
    assert_false(ask->answer.known);
    change.replace = true;
    assert_int_equal(ask_set(ask, &change), STORE_OUTCOME_DONE);
    assert_string_equal(ask_note(ask, subject, "flag"), "until=18;");
    assert_int_equal(ask_remove(ask, subject, "flag", NULL), STORE_OUTCOME_DONE);
    assert_true(ask->answer.known);
    assert_string_equal(ask_note(ask, subject, "flag"), "");
}

static void notes_of_other_kinds(struct ask *ask)
{
    const struct store_pair pair = {"cause", "recipient.unknown"};
    struct store_note_change change = {
        .subject = "rcpt:notes@example.net", .kind = "", .pairs = &pair, .npairs = 1};

    assert_int_equal(ask_set(ask, &change), STORE_OUTCOME_DONE);
    assert_string_equal(ask_note(ask, "rcpt:notes@example.net", ""), "cause=recipient.unknown;");
    assert_int_equal(ask_reset(ask, "rcpt:notes@example.net"), STORE_OUTCOME_DONE);
    assert_string_equal(ask_note(ask, "rcpt:notes@example.net", ""), "cause=recipient.unknown;");
}

/* A note comes with the charge, in the same answer. */
static void comes_with_a_charge(struct ask *ask)
{
    static const char subject[] = "comes_with_a_charge";
    const struct store_pair pair = {"class", "bulk"};
    struct store_note_change change = change_of(subject, &pair, 1);
    struct store_wish wish = {subject, "flag", NULL, 0};
    struct store_limit limits[] = {{subject, 'm', 60, 1, 1, 0, true, NULL, 0},
                                   {"comes_with:b", 'r', 3600, 3, 100, 0, true, NULL, 0}};
    struct store_request request = {
        .identity = "h/comes", .limits = limits, .nlimits = 2, .wishes = &wish, .nwishes = 1};

    assert_int_equal(ask_set(ask, &change), STORE_OUTCOME_DONE);
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_int_equal(ask->limits[1].used, 3);
    assert_string_equal(ask->notes[0], "class=bulk;");
    request.identity = "h/comes2";
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_int_equal(ask->limits[1].used, 3);
    assert_string_equal(ask->notes[0], "class=bulk;");
    assert_int_equal(ask_give_back(ask, &request), STORE_OUTCOME_DONE);
}

static struct store_mark mark_of(const char *subject, const char *field)
{
    return (struct store_mark){.subject = subject,
                               .kind = "seen",
                               .field = field,
                               .amount = 1,
                               .keep_sec = 90 * DAY_SEC,
                               .fields_max = 3};
}

static const char *marks_at(struct ask *ask, const struct store_mark *marks, size_t nmarks,
                            int64_t at_sec)
{
    struct store_wish wish = {marks[0].subject, marks[0].kind, NULL, 0};
    struct store_request request = {.identity = "",
                                    .wishes = &wish,
                                    .nwishes = 1,
                                    .marks = marks,
                                    .nmarks = nmarks,
                                    .at_us = at_sec * SECOND};

    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    return ask->notes[0];
}

/* What is answered is what was known before. */
static void marks_what_was_seen(struct ask *ask)
{
    static const char subject[] = "marks_what_was_seen";
    struct store_mark marks[] = {mark_of(subject, "net 192.0.2.0/24"), mark_of(subject, "cc NL")};

    marks[1].text = "Netherlands";
    assert_string_equal(marks_at(ask, marks, 2, START_SEC), "");
    marks[1].text = NULL;
    assert_string_equal(marks_at(ask, marks, 2, START_SEC + 60),
                        "cc NL=1800000000 1800000000 1 0 0 Netherlands;"
                        "net 192.0.2.0/24=1800000000 1800000000 1 0 0 ;");
    /* A clock that goes back changes no time. */
    assert_string_equal(marks_at(ask, marks + 1, 1, START_SEC - 60),
                        "cc NL=1800000000 1800000060 2 0 0 Netherlands;"
                        "net 192.0.2.0/24=1800000000 1800000060 2 0 0 ;");
    assert_string_equal(ask_note(ask, subject, "seen"),
                        "cc NL=1800000000 1800000060 3 0 0 Netherlands;"
                        "net 192.0.2.0/24=1800000000 1800000060 2 0 0 ;");
}

static void marks_are_bounded(struct ask *ask)
{
    static const char subject[] = "marks_are_bounded";
    static const char *const fields[] = {"a", "b", "c", "d"};
    struct store_mark mark;

    for (int i = 0; i < 4; i++) {
        mark = mark_of(subject, fields[i]);
        (void)marks_at(ask, &mark, 1, START_SEC + i * DAY_SEC);
    }
    assert_string_equal(ask_note(ask, subject, "seen"), "b=1800086400 1800086400 1 0 0 ;"
                                                        "c=1800172800 1800172800 1 0 0 ;"
                                                        "d=1800259200 1800259200 1 0 0 ;");
    /* Ninety days after b and c, but not after d. */
    mark = mark_of(subject, "e");
    (void)marks_at(ask, &mark, 1, START_SEC + 92 * DAY_SEC + 1);
    assert_string_equal(ask_note(ask, subject, "seen"), "d=1800259200 1800259200 1 0 0 ;"
                                                        "e=1807948801 1807948801 1 0 0 ;");
    /* What was forgotten is seen for the first time again. */
    mark = mark_of(subject, "d");
    (void)marks_at(ask, &mark, 1, START_SEC + 94 * DAY_SEC);
    assert_string_equal(ask_note(ask, subject, "seen"), "d=1808121600 1808121600 1 0 0 ;"
                                                        "e=1807948801 1807948801 1 0 0 ;");
}

static void marks_count_what_is_new(struct ask *ask)
{
    static const char subject[] = "marks_count_what_is_new";
    struct store_mark marks[] = {mark_of(subject, "x"), mark_of(subject, "y"),
                                 mark_of(subject, "#"), mark_of(subject, "z")};

    for (size_t i = 0; i < 4; i++)
        marks[i].fields_max = 10;
    marks[2].amount = STORE_AMOUNT_NEW;
    (void)marks_at(ask, marks + 1, 2, START_SEC);
    (void)marks_at(ask, marks, 4, START_SEC + 60);
    assert_string_equal(marks_at(ask, marks, 4, START_SEC + 120),
                        "#=1800000000 1800000060 2 0 0 ;x=1800000060 1800000060 1 0 0 ;"
                        "y=1800000000 1800000060 2 0 0 ;z=1800000060 1800000060 1 0 0 ;");
    assert_string_equal(ask_note(ask, subject, "seen"),
                        "#=1800000000 1800000120 2 0 0 ;x=1800000060 1800000120 2 0 0 ;"
                        "y=1800000000 1800000120 3 0 0 ;z=1800000060 1800000120 2 0 0 ;");
}

/* Messages in this hour of the week, and what is usual. */
static void marks_learn_what_is_usual(struct ask *ask)
{
    static const char subject[] = "marks_learn_what_is_usual";
    static const struct {
        int64_t after_sec;
        const char *before;
    } steps[] = {
        {0, ""},
        {60, "h=1800000000 1800000000 8 0 0 ;"},
        {WEEK_SEC, "h=1800000000 1800000060 16 0 0 ;"},
        {2 * WEEK_SEC, "h=1800000000 1800604800 8 16000 1 ;"},
        {4 * WEEK_SEC, "h=1800000000 1801209600 8 14000 2 ;"},
        {90 * WEEK_SEC, "h=1800000000 1802419200 8 9375 4 ;"},
        {90 * WEEK_SEC, "h=1800000000 1854432000 8 0 90 ;"},
    };
    struct store_mark mark = mark_of(subject, "h");

    mark.amount = 8;
    mark.period_sec = WEEK_SEC;
    mark.keep_sec = 100 * WEEK_SEC;
    for (size_t i = 0; i < COUNT_OF(steps); i++)
        assert_string_equal(marks_at(ask, &mark, 1, START_SEC + steps[i].after_sec),
                            steps[i].before);
}

/* One burst is not usual; what goes on for some periods is. */
static void marks_learn_little_of_a_burst(struct ask *ask)
{
    static const char subject[] = "marks_learn_little_of_a_burst";
    static const struct {
        int64_t amount;
        const char *before;
    } weeks[] = {
        {20, ""},
        {9000, "h=1800000000 1800000000 20 0 0 ;"},
        {20, "h=1800000000 1800604800 9000 20000 1 ;"},
        {80, "h=1800000000 1801209600 20 35000 2 ;"},
        {140, "h=1800000000 1801814400 80 31250 3 ;"},
        {1, "h=1800000000 1802419200 140 43437 4 ;"},
        {1, "h=1800000000 1803024000 1 67577 5 ;"},
    };
    struct store_mark mark = mark_of(subject, "h");

    mark.period_sec = WEEK_SEC;
    mark.keep_sec = 100 * WEEK_SEC;
    for (size_t i = 0; i < COUNT_OF(weeks); i++) {
        mark.amount = weeks[i].amount;
        assert_string_equal(marks_at(ask, &mark, 1, START_SEC + (int64_t)i * WEEK_SEC),
                            weeks[i].before);
    }
}

static void marks_once_a_message(struct ask *ask)
{
    static const char subject[] = "marks_once_a_message";
    struct store_mark marks[] = {mark_of(subject, "a"), mark_of(subject, "b")};
    struct store_limit limit = {subject, 'm', 60, 1, 1, 0, true, NULL, 0};
    struct store_request request = {.identity = "h/marks",
                                    .limits = &limit,
                                    .nlimits = 1,
                                    .marks = marks,
                                    .nmarks = 1,
                                    .at_us = START_SEC * SECOND};

    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
    assert_string_equal(ask_note(ask, subject, "seen"), "");
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    /* The second to come knows more of the message. */
    request.nmarks = 2;
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_DONE);
    assert_string_equal(ask_note(ask, subject, "seen"),
                        "a=1800000000 1800000000 1 0 0 ;b=1800000000 1800000000 1 0 0 ;");
    request.identity = "h/marks2";
    assert_int_equal(ask_charge(ask, &request), STORE_OUTCOME_OVER);
    assert_string_equal(ask_note(ask, subject, "seen"),
                        "a=1800000000 1800000000 1 0 0 ;b=1800000000 1800000000 1 0 0 ;");
}

static void foreign_values_are_no_marks(struct ask *ask)
{
    static const char subject[] = "foreign_values_are_no_marks";
    static const char *const values[] = {
        "", "x", "1 2 3 4", "1 2 3 4 5", "-1 2 3 4 5 ", "99999999999999999999 2 3 4 5 "};
    struct store_mark mark = mark_of(subject, "a");
    struct store_mark_value value;

    for (size_t i = 0; i < COUNT_OF(values); i++) {
        const struct store_pair pair = {"a", values[i]};
        struct store_note_change change = {
            .subject = subject, .kind = "seen", .pairs = &pair, .npairs = 1, .replace = true};

        assert_int_equal(ask_set(ask, &change), STORE_OUTCOME_DONE);
        assert_false(store_mark_read(values[i], &value));
        (void)marks_at(ask, &mark, 1, START_SEC);
        assert_string_equal(ask_note(ask, subject, "seen"), "a=1800000000 1800000000 1 0 0 ;");
    }
    assert_true(store_mark_read("1 2 3 4 5 some words", &value));
    assert_int_equal(value.first_sec, 1);
    assert_int_equal(value.last_sec, 2);
    assert_int_equal(value.count, 3);
    assert_int_equal(value.usual_milli, 4);
    assert_int_equal(value.periods, 5);
    assert_string_equal(value.text, "some words");
}

/* --- lists --------------------------------------------------------------------------------- */

#define LISTED 700

struct listed {
    bool seen[LISTED];
    int done; /* -1: not yet */
};

static void on_listed(const char *subject, const struct store_note *note, void *context)
{
    struct listed *listed = context;
    const char *number = store_note_value(note, "number");
    int place = -1;

    if (strncmp(subject, "listed:", 7) != 0 || number == NULL)
        return;
    assert_int_equal(sscanf(number, "%d", &place), 1);
    assert_in_range(place, 0, LISTED - 1);
    listed->seen[place] = true;
}

static void on_list_done(bool complete, void *context)
{
    ((struct listed *)context)->done = complete;
}

static void lists_a_kind(struct ask *ask)
{
    struct listed listed = {.done = -1};
    const struct store_note_list list = {on_listed, on_list_done, &listed};
    unsigned answers = ask->answers;

    for (int i = 0; i < LISTED; i++) {
        char subject[32], number[16];
        const struct store_pair pair = {"number", number};
        struct store_note_change change = {.subject = subject,
                                           .kind = i % 7 == 0 ? "seen" : "flag",
                                           .pairs = &pair,
                                           .npairs = 1,
                                           .life_ms = 600000};

        (void)snprintf(subject, sizeof(subject), "listed:%d", i);
        (void)snprintf(number, sizeof(number), "%d", i);
        store_note_set(ask->store, &change, ask_on_answer, ask);
    }
    ask_wait_answers(ask, answers + LISTED);
    store_note_list(ask->store, "flag", &list);
    while (listed.done == -1)
        loop_run_once(ask->loop, 50);
    assert_true(listed.done);
    for (int i = 0; i < LISTED; i++)
        assert_int_equal(listed.seen[i], i % 7 != 0);
}

#define CASE(name)                                                                                 \
    {                                                                                              \
#name, name                                                                                \
    }

const struct contract_case note_cases[] = {
    CASE(sets_reads_removes),
    CASE(notes_of_other_kinds),
    CASE(comes_with_a_charge),
    CASE(marks_what_was_seen),
    CASE(marks_are_bounded),
    CASE(marks_count_what_is_new),
    CASE(marks_learn_what_is_usual),
    CASE(marks_learn_little_of_a_burst),
    CASE(marks_once_a_message),
    CASE(foreign_values_are_no_marks),
    CASE(lists_a_kind),
};

const size_t note_case_count = COUNT_OF(note_cases);
