/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "lib/base/words.h"

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
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *got = words_nearest(cases[i].word, words, COUNT_OF(words));

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nearest),
        cmocka_unit_test(test_long_candidates_are_passed_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
