/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "lib/base/mdoc.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define TEN "123456789 "
#define SEVENTY TEN TEN TEN TEN TEN TEN TEN

static void test_prose(void **state)
{
    static const struct {
        const char *name, *words, *want;
    } cases[] = {
        {"nothing", "", ""},
        {"a word", "word", "word\n"},
        {"a line a sentence", "One. Two! Three? Four", "One.\nTwo!\nThree?\nFour\n"},
        {"a sentence in quotes", "He said \"no.\" Then (yes.) Fine",
         "He said \"no.\"\nThen (yes.)\nFine\n"},
        {"a number", "Wants 0.1 % of it.", "Wants 0.1 % of it.\n"},
        {"what goes on", "(abuse, ...) and more", "(abuse, ...) and more\n"},
        {"spaces", "a   b", "a b\n"},
        {"a stop first", ".so it is", "\\&.so it is\n"},
        {"an apostrophe first", "'tis", "\\&'tis\n"},
        {"a stop inside", "in .so it is", "in .so it is\n"},
        {"a backslash", "a\\fB", "a\\efB\n"},
        {"78 columns", SEVENTY "12345678 x", SEVENTY "12345678\nx\n"},
        {"79 columns", SEVENTY "123456789 x",
         "123456789 123456789 123456789 123456789 123456789 "
         "123456789 123456789\n123456789 x\n"},
        {"literal", "Say `a b = c` now", "Say\n.Ql a b = c\nnow\n"},
        {"literal at both ends", "`a` b `c`", ".Ql a\nb\n.Ql c\n"},
        {"literal with punctuation", "See (`a`), `b`; `c`.",
         "See\n.Ql ( a ) ,\n.Ql b ;\n.Ql c .\n"},
        {"literal with a backslash", "`a\\b`", ".Ql a\\eb\n"},
        {"literal that has no end", "an `open one", "an `open one\n"},
        {"literal that goes on", "two `a`s", "two `a`s\n"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text text = TEXT_EMPTY;

        mdoc_prose(&text, cases[i].words);
        if (strcmp(text_string(&text), cases[i].want) != 0)
            fail_msg("%s: got \"%s\"", cases[i].name, text_string(&text));
        text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_prose),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
