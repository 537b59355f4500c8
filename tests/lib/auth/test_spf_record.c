/* SPDX-License-Identifier: BSD-2-Clause */
/* SPF records: what is one, what parses to what, and why the others are wrong. */
#include "lib/auth/spf_record.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_is_a_record(void **state)
{
    static const struct {
        const char *text;
        bool want;
    } cases[] = {
        {"v=spf1", true},        {"v=spf1 ", true},
        {"V=SpF1 -all", true},   {"v=spf10", false},
        {"v=spf1\t-all", false}, {" v=spf1", false},
        {"v=spf", false},        {"", false},
        {"v=spf1mx", false},     {"v=spf2.0/mfrom", false},
        {"v=spf1;", false},      {"\"v=spf1\"", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (spf_record_is(cases[i].text, strlen(cases[i].text)) != cases[i].want)
            fail_msg("\"%s\"", cases[i].text);
    assert_false(spf_record_is("v=spf1\0", 7));
}

/* Parses and writes the canonical form, or the problem. */
static char *canonical(const char *bytes, size_t length, bool *good_r)
{
    struct spf_record record;
    struct text text = TEXT_EMPTY;
    char *problem = NULL;

    *good_r = spf_record_parse(bytes, length, &record, &problem);
    if (!*good_r)
        return problem;
    spf_record_format(&record, &text);
    spf_record_clear(&record);
    return text_take(&text);
}

static void test_good(void **state)
{
    static const struct {
        const char *text;
        const char *want; /* canonical */
    } cases[] = {
        {"v=spf1", "v=spf1"},
        {"v=spf1   ", "v=spf1"},
        {"v=spf1 all", "v=spf1 all"},
        {"V=SPF1 +ALL", "v=spf1 all"},
        {"v=spf1   a   -all  ", "v=spf1 a -all"},
        {"v=spf1 ~a ?mx -ptr +all", "v=spf1 ~a ?mx -ptr all"},
        {"v=spf1 a/24", "v=spf1 a/24"},
        {"v=spf1 a/32", "v=spf1 a"},
        {"v=spf1 a/0", "v=spf1 a/0"},
        {"v=spf1 a//64", "v=spf1 a//64"},
        {"v=spf1 a//128", "v=spf1 a"},
        {"v=spf1 a//0", "v=spf1 a//0"},
        {"v=spf1 a/24//64", "v=spf1 a/24//64"},
        {"v=spf1 A:Example.COM/24//64", "v=spf1 a:Example.COM/24//64"},
        {"v=spf1 mx:%{d}/24", "v=spf1 mx:%{d}/24"},
        {"v=spf1 mx:a/b.example.com//64", "v=spf1 mx:a/b.example.com//64"},
        {"v=spf1 a:foo:8080.example.com", "v=spf1 a:foo:8080.example.com"},
        {"v=spf1 ptr:example.com", "v=spf1 ptr:example.com"},
        {"v=spf1 include:_spf.example.com.", "v=spf1 include:_spf.example.com."},
        {"v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d}", "v=spf1 exists:%{ir}.%{l1r+-}._spf.%{d}"},
        {"v=spf1 ip4:192.0.2.1", "v=spf1 ip4:192.0.2.1"},
        {"v=spf1 ip4:192.0.2.1/32", "v=spf1 ip4:192.0.2.1"},
        {"v=spf1 ip4:192.0.2.129/25", "v=spf1 ip4:192.0.2.128/25"},
        {"v=spf1 ip4:192.0.2.1/0", "v=spf1 ip4:0.0.0.0/0"},
        {"v=spf1 IP6:2001:DB8::1", "v=spf1 ip6:2001:db8::1"},
        {"v=spf1 ip6:2001:db8:ffff::/33", "v=spf1 ip6:2001:db8:8000::/33"},
        {"v=spf1 ip6:::1/0", "v=spf1 ip6:::/0"},
        {"v=spf1 ip6:::192.0.2.1", "v=spf1 ip6:::192.0.2.1"},
        {"v=spf1 ip6:::ffff:192.0.2.1", "v=spf1 ip6:::ffff:192.0.2.1"},
        {"v=spf1 redirect=example.com -all", "v=spf1 -all redirect=example.com"},
        {"v=spf1 EXP=%{d}.example.com Redirect=%{d2}",
         "v=spf1 redirect=%{d2} exp=%{d}.example.com"},
        {"v=spf1 moo=%{c} MOO= a.b-c_d=%%x -all moo=cow", "v=spf1 -all"},
        {"v=spf1 all=what -all", "v=spf1 -all"},
        {"v=spf1 default=deny", "v=spf1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        bool good;
        char *got = canonical(cases[i].text, strlen(cases[i].text), &good);

        if (!good || strcmp(got, cases[i].want) != 0)
            fail_msg("\"%s\": %s", cases[i].text, got);
        free(got);
    }
}

static const struct {
    const char *term; /* after "v=spf1 a " */
    const char *want;
} wrong_cases[] = {
    {"foo", "no such mechanism"},
    {"foo:bar.example.com", "no such mechanism"},
    {"a.", "no such mechanism"},
    {"all.", "no such mechanism"},
    {"-", "no such mechanism"},
    {"--all", "no such mechanism"},
    {"!all", "no such mechanism"},
    {"-all\t", "no such mechanism"},
    {"-all,", "no such mechanism"},
    {"ipv4:192.0.2.1", "no such mechanism"},
    {"redirect:example.com", "no such mechanism"},
    {"-redirect=example.com", "no such mechanism"},
    {"+exp=example.com", "no such mechanism"},
    {"exp:example.com", "no such mechanism"},
    {"=moo", "no such mechanism"},
    {"1moo=cow", "no such mechanism"},
    {"-moo=cow", "no such mechanism"},
    {"mo:o=cow", "no such mechanism"},
    {"\xc3\xa4ll", "no such mechanism"},
    {"all:example.com", "a value where there is none"},
    {"all:", "a value where there is none"},
    {"all/8", "cannot follow"},
    {"include", "value is missing"},
    {"include:", "no domain"},
    {"include/24", "cannot follow"},
    {"include:example.com/24", "top-level"},
    {"include:example", "top-level"},
    {"exists", "value is missing"},
    {"exists:", "no domain"},
    {"exists:example.com/24", "top-level"},
    {"a:", "no domain"},
    {"a:/24", "no domain"},
    {"a:example", "top-level"},
    {"a:example.com:8080", "top-level"},
    {"a:192.0.2.1", "top-level"},
    {"a:%{x}.example.com", "no such macro letter"},
    {"a:%{c}.example.com", "only explanations"},
    {"a:exa\001mple.com", "control character"},
    {"a/", "from 0 to 32"},
    {"a/33", "from 0 to 32"},
    {"a/024", "from 0 to 32"},
    {"a/00", "from 0 to 32"},
    {"a/+4", "cannot follow"},
    {"a/2 4", "no such mechanism"},
    {"a//", "from 0 to 128"},
    {"a//129", "from 0 to 128"},
    {"a//064", "from 0 to 128"},
    {"a//1000", "from 0 to 128"},
    {"a/24//", "from 0 to 128"},
    {"a///64", "from 0 to 32"},
    {"a/24/64", "from 0 to 32"},
    {"a/24/24", "cannot follow"},
    {"a/24//64/", "from 0 to 32"},
    {"a:%{d}/24/24", "top-level"},
    {"mx/33", "from 0 to 32"},
    {"mx:", "no domain"},
    {"ptr/24", "cannot follow"},
    {"ptr:", "no domain"},
    {"ptr:example.com/24", "top-level"},
    {"ip4", "value is missing"},
    {"ip4:", "no IPv4 address"},
    {"ip4/24", "cannot follow"},
    {"ip4:192.0.2", "no IPv4 address"},
    {"ip4:192.0.2.256", "no IPv4 address"},
    {"ip4:192.0.2.01", "no IPv4 address"},
    {"ip4:192.0.2.1.1", "no IPv4 address"},
    {"ip4:192.0.2.1:25", "no IPv4 address"},
    {"ip4:example.com", "no IPv4 address"},
    {"ip4:0x7f000001", "no IPv4 address"},
    {"ip4:::1", "no IPv4 address"},
    {"ip4:192.0.2.1/", "from 0 to 32"},
    {"ip4:192.0.2.1/33", "from 0 to 32"},
    {"ip4:192.0.2.1/032", "from 0 to 32"},
    {"ip4:192.0.2.1//32", "from 0 to 32"},
    {"ip4:192.0.2.1/24/24", "from 0 to 32"},
    {"ip4:192.0.2.1/-1", "from 0 to 32"},
    {"ip4=192.0.2.1 ip4", "value is missing"},
    {"ip6", "value is missing"},
    {"ip6:", "no IPv6 address"},
    {"ip6:192.0.2.1", "no IPv6 address"},
    {"ip6:2001:db8:::1", "no IPv6 address"},
    {"ip6:[2001:db8::1]", "no IPv6 address"},
    {"ip6:fe80::1%eth0", "no IPv6 address"},
    {"ip6:2001:db8::/129", "from 0 to 128"},
    {"ip6:2001:db8::/", "from 0 to 128"},
    {"ip6:2001:db8:://64", "from 0 to 128"},
    {"redirect=", "no domain"},
    {"redirect=example", "top-level"},
    {"redirect=example.com/24", "top-level"},
    {"redirect=a.example.com redirect=a.example.com", "once only"},
    {"exp=", "no domain"},
    {"exp=%{r}.example.com", "only explanations"},
    {"exp=a.example.com exp=a.example.com", "once only"},
    {"moo=%", "percent"},
    {"moo=%{a}", "no such macro letter"},
    {"moo=c\xc3\xb6w", "ASCII"},
};

static void test_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong_cases); i++) {
        char *text = mem_print("v=spf1 a %s -all", wrong_cases[i].term);
        bool good;
        char *got = canonical(text, strlen(text), &good);

        if (good || strstr(got, wrong_cases[i].want) == NULL)
            fail_msg("\"%s\": %s", text, got);
        free(got);
        free(text);
    }
}

static void expect(const char *name, const char *bytes, size_t length, const char *want)
{
    bool good;
    char *got = canonical(bytes, length, &good);

    if (good || strstr(got, want) == NULL)
        fail_msg("%s: %s", name, got);
    free(got);
}

/* What a string cannot hold, and what is too long. */
static void test_hostile(void **state)
{
    char *record = mem_new(SPF_RECORD_MAX + 2, 1);
    bool good;
    char *got;

    (void)state;
    expect("NUL in a term", "v=spf1 a\0 -all", 14, "no such mechanism");
    expect("NUL as a qualifier", "v=spf1 \0all", 11, "no such mechanism");
    expect("NUL in an address", "v=spf1 ip4:192.0.2.1\0/24", 24, "no IPv4 address");
    expect("NUL in a domain", "v=spf1 a:a\0.example.com", 23, "control");
    expect("NUL in a modifier", "v=spf1 moo=\0", 12, "control");
    expect("not a record", "v=spf2", 6, "no \"v=spf1\"");

    memset(record, ' ', SPF_RECORD_MAX + 1);
    memcpy(record, "v=spf1", 6);
    memcpy(record + SPF_RECORD_MAX - 3, "all", 3);
    got = canonical(record, SPF_RECORD_MAX, &good);
    assert_true(good);
    assert_string_equal(got, "v=spf1 all");
    free(got);
    expect("too long", record, SPF_RECORD_MAX + 1, "octets");

    memset(record + 7, 'a', SPF_RECORD_MAX - 7);
    expect("a long term is cut in the problem", record, SPF_RECORD_MAX, "aaa\": no such mechanism");
    memcpy(record + 7, "a:", 2);
    memcpy(record + 9 + SPF_DOMAIN_SPEC_MAX - 4, ".com", 4);
    got = canonical(record, 9 + SPF_DOMAIN_SPEC_MAX, &good);
    assert_true(good);
    free(got);
    record[9] = '.';
    memcpy(record + 9 + SPF_DOMAIN_SPEC_MAX - 3, ".com", 4);
    expect("too long a domain", record, 9 + SPF_DOMAIN_SPEC_MAX + 1, "far too long");
    free(record);
}

static void test_terms(void **state)
{
    static const char text[] = "v=spf1 ~mx:a.example/20//60 -ip6:2001:db8::/32 exp=e.example";
    struct spf_record record;
    char *problem;

    (void)state;
    assert_true(spf_record_parse(text, strlen(text), &record, &problem));
    assert_int_equal(record.count, 2);
    assert_int_equal(record.terms[0].mechanism, SPF_MX);
    assert_int_equal(record.terms[0].qualifier, '~');
    assert_string_equal(record.terms[0].target, "a.example");
    assert_int_equal(record.terms[0].prefix4, 20);
    assert_int_equal(record.terms[0].prefix6, 60);
    assert_int_equal(record.terms[1].mechanism, SPF_IP6);
    assert_int_equal(record.terms[1].network.prefix, 32);
    assert_int_equal(record.terms[1].network.address.family, 6);
    assert_null(record.redirect);
    assert_string_equal(record.explanation, "e.example");
    spf_record_clear(&record);
    assert_int_equal(record.count, 0);
    assert_null(record.terms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_a_record), cmocka_unit_test(test_good),
        cmocka_unit_test(test_wrong),       cmocka_unit_test(test_hostile),
        cmocka_unit_test(test_terms),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
