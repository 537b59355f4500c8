/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses from unquoted text, problems in words, domains alone, and what is counted. */
#include "lib/base/count.h"
#include "lib/message/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define OCTETS_16 "0123456789abcdef"
#define OCTETS_63 OCTETS_16 OCTETS_16 OCTETS_16 "0123456789abcde"
#define OCTETS_64 OCTETS_16 OCTETS_16 OCTETS_16 OCTETS_16
#define OCTETS_61 OCTETS_16 OCTETS_16 OCTETS_16 "0123456789abc"
/* 63 + 1 + 63 + 1 + 63 + 1 + 61: the longest name there can be */
#define NAME_253 OCTETS_63 "." OCTETS_63 "." OCTETS_63 "." OCTETS_61

static void check(const char *input, const char *got, const char *want, const char *what)
{
    if (strcmp(got, want) != 0)
        fail_msg("<%s>: %s is <%s>, not <%s>", input, what, got, want);
}

static void test_unquoted(void **state)
{
    static const struct {
        const char *input;
        enum address_problem want;
        const char *text;
        const char *local;
    } cases[] = {
        {"", ADDRESS_FINE, "", ""},
        {"alice@Example.com", ADDRESS_FINE, "alice@example.com", "alice"},
        {"a b@example.com", ADDRESS_FINE, "\"a b\"@example.com", "a b"},
        {"a..b@example.com", ADDRESS_FINE, "\"a..b\"@example.com", "a..b"},
        {"a.@example.com", ADDRESS_FINE, "\"a.\"@example.com", "a."},
        {"a,b@example.com", ADDRESS_FINE, "\"a,b\"@example.com", "a,b"},
        {"a\"b@example.com", ADDRESS_FINE, "\"a\\\"b\"@example.com", "a\"b"},
        {"a\\b@example.com", ADDRESS_FINE, "\"a\\\\b\"@example.com", "a\\b"},
        {"\"a b\"@example.com", ADDRESS_FINE, "\"a b\"@example.com", "a b"},
        {"a b@[192.0.2.1]", ADDRESS_FINE, "\"a b\"@[192.0.2.1]", "a b"},
        {"postmaster", ADDRESS_FINE, "postmaster", "postmaster"},
        {"a@b@example.com", ADDRESS_BAD_DOMAIN, "a@b@example.com", ""},
        {"a b@c@example.com", ADDRESS_BAD_DOMAIN, "a b@c@example.com", ""},
        {"a b@example.com.", ADDRESS_BAD_DOMAIN, "a b@example.com.", ""},
        {"@example.com", ADDRESS_BAD_LOCAL, "@example.com", ""},
        {"a b", ADDRESS_NO_DOMAIN, "a b", ""},
        {OCTETS_64 " @example.com", ADDRESS_BAD_LOCAL, OCTETS_64 " @example.com", ""},
        {"a\x01 b@example.com", ADDRESS_BAD_ENCODING, "a\\x01 b@example.com", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct address address;
        enum address_problem problem = address_parse_unquoted(cases[i].input, false, &address);

        if (problem != cases[i].want)
            fail_msg("<%s>: problem %d, not %d", cases[i].input, (int)problem, (int)cases[i].want);
        check(cases[i].input, address.text, cases[i].text, "the text");
        check(cases[i].input, address.local, cases[i].local, "the local part");
        address_clear(&address);
    }
}

static void test_text_of_a_problem(void **state)
{
    static const struct {
        const char *input;
        const char *text;
    } cases[] = {
        {"<a..b@example.com>", "a..b@example.com"},
        {"<a..b@example.com", "<a..b@example.com"},
        {"a\r\nb@c", "a\\x0d\\x0ab@c"},
        {"a\xff"
         "b@c",
         "a\\xffb@c"},
        {"a\xc2\x85@c", "a\\xc2\\x85@c"},
        {"J\xc3\xb6rg..@c", "J\xc3\xb6rg..@c"},
    };
    char *longer = malloc(3 * ADDRESS_MAX);
    struct address address;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_not_equal(address_parse(cases[i].input, false, &address), ADDRESS_FINE);
        check(cases[i].input, address.text, cases[i].text, "the text");
        address_clear(&address);
    }
    assert_non_null(longer);
    memset(longer, 'a', 3 * ADDRESS_MAX - 1);
    longer[3 * ADDRESS_MAX - 1] = '\0';
    assert_int_equal(address_parse(longer, true, &address), ADDRESS_TOO_LONG);
    assert_int_equal(strlen(address.text), ADDRESS_MAX + 3);
    address_clear(&address);
    free(longer);
}

static void test_domain(void **state)
{
    static const struct {
        const char *input;
        const char *want;
    } cases[] = {
        {"example.com", "example.com"},
        {"Example.COM.", "example.com"},
        {"b\xc3\xbc"
         "cher.example.",
         "xn--bcher-kva.example"},
        {"localhost", "localhost"},
        {"_spf.example.com", "_spf.example.com"},
        {"[192.0.2.1]", "[192.0.2.1]"},
        {"[IPv6:2001:DB8::1]", "[IPv6:2001:db8::1]"},
        {NAME_253 ".", NAME_253},
        {"", NULL},
        {".", NULL},
        {"..", NULL},
        {"example.com..", NULL},
        {"exa mple.com", NULL},
        {"-.example", NULL},
        {"[192.0.2]", NULL},
        {"a@b", NULL},
        {"\xff.example", NULL},
        {"\xe2\x98\x83.example", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *domain = address_domain(cases[i].input);

        if (cases[i].want == NULL) {
            if (domain != NULL)
                fail_msg("<%s> became <%s>", cases[i].input, domain);
        } else {
            check(cases[i].input, domain != NULL ? domain : "(null)", cases[i].want, "the domain");
        }
        free(domain);
    }
}

static void test_counted(void **state)
{
    static const struct {
        const char *input;
        const char *delimiters;
        const char *want;
    } cases[] = {
        {"Alice@Example.com", "", "alice@example.com"},
        {"Alice+News@Example.com", "+", "alice@example.com"},
        {"alice+a+b@example.com", "+", "alice@example.com"},
        {"alice-news@example.com", "+", "alice-news@example.com"},
        {"alice-news@example.com", "+-", "alice@example.com"},
        {"alice+a-b@example.com", "-+", "alice@example.com"},
        {"+alice@example.com", "+", "+alice@example.com"},
        {"alice+@example.com", "+", "alice@example.com"},
        {"owner-list@example.com", "-", "owner-list@example.com"},
        {"list-request@example.com", "-", "list-request@example.com"},
        {"owner-list+x@example.com", "+", "owner-list@example.com"},
        {"-request@example.com", "-", "-request@example.com"},
        {"\"a b+c\"@example.com", "+", "\"a b\"@example.com"},
        {"\"a\"@example.com", "+", "a@example.com"},
        {"J\xc3\xb6RG+x@example.com", "+", "j\xc3\xb6rg@example.com"},
        {"postmaster", "+", "postmaster"},
        {"<>", "+", ""},
        {"A..b@c", "+", "a..b@c"},
        {"\"\"@example.com", "+", "\"\"@example.com"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct address address;
        char *counted;

        (void)address_parse(cases[i].input, false, &address);
        counted = address_counted(&address, cases[i].delimiters);
        check(cases[i].input, counted, cases[i].want, "what is counted");
        free(counted);
        address_clear(&address);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unquoted),
        cmocka_unit_test(test_text_of_a_problem),
        cmocka_unit_test(test_domain),
        cmocka_unit_test(test_counted),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
