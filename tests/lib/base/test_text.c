/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/text.h"

#include "lib/base/count.h"
#include "lib/base/strings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_empty_text_is_a_string(void **state)
{
    struct text text = TEXT_EMPTY;
    char *taken;

    (void)state;
    assert_string_equal(text_string(&text), "");
    text_clear(&text);
    text_cut(&text, 0);
    taken = text_take(&text);
    assert_string_equal(taken, "");
    free(taken);
    text_free(&text);
}

static void test_adding(void **state)
{
    struct text text = TEXT_EMPTY;

    (void)state;
    text_add(&text, "a\0b", 3);
    assert_int_equal(text.length, 3);
    assert_memory_equal(text_string(&text), "a\0b", 4);
    text_clear(&text);
    text_add_string(&text, "from=");
    text_add_char(&text, '<');
    text_add(&text, NULL, 0);
    text_print(&text, "%s@%s", "alice", "example.com");
    text_add_char(&text, '>');
    assert_string_equal(text_string(&text), "from=<alice@example.com>");
    text_cut(&text, 4);
    assert_string_equal(text_string(&text), "from");
    text_cut(&text, 400);
    assert_string_equal(text_string(&text), "from");
    text_free(&text);
    assert_null(text.bytes);
}

static void test_shell_words(void **state)
{
    static const struct {
        const char *word, *want;
    } cases[] = {
        {"user:alice@example.com", "user:alice@example.com"},
        {"client-network:2001:db8::/64", "client-network:2001:db8::/64"},
        {"", "''"},
        {"-x", "'-x'"},
        {"all:*", "'all:*'"},
        {"helo:a b;$(c)`d`", "'helo:a b;$(c)`d`'"},
        {"it's", "'it'\\''s'"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text text = TEXT_EMPTY;

        text_add_shell_word(&text, cases[i].word);
        assert_string_equal(text_string(&text), cases[i].want);
        text_free(&text);
    }
}

/* Every length around the steps in which the memory grows, by each way of adding. */
static void test_growing(void **state)
{
    (void)state;
    for (size_t length = 0; length < 600; length++) {
        struct text added = TEXT_EMPTY;
        struct text printed = TEXT_EMPTY;
        char *taken;

        for (size_t i = 0; i < length; i++)
            text_add_char(&added, 'x');
        text_print(&printed, "%s", text_string(&added));
        text_print(&printed, "%s", text_string(&added));
        assert_int_equal(added.length, length);
        assert_int_equal(strlen(text_string(&added)), length);
        assert_int_equal(printed.length, 2 * length);
        assert_int_equal(strlen(text_string(&printed)), 2 * length);
        taken = text_take(&added);
        assert_int_equal(strlen(taken), length);
        assert_int_equal(added.length, 0);
        assert_string_equal(text_string(&added), "");
        free(taken);
        text_free(&printed);
    }
}

static void test_numbers(void **state)
{
    static const struct {
        int64_t number;
        const char *want;
    } cases[] = {
        {0, "0"},
        {7, "7"},
        {-1, "-1"},
        {1234567890, "1234567890"},
        {INT64_MAX, "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text text = TEXT_EMPTY;

        text_add_number(&text, cases[i].number);
        assert_string_equal(text_string(&text), cases[i].want);
        text_free(&text);
    }
}

static void test_case(void **state)
{
    static const struct {
        const char *name, *a, *b;
        bool want;
    } cases[] = {
        {"same", "example.com", "example.com", true},
        {"other case", "Example.COM", "eXAMPLE.com", true},
        {"shorter", "example", "example.com", false},
        {"longer", "example.com", "example", false},
        {"at sign is no grave accent", "@[", "`{", false},
        {"UTF-8 is compared as it is", "\xc3\x84", "\xc3\xa4", false},
        {"empty", "", "", true},
        {"empty and not", "", "a", false},
        {"null and null", NULL, NULL, true},
        {"null and empty", NULL, "", false},
    };
    char word[] = "MX1.Example.COM\xc3\x84@[";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (text_equal_case(cases[i].a, cases[i].b) != cases[i].want)
            fail_msg("%s: want %d", cases[i].name, cases[i].want);
    assert_ptr_equal(text_lower(word), word);
    assert_string_equal(word, "mx1.example.com\xc3\x84@[");
}

static void test_strings(void **state)
{
    struct strings list = {0};
    char name[32];

    (void)state;
    assert_false(strings_have(&list, "x"));
    for (int i = 0; i < 100; i++) {
        (void)snprintf(name, sizeof(name), "Host%d", i);
        strings_add(&list, name);
    }
    assert_int_equal(list.count, 100);
    assert_string_equal(list.items[0], "Host0");
    assert_string_equal(list.items[99], "Host99");
    assert_true(strings_have(&list, "Host57"));
    assert_false(strings_have(&list, "host57"));
    assert_true(strings_have_case(&list, "hOST57"));
    assert_false(strings_have_case(&list, "host100"));
    strings_free(&list);
    assert_int_equal(list.count, 0);
    assert_null(list.items);
    strings_add(&list, "again");
    assert_string_equal(list.items[0], "again");
    strings_free(&list);
}

static void test_number(void **state)
{
    static const struct {
        const char *input;
        bool want;
        int64_t number;
    } cases[] = {
        {"0", true, 0},
        {"007", true, 7},
        {"9223372036854775799", true, INT64_C(9223372036854775799)},
        {"9223372036854775808", false, -1},
        {"99999999999999999999", false, -1},
        {"", false, -1},
        {"-1", false, -1},
        {"+1", false, -1},
        {" 1", false, -1},
        {"1x", false, -1},
    };
    int64_t number;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        number = -1;
        if (text_number(cases[i].input, strlen(cases[i].input), &number) != cases[i].want ||
            number != cases[i].number)
            fail_msg("<%s>: got %lld", cases[i].input, (long long)number);
    }
    assert_true(text_number("123", 2, &number));
    assert_int_equal(number, 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_text_is_a_string),
        cmocka_unit_test(test_adding),
        cmocka_unit_test(test_shell_words),
        cmocka_unit_test(test_growing),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_case),
        cmocka_unit_test(test_strings),
        cmocka_unit_test(test_number),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
