/* SPDX-License-Identifier: BSD-2-Clause */
/* SPF macros: syntax, expansion, and the examples of RFC 7208 section 7.4. */
#include "lib/auth/spf_macro.h"
#include "lib/base/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *text;
    enum spf_macro_place place;
    const char *want; /* NULL: right */
} syntax_cases[] = {
    {"example.com", SPF_MACRO_DOMAIN, NULL},
    {"example.com.", SPF_MACRO_DOMAIN, NULL},
    {"_spf.example.com", SPF_MACRO_DOMAIN, NULL},
    {"%{d}", SPF_MACRO_DOMAIN, NULL},
    {"%{D}", SPF_MACRO_DOMAIN, NULL},
    {"%{d}.com", SPF_MACRO_DOMAIN, NULL},
    {"x%%", SPF_MACRO_DOMAIN, NULL},
    {"x%_", SPF_MACRO_DOMAIN, NULL},
    {"x%-", SPF_MACRO_DOMAIN, NULL},
    {"%{l1r-+,/_=.}.example.com", SPF_MACRO_DOMAIN, NULL},
    {"%{l127R-}.example.com", SPF_MACRO_DOMAIN, NULL},
    {"%{d01}.example.com", SPF_MACRO_DOMAIN, NULL},
    {"%{d99999999999999999999}.example.com", SPF_MACRO_DOMAIN, NULL},
    {"a:8080.example.com", SPF_MACRO_DOMAIN, NULL},
    {"a/b.example.com", SPF_MACRO_DOMAIN, NULL},
    {"example.xn--p1ai", SPF_MACRO_DOMAIN, NULL},
    {"example.1-2", SPF_MACRO_DOMAIN, NULL},
    {"example.1a", SPF_MACRO_DOMAIN, NULL},
    {"a..b.com", SPF_MACRO_DOMAIN, NULL},
    {"", SPF_MACRO_DOMAIN, "no domain"},
    {"com", SPF_MACRO_DOMAIN, "top-level"},
    {".", SPF_MACRO_DOMAIN, "top-level"},
    {"com.", SPF_MACRO_DOMAIN, "top-level"},
    {"%{d}com", SPF_MACRO_DOMAIN, "top-level"},
    {"%{d}.", SPF_MACRO_DOMAIN, "top-level"},
    {"example.com..", SPF_MACRO_DOMAIN, "top-level"},
    {"example.123", SPF_MACRO_DOMAIN, "top-level"},
    {"192.0.2.1", SPF_MACRO_DOMAIN, "top-level"},
    {"example.-com", SPF_MACRO_DOMAIN, "top-level"},
    {"example.com-", SPF_MACRO_DOMAIN, "top-level"},
    {"example.c_m", SPF_MACRO_DOMAIN, "top-level"},
    {"example.com/24", SPF_MACRO_DOMAIN, "top-level"},
    {"example.%{d}x", SPF_MACRO_DOMAIN, "top-level"},
    {"%", SPF_MACRO_DOMAIN, "percent"},
    {"%x.example.com", SPF_MACRO_DOMAIN, "percent"},
    {"%(d).example.com", SPF_MACRO_DOMAIN, "percent"},
    {"example.com%", SPF_MACRO_DOMAIN, "percent"},
    {"%{", SPF_MACRO_DOMAIN, "letter"},
    {"%{}", SPF_MACRO_DOMAIN, "letter"},
    {"%{a}.example.com", SPF_MACRO_DOMAIN, "letter"},
    {"%{1}.example.com", SPF_MACRO_DOMAIN, "letter"},
    {"%{d", SPF_MACRO_DOMAIN, "closed"},
    {"%{dd}", SPF_MACRO_DOMAIN, "closed"},
    {"%{dr1}", SPF_MACRO_DOMAIN, "closed"},
    {"%{d-r}", SPF_MACRO_DOMAIN, "closed"},
    {"%{d:}", SPF_MACRO_DOMAIN, "closed"},
    {"%{d0}", SPF_MACRO_DOMAIN, "at least one"},
    {"%{d00r}", SPF_MACRO_DOMAIN, "at least one"},
    {"%{c}", SPF_MACRO_DOMAIN, "only explanations"},
    {"%{R}.example.com", SPF_MACRO_DOMAIN, "only explanations"},
    {"%{t}.example.com", SPF_MACRO_DOMAIN, "only explanations"},
    {"a b.example.com", SPF_MACRO_DOMAIN, "space"},
    {"a\tb.example.com", SPF_MACRO_DOMAIN, "control"},
    {"a\177b.example.com", SPF_MACRO_DOMAIN, "control"},
    {"\xc3\xa4.example.com", SPF_MACRO_DOMAIN, "ASCII"},
    {"", SPF_MACRO_MODIFIER, NULL},
    {"anything/1:2=3", SPF_MACRO_MODIFIER, NULL},
    {"%{c}%{r}%{t}", SPF_MACRO_MODIFIER, NULL},
    {"a b", SPF_MACRO_MODIFIER, "space"},
    {"%", SPF_MACRO_MODIFIER, "percent"},
    {"", SPF_MACRO_EXPLANATION, NULL},
    {"%{c} is not %{r}'s at %{t}", SPF_MACRO_EXPLANATION, NULL},
    {"100% wrong", SPF_MACRO_EXPLANATION, "percent"},
    {"two\nlines", SPF_MACRO_EXPLANATION, "control"},
    {"nicht f\xc3\xbcr dich", SPF_MACRO_EXPLANATION, "ASCII"},
};

static void test_syntax(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(syntax_cases); i++) {
        const char *problem = spf_macro_problem(syntax_cases[i].text, strlen(syntax_cases[i].text),
                                                syntax_cases[i].place);

        if ((problem == NULL) != (syntax_cases[i].want == NULL) ||
            (problem != NULL && strstr(problem, syntax_cases[i].want) == NULL))
            fail_msg("\"%s\": %s", syntax_cases[i].text, problem != NULL ? problem : "no problem");
    }
    assert_string_equal(spf_macro_problem("a\0.example.com", 14, SPF_MACRO_DOMAIN),
                        "a control character");
}

static const struct ip_address v4 = {4, {192, 0, 2, 3}};
static const struct ip_address v6 = {6, {0x20, 0x01, 0x0d, 0xb8, [14] = 0xcb, 0x01}};
static const struct {
    const struct ip_address *client;
    const char *text;
    const char *want;
} expansion_cases[] = {
    {&v4, "%{s}", "strong-bad@email.example.com"},
    {&v4, "%{o}", "email.example.com"},
    {&v4, "%{d}", "email.example.com"},
    {&v4, "%{d4}", "email.example.com"},
    {&v4, "%{d3}", "email.example.com"},
    {&v4, "%{d2}", "example.com"},
    {&v4, "%{d1}", "com"},
    {&v4, "%{dr}", "com.example.email"},
    {&v4, "%{d2r}", "example.email"},
    {&v4, "%{l}", "strong-bad"},
    {&v4, "%{l-}", "strong.bad"},
    {&v4, "%{lr}", "strong-bad"},
    {&v4, "%{lr-}", "bad.strong"},
    {&v4, "%{l1r-}", "strong"},
    {&v4, "%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"},
    {&v4, "%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"},
    {&v4, "%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"},
    {&v4, "%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"},
    {&v4, "%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"},
    {&v6, "%{ir}.%{v}._spf.%{d2}",
     "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com"},
    {&v6, "%{i}", "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1"},
    {&v6, "%{c}", "2001:db8::cb01"},
    {&v6, "%{v}", "ip6"},
    {&v4, "%{i}", "192.0.2.3"},
    {&v4, "%{c}", "192.0.2.3"},
    {&v4, "%{v}", "in-addr"},
    {&v4, "%{p}", "mx.example.org"},
    {&v4, "%{h}", "mx.example.org.helo"},
    {&v4, "%{r}", "mx1.example.net"},
    {&v4, "%{t}", "1700000000"},
    {&v4, "%%", "%"},
    {&v4, "a%_b%-c", "a b%20c"},
    {&v4, "", ""},
    {&v4, "%{S}", "strong-bad%40email.example.com"},
    {&v4, "%{D}", "email.example.com"},
    {&v4, "%{LR-}", "bad.strong"},
    {&v4, "%{i2}", "2.3"},
    {&v4, "%{i9r}", "3.2.0.192"},
    {&v4, "%{o,}", "email.example.com"},
    {&v4, "%{o1,}", "email.example.com"},
    {&v4, "%{s1.-}", "com"},
    {&v4, "%{d130}", "email.example.com"},
};

static void test_expansion(void **state)
{
    struct spf_macro_values values = {
        .sender = "strong-bad@email.example.com",
        .local = "strong-bad",
        .sender_domain = "email.example.com",
        .domain = "email.example.com",
        .validated = "mx.example.org",
        .helo = "mx.example.org.helo",
        .receiver = "mx1.example.net",
        .now_sec = 1700000000,
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(expansion_cases); i++) {
        struct text expanded = TEXT_EMPTY;

        values.client = expansion_cases[i].client;
        spf_macro_expand(expansion_cases[i].text, &values, SIZE_MAX, &expanded);
        if (strcmp(text_string(&expanded), expansion_cases[i].want) != 0)
            fail_msg("%s: %s instead of %s", expansion_cases[i].text, text_string(&expanded),
                     expansion_cases[i].want);
        text_free(&expanded);
    }
}

/* No delimiter is special at the ends or beside another (RFC 7208 section 7.3). */
static void test_empty_parts(void **state)
{
    static const struct {
        const char *local;
        const char *text;
        const char *want;
    } cases[] = {
        {"", "%{l}", ""},
        {"", "%{lr}", ""},
        {"", "%{l1-}", ""},
        {"-a--b-", "%{l-}", ".a..b."},
        {"-a--b-", "%{lr-}", ".b..a."},
        {"-a--b-", "%{l1-}", ""},
        {"-a--b-", "%{l2-}", "b."},
        {"-a--b-", "%{l3-}", ".b."},
        {"-", "%{l-}", "."},
        {"-", "%{lr-}", "."},
        {"a+b-c=d/e_f,g.h", "%{lr+-=/_,}", "g.h.f.e.d.c.b.a"},
        {"a+b-c=d/e_f,g.h", "%{lr+-=/_,.}", "h.g.f.e.d.c.b.a"},
        {"A.b", "%{lr}", "b.A"},
        {"\xc3\xa4", "%{L}", "%C3%A4"},
        {"~a!b", "%{L}", "~a%21b"},
    };
    static const struct ip_address client = {4, {192, 0, 2, 3}};
    struct spf_macro_values values = {.client = &client};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text expanded = TEXT_EMPTY;

        values.local = cases[i].local;
        spf_macro_expand(cases[i].text, &values, SIZE_MAX, &expanded);
        if (strcmp(text_string(&expanded), cases[i].want) != 0)
            fail_msg("%s of %s: %s instead of %s", cases[i].text, cases[i].local,
                     text_string(&expanded), cases[i].want);
        text_free(&expanded);
    }
}

static void test_stops_when_enough(void **state)
{
    static const struct ip_address client = {4, {192, 0, 2, 3}};
    struct spf_macro_values values = {.client = &client, .local = "0123456789"};
    struct text expanded = TEXT_EMPTY;

    (void)state;
    spf_macro_expand("%{l}%{l}%{l}%{l}", &values, 15, &expanded);
    assert_string_equal(text_string(&expanded), "01234567890123456789");
    text_free(&expanded);
}

static void test_needs_validated(void **state)
{
    (void)state;
    assert_true(spf_macro_needs_validated("%{p}"));
    assert_true(spf_macro_needs_validated("%{d}.%{P2r}"));
    assert_false(spf_macro_needs_validated("p.%{d}%%{p}"));
    assert_false(spf_macro_needs_validated(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_syntax),          cmocka_unit_test(test_expansion),
        cmocka_unit_test(test_empty_parts),     cmocka_unit_test(test_stops_when_enough),
        cmocka_unit_test(test_needs_validated),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
