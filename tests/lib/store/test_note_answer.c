/* SPDX-License-Identifier: BSD-2-Clause */
/* What Redis answers about notes, and what is no such answer. */
#include "lib/store/note.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void add(struct text *answer, size_t start, const char *string)
{
    note_answer_string(answer, start, string, strlen(string));
}

/* Two notes: two pairs, and none. */
static struct text make(void)
{
    struct text answer = TEXT_EMPTY;
    size_t start = note_answer_start(&answer);

    add(&answer, start, "suspended");
    add(&answer, start, "yes");
    add(&answer, start, "");
    add(&answer, start, "a value");
    (void)note_answer_start(&answer);
    return answer;
}

/* In memory of just that length, so that a read beyond it is found. */
static bool reads(const char *bytes, size_t length, size_t count)
{
    char *exact = malloc(length > 0 ? length : 1);
    struct note_answer answer = {.count = 0};
    bool read;

    assert_non_null(exact);
    if (length > 0)
        memcpy(exact, bytes, length);
    read = note_answer_read(&answer, exact, length, count);
    note_answer_free(&answer);
    free(exact);
    return read;
}

static void test_whole(void **state)
{
    struct text bytes = make();
    struct note_answer answer = {.count = 0};

    (void)state;
    assert_true(note_answer_read(&answer, bytes.bytes, bytes.length, 2));
    assert_int_equal(answer.notes[0].npairs, 2);
    assert_string_equal(answer.notes[0].pairs[0].name, "suspended");
    assert_string_equal(answer.notes[0].pairs[0].value, "yes");
    assert_string_equal(answer.notes[0].pairs[1].name, "");
    assert_string_equal(answer.notes[0].pairs[1].value, "a value");
    assert_int_equal(answer.notes[1].npairs, 0);
    note_answer_free(&answer);
    assert_true(reads("", 0, 0));
    text_free(&bytes);
}

static void test_cut(void **state)
{
    struct text bytes = make();

    (void)state;
    for (size_t length = 0; length < bytes.length; length++)
        if (reads(bytes.bytes, length, 2))
            fail_msg("it reads %zu of %zu octets", length, bytes.length);
    assert_false(reads(bytes.bytes, bytes.length, 1));
    assert_false(reads(bytes.bytes, bytes.length, 3));
    text_add_char(&bytes, 'x');
    assert_false(reads(bytes.bytes, bytes.length, 2));
    text_free(&bytes);
}

/* Counts and lengths that promise more than there is, and a name without a value. */
static void test_lies(void **state)
{
    struct text bytes = make();
    struct text odd = TEXT_EMPTY;

    (void)state;
    for (size_t at = 0; at < 6; at++) {
        const char before = bytes.bytes[at];

        bytes.bytes[at] = (char)0xff;
        if (reads(bytes.bytes, bytes.length, 2))
            fail_msg("it reads a lie in octet %zu", at);
        bytes.bytes[at] = before;
    }
    add(&odd, note_answer_start(&odd), "name");
    assert_false(reads(odd.bytes, odd.length, 1));
    text_free(&odd);
    text_free(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whole),
        cmocka_unit_test(test_cut),
        cmocka_unit_test(test_lies),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
