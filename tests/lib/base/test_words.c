/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/words.h"

#include "lib/base/utf8.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_nearest(void **state)
{
    static const char *const words[] = {
        "mode",         "store",          "store-timeout", "limit.near",
        "dns.spf-fail", "dns.spf-broken", "per",           "max",
    };
    static const struct {
        const char *name, *word, *want;
    } cases[] = {
        {"the word itself", "mode", "mode"},
        {"one letter wrong", "mose", "mode"},
        {"one letter missing", "stor", "store"},
        {"one letter too many", "storre", "store"},
        {"two letters swapped", "sotre", "store"},
        {"a swap costs one", "mdoe", "mode"},
        {"another case", "STORE", "store"},
        {"another separator", "store_timeout", "store-timeout"},
        {"a dot for a dash", "limit-near", "limit.near"},
        {"three in a long word", "stroe-timout", "store-timeout"},
        {"the nearest of two", "dns.spf-fial", "dns.spf-fail"},
        {"a short word", "par", "per"},
        {"nothing near", "resolver", NULL},
        {"two of four is too far", "node-x", NULL},
        {"nothing at all", "", NULL},
        {"one letter has nothing in common", "x", NULL},
        {"very long",
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
         "x",
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const char *got = words_nearest(cases[i].word, words, sizeof(words) / sizeof(words[0]));

        if (cases[i].want == NULL ? got != NULL : got == NULL || strcmp(got, cases[i].want) != 0)
            fail_msg("%s: got %s, want %s", cases[i].name, got != NULL ? got : "none",
                     cases[i].want != NULL ? cases[i].want : "none");
    }
    assert_null(words_nearest("mode", NULL, 0));
}

static void test_long_candidates_are_passed_over(void **state)
{
    static const char *const words[] = {
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa",
    };

    (void)state;
    assert_ptr_equal(words_nearest(words[1], words, 2), words[1]);
}

static void test_utf8(void **state)
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
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t code = 0;
        size_t got = utf8_next(cases[i].bytes, cases[i].length, &code);

        if (got != cases[i].want || code != cases[i].code)
            fail_msg("%s: got %zu octets, U+%04x", cases[i].name, got, code);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_long_candidates_are_passed_over),
        cmocka_unit_test(test_utf8),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
