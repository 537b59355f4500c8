/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "lib/base/domain.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OCTETS_16 "0123456789abcdef"
#define OCTETS_61 OCTETS_16 OCTETS_16 OCTETS_16 "0123456789abc"
#define OCTETS_63 OCTETS_61 "de"
#define NAME_191 OCTETS_63 "." OCTETS_63 "." OCTETS_63
#define NAME_253 NAME_191 "." OCTETS_61
#define BUECHER                                                                                    \
    "b\xc3\xbc"                                                                                    \
    "cher"

static void test_normal(void **state)
{
    static const struct {
        const char *name, *input;
        enum domain_problem problem;
        const char *want;
    } cases[] = {
        {"a name", "example.com", DOMAIN_FINE, "example.com"},
        {"one label", "localhost", DOMAIN_FINE, "localhost"},
        {"upper case", "Example.COM", DOMAIN_FINE, "example.com"},
        {"underscore", "_spf.example.com", DOMAIN_FINE, "_spf.example.com"},
        {"hyphen inside", "a--b.example", DOMAIN_FINE, "a--b.example"},
        {"digits", "1.2.3.4", DOMAIN_FINE, "1.2.3.4"},
        {"the longest label", OCTETS_63 ".example", DOMAIN_FINE, OCTETS_63 ".example"},
        {"the longest name", NAME_253, DOMAIN_FINE, NAME_253},
        {"U-label", BUECHER ".example", DOMAIN_FINE, "xn--bcher-kva.example"},
        {"U-label in upper case",
         "B\xc3\x9c"
         "CHER.Example",
         DOMAIN_FINE, "xn--bcher-kva.example"},
        {"combining mark",
         "bu\xcc\x88"
         "cher.example",
         DOMAIN_FINE, "xn--bcher-kva.example"},
        {"sharp s is kept",
         "stra\xc3\x9f"
         "e.example",
         DOMAIN_FINE, "xn--strae-oqa.example"},
        {"ideographic full stop",
         BUECHER "\xe3\x80\x82"
                 "example",
         DOMAIN_FINE, "xn--bcher-kva.example"},
        {"nothing", "", DOMAIN_BAD, NULL},
        {"a dot", ".", DOMAIN_BAD, NULL},
        {"dot at the end", "example.", DOMAIN_BAD, NULL},
        {"dot at the end behind a U-label", BUECHER ".", DOMAIN_BAD, NULL},
        {"two dots", "a..b", DOMAIN_BAD, NULL},
        {"dot at the start", ".example", DOMAIN_BAD, NULL},
        {"space", "a b.example", DOMAIN_BAD, NULL},
        {"space beside a U-label", "a b." BUECHER, DOMAIN_BAD, NULL},
        {"at sign", "a@b", DOMAIN_BAD, NULL},
        {"hyphen first", "-a.example", DOMAIN_BAD, NULL},
        {"hyphen last", "a-.example", DOMAIN_BAD, NULL},
        {"label of 64", OCTETS_63 "x.example", DOMAIN_BAD, NULL},
        {"name of 254", NAME_191 "." OCTETS_61 "d", DOMAIN_TOO_LONG, NULL},
        {"snowman", "\xe2\x98\x83.example", DOMAIN_BAD_IDN, NULL},
        {"full-width at sign",
         "a\xef\xbc\xa0"
         "b.example",
         DOMAIN_BAD_IDN, NULL},
        {"not UTF-8", "\xff.example", DOMAIN_BAD_ENCODING, NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char domain[DOMAIN_ROOM] = "untouched";
        const char *want = cases[i].want != NULL ? cases[i].want : "untouched";
        enum domain_problem problem = domain_normal(cases[i].input, strlen(cases[i].input), domain);

        if (problem != cases[i].problem || strcmp(domain, want) != 0)
            fail_msg("%s: got %d, \"%s\"", cases[i].name, (int)problem, domain);
    }
}

/* Soft hyphens (U+00AD) go without a trace, so that only the length can be wrong. */
static void test_input_is_capped(void **state)
{
    char input[DOMAIN_INPUT_MAX + 3] = "a";
    char domain[DOMAIN_ROOM];

    (void)state;
    for (size_t i = 1; i <= DOMAIN_INPUT_MAX; i += 2)
        memcpy(input + i, "\xc2\xad", 2);
    assert_int_equal(domain_normal(input, DOMAIN_INPUT_MAX - 1, domain), DOMAIN_FINE);
    assert_string_equal(domain, "a");
    assert_int_equal(domain_normal(input, DOMAIN_INPUT_MAX + 1, domain), DOMAIN_TOO_LONG);
}

static void test_copy(void **state)
{
    static const struct {
        const char *name, *input, *want;
    } cases[] = {
        {"a name", "Example.com", "example.com"},
        {"the root's dot", "example.com.", "example.com"},
        {"the root's dot behind the longest name", NAME_253 ".", NAME_253},
        {"the root's dot behind a U-label", BUECHER ".example.", "xn--bcher-kva.example"},
        {"two dots at the end", "example.com..", NULL},
        {"the root", ".", NULL},
        {"nothing", "", NULL},
        {"a literal", "[192.0.2.1]", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *got = domain_copy(cases[i].input);

        if (cases[i].want != NULL ? got == NULL || strcmp(got, cases[i].want) != 0 : got != NULL)
            fail_msg("%s: got %s", cases[i].name, got != NULL ? got : "nothing");
        free(got);
    }
}

static void test_label(void **state)
{
    (void)state;
    assert_true(domain_is_label("a-_9Z.", 5));
    assert_false(domain_is_label("a-_9Z.", 6));
    assert_false(domain_is_label("a-", 2));
    assert_false(domain_is_label("", 0));
    assert_true(domain_is_label(OCTETS_63, 63));
    assert_false(domain_is_label(OCTETS_63 "x", 64));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_input_is_capped),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_label),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
