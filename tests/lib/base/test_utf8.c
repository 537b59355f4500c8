/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "lib/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_next(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t length, want;
        uint32_t code;
    } cases[] = {
        {"nothing", "", 0, 0, 0},
        {"ASCII", "a", 1, 1, 'a'},
        {"NUL", "", 1, 1, 0},
        {"two octets", "\xc3\xa4x", 3, 2, 0xe4},
        {"the least of two", "\xc2\x80", 2, 2, 0x80},
        {"the least of three", "\xe0\xa0\x80", 3, 3, 0x800},
        {"the least of four", "\xf0\x90\x80\x80", 4, 4, 0x10000},
        {"the last of all", "\xf4\x8f\xbf\xbf", 4, 4, 0x10ffff},
        {"over the last", "\xf4\x90\x80\x80", 4, 0, 0},
        {"overlong slash", "\xc0\xaf", 2, 0, 0},
        {"overlong of three", "\xe0\x9f\xbf", 3, 0, 0},
        {"overlong of four", "\xf0\x8f\xbf\xbf", 4, 0, 0},
        {"before the surrogates", "\xed\x9f\xbf", 3, 3, 0xd7ff},
        {"surrogate", "\xed\xa0\x80", 3, 0, 0},
        {"last surrogate", "\xed\xbf\xbf", 3, 0, 0},
        {"after the surrogates", "\xee\x80\x80", 3, 3, 0xe000},
        {"cut short", "\xe2\x82\xac", 2, 0, 0},
        {"no continuation", "\xe2\x82x", 3, 0, 0},
        {"continuation alone", "\x80", 1, 0, 0},
        {"five octets", "\xf8\x88\x80\x80\x80", 5, 0, 0},
        {"no lead", "\xff", 1, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint32_t code = 0;
        size_t got = utf8_next(cases[i].bytes, cases[i].length, &code);

        if (got != cases[i].want || code != cases[i].code)
            fail_msg("%s: got %zu octets, U+%04x", cases[i].name, got, code);
    }
}

static void test_text(void **state)
{
    static const struct {
        const char *name, *bytes;
        bool want;
    } cases[] = {
        {"nothing", "", true},
        {"ASCII", "a b~", true},
        {"two octets",
         "b\xc3\xbc"
         "cher",
         true},
        {"the first that is no control", "\xc2\xa0", true},
        {"the last control", "\xc2\x9f", false},
        {"the first beyond ASCII", "\xc2\x80", false},
        {"tab", "a\tb", false},
        {"line feed at the end", "ab\n", false},
        {"DEL", "\x7f", false},
        {"broken at the end", "ab\xc3", false},
        {"broken inside",
         "a\xff"
         "b",
         false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (utf8_is_text(cases[i].bytes, strlen(cases[i].bytes)) != cases[i].want)
            fail_msg("%s: got %d", cases[i].name, !cases[i].want);
    assert_false(utf8_is_text("", 1)); /* NUL */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_next),
        cmocka_unit_test(test_text),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
