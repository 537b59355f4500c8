/* SPDX-License-Identifier: BSD-2-Clause */
/* SPF evaluation: limits, names from macros, explanations, and what is asked when. */
#include "lib/base/count.h"
#include "tests/lib/auth/spf_case.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct spf_case limits_cases[] = {
    {"ten lookups",
     {"example.com TXT v=spf1 a mx a mx a mx a mx a mx ip4:192.0.2.1", "example.com A 192.0.2.9",
      "example.com MX 10 example.com"},
     .want = "pass ip4:192.0.2.1 10 0"},
    {"eleven lookups",
     {"example.com TXT v=spf1 a mx a mx a mx a mx a mx a ip4:192.0.2.1", "example.com A 192.0.2.9",
      "example.com MX 10 example.com"},
     .want = "permerror - 11 0",
     .text = "over 10 lookups"},
    {"the eleventh is not reached",
     {"example.com TXT v=spf1 ip4:192.0.2.1 a a a a a a a a a a a"},
     .want = "pass ip4:192.0.2.1 0 0"},
    {"the eleventh is in an include",
     {"example.com TXT v=spf1 include:i.example.com ip4:192.0.2.1",
      "i.example.com TXT v=spf1 a a a a a a a a a a", "i.example.com A 192.0.2.9"},
     .want = "permerror - 11 0",
     .text = "over 10 lookups"},
    {"the eleventh is a redirect",
     {"example.com TXT v=spf1 a a a a a a a a a a redirect=example.com", "example.com A 192.0.2.9"},
     .want = "permerror - 11 0",
     .text = "over 10 lookups"},
    {"%{p} counts once",
     {"example.com TXT v=spf1 exists:%{p}.a exists:%{p}.a ~all"},
     .want = "softfail ~all 3 2"},
    {"two voids",
     {"example.com TXT v=spf1 a:v1.example.com a:v2.example.com ip4:192.0.2.1"},
     .want = "pass ip4:192.0.2.1 2 2"},
    {"three voids",
     {"example.com TXT v=spf1 a:v1.example.com exists:v2.example.com mx:v3.example.com "
      "ip4:192.0.2.1"},
     .want = "permerror - 3 3",
     .text = "over 2 void lookups"},
    {"three voids in two records",
     {"example.com TXT v=spf1 a:v1.example.com include:i.example.com +all",
      "i.example.com TXT v=spf1 a:v2.example.com a:v3.example.com"},
     .want = "permerror - 4 3",
     .text = "void lookups"},
    {"the same void thrice",
     {"example.com TXT v=spf1 a a a +all"},
     .want = "permerror - 3 3",
     .text = "void lookups"},
    {"a match before the third void",
     {"example.com TXT v=spf1 a mx ip4:192.0.2.1 a"},
     .want = "pass ip4:192.0.2.1 2 2"},
    {"hosts of an mx that do not exist",
     {"example.com TXT v=spf1 mx ~all", "example.com MX 1 a.example.com",
      "example.com MX 2 b.example.com", "example.com MX 3 c.example.com"},
     .want = "permerror - 1 3",
     .text = "over 2 void lookups"},
    {"hosts of an mx without an address of the family",
     {"example.com TXT v=spf1 mx ~all", "example.com MX 1 a.example.com",
      "example.com MX 2 b.example.com", "example.com MX 3 c.example.com",
      "a.example.com AAAA 2001:db8::1", "b.example.com AAAA 2001:db8::2",
      "c.example.com AAAA 2001:db8::3"},
     .want = "softfail ~all 1 0"},
    {"a match before the third host that does not exist",
     {"example.com TXT v=spf1 mx ~all", "example.com MX 1 a.example.com",
      "example.com MX 2 b.example.com", "example.com MX 3 c.example.com",
      "example.com MX 4 d.example.com", "c.example.com A 192.0.2.1"},
     .want = "pass mx 1 2"},
    {"ten mx",
     {"example.com TXT v=spf1 mx ~all", "example.com MX 1 a.x.com", "example.com MX 2 a.x.com",
      "example.com MX 3 a.x.com", "example.com MX 4 a.x.com", "example.com MX 5 a.x.com",
      "example.com MX 6 a.x.com", "example.com MX 7 a.x.com", "example.com MX 8 a.x.com",
      "example.com MX 9 a.x.com", "example.com MX 10 b.x.com", "a.x.com A 192.0.2.9",
      "b.x.com A 192.0.2.1"},
     .want = "pass mx 1 0"},
    {"eleven mx",
     {"example.com TXT v=spf1 mx ~all", "example.com MX 1 a.x.com", "example.com MX 2 a.x.com",
      "example.com MX 3 a.x.com", "example.com MX 4 a.x.com", "example.com MX 5 a.x.com",
      "example.com MX 6 a.x.com", "example.com MX 7 a.x.com", "example.com MX 8 a.x.com",
      "example.com MX 9 a.x.com", "example.com MX 10 a.x.com", "example.com MX 11 b.x.com",
      "a.x.com A 192.0.2.9", "b.x.com A 192.0.2.1"},
     .want = "permerror - 1 0",
     .text = "mx of example.com: over 10 names"},
    {"a match before the eleventh mx",
     {"example.com TXT v=spf1 mx ~all", "example.com MX 1 b.x.com", "example.com MX 2 a.x.com",
      "example.com MX 3 a.x.com", "example.com MX 4 a.x.com", "example.com MX 5 a.x.com",
      "example.com MX 6 a.x.com", "example.com MX 7 a.x.com", "example.com MX 8 a.x.com",
      "example.com MX 9 a.x.com", "example.com MX 10 a.x.com", "example.com MX 11 a.x.com",
      "a.x.com A 192.0.2.9", "b.x.com A 192.0.2.1"},
     .want = "pass mx 1 0"},
    {"the eleventh PTR is ignored",
     {"example.com TXT v=spf1 ptr:x.com ~all", "1.2.0.192.in-addr.arpa PTR a.com",
      "1.2.0.192.in-addr.arpa PTR b.com", "1.2.0.192.in-addr.arpa PTR c.com",
      "1.2.0.192.in-addr.arpa PTR d.com", "1.2.0.192.in-addr.arpa PTR e.com",
      "1.2.0.192.in-addr.arpa PTR f.com", "1.2.0.192.in-addr.arpa PTR g.com",
      "1.2.0.192.in-addr.arpa PTR h.com", "1.2.0.192.in-addr.arpa PTR i.com",
      "1.2.0.192.in-addr.arpa PTR j.com", "1.2.0.192.in-addr.arpa PTR x.com", "x.com A 192.0.2.1"},
     .want = "softfail ~all 1 0"},
    {"many addresses are fine",
     {"example.com TXT v=spf1 a", "example.com A 192.0.2.2", "example.com A 192.0.2.3",
      "example.com A 192.0.2.4", "example.com A 192.0.2.5", "example.com A 192.0.2.6",
      "example.com A 192.0.2.7", "example.com A 192.0.2.8", "example.com A 192.0.2.9",
      "example.com A 192.0.2.10", "example.com A 192.0.2.11", "example.com A 192.0.2.12",
      "example.com A 192.0.2.1"},
     .want = "pass a 1 0"},
};

static void test_limits(void **state)
{
    (void)state;
    spf_cases_run(limits_cases, COUNT_OF(limits_cases));
}

#define L60 "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij"
#define S4 "%{s}%{s}.%{s}%{s}."
#define S16 S4 S4 S4 S4 S4 S4 S4 S4
#define D8 "%{l}%{l}%{l}%{l}%{l}%{l}%{l}%{l}"

static const struct spf_case names_from_macros_cases[] = {
    {"spaces and percent signs",
     {"example.com TXT v=spf1 a:a%%b%-c.example.com -all", "a%b%20c.example.com A 192.0.2.1"},
     .want = "pass a:a%%b%-c.example.com 1 0"},
    {"trailing dot",
     {"example.com TXT v=spf1 include:i.example.com. -all",
      "i.example.com TXT v=spf1 exists:%{d}.x.com", "i.example.com.x.com A 127.0.0.2"},
     .want = "pass include:i.example.com. 2 0"},
    {"cut from the left",
     {"example.com TXT v=spf1 exists:%{l}.%{l}.%{l}.%{l}.%{l}.x.com -all",
      "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij."
      "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij."
      "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij."
      "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij.x.com A 127.0.0.2"},
     .want = "pass exists:%{l}.%{l}.%{l}.%{l}.%{l}.x.com 1 0",
     .sender = "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdefghij@example.com"},
    {"253 octets are not cut",
     {"example.com TXT v=spf1 exists:" L60 "." L60 "." L60 "." L60 ".abcdef.co ~all",
      L60 "." L60 "." L60 "." L60 ".abcdef.co A 127.0.0.2"},
     .want = "pass exists:" L60 "." L60 "." L60 "." L60 ".abcdef.co 1 0"},
    {"cut to 253 octets",
     {"example.com TXT v=spf1 exists:%{l}." L60 "." L60 "." L60 "." L60 ".abcdef.co ~all",
      L60 "." L60 "." L60 "." L60 ".abcdef.co A 127.0.0.2"},
     .want = "pass exists:%{l}." L60 "." L60 "." L60 "." L60 ".abcdef.co 1 0",
     .sender = "b@example.com"},
    {"254 octets lose a label",
     {"example.com TXT v=spf1 exists:x" L60 "." L60 "." L60 "." L60 ".abcdef.co ~all",
      L60 "." L60 "." L60 ".abcdef.co A 127.0.0.2"},
     .want = "pass exists:x" L60 "." L60 "." L60 "." L60 ".abcdef.co 1 0"},
    {"an absurd expansion",
     {"example.com TXT v=spf1 exists:" S16 S16 S16 S16 "x.co ~all"},
     .want = "softfail ~all 1 0",
     .sender = "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij@example.com"},
    {"a label without end",
     {"example.com TXT v=spf1 include:" D8 D8 D8 D8 D8 D8 D8 D8 " ~all"},
     .want = "permerror - 1 0",
     .text = "\"\" is no domain name",
     .sender = L60 "@example.com"},
    {"one label too long",
     {"example.com TXT v=spf1 exists:%{l}x%{l}.x.com ~all"},
     .want = "softfail ~all 1 0",
     .sender = "abcdefghijabcdefghijabcdefghijabcdefghij@example.com"},
    {"a local part that is not ASCII",
     {"example.com TXT v=spf1 exists:%{l}.x.com ~all"},
     .want = "softfail ~all 1 0",
     .sender = "\xc3\xa4@example.com"},
    {"an empty local part's label",
     {"example.com TXT v=spf1 exists:%{l1-}.x.com ~all"},
     .want = "softfail ~all 1 0",
     .sender = "a-@example.com"},
    {"%{p}: the domain itself is best",
     {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com TXT is %{p}.",
      "1.2.0.192.in-addr.arpa PTR b.example.com", "1.2.0.192.in-addr.arpa PTR example.com",
      "1.2.0.192.in-addr.arpa PTR a.org", "a.org A 192.0.2.1", "b.example.com A 192.0.2.1",
      "example.com A 192.0.2.1"},
     .want = "fail -all 0 0",
     .text = "is example.com."},
    {"%{p}: then one below",
     {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com TXT is %{p}.",
      "1.2.0.192.in-addr.arpa PTR anexample.com", "1.2.0.192.in-addr.arpa PTR b.example.com",
      "1.2.0.192.in-addr.arpa PTR a.org", "1.2.0.192.in-addr.arpa PTR example.com",
      "a.org A 192.0.2.1", "b.example.com A 192.0.2.1", "anexample.com A 192.0.2.1"},
     .want = "fail -all 0 0",
     .text = "is b.example.com."},
    {"%{p}: then any",
     {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com TXT is %{p}",
      "1.2.0.192.in-addr.arpa PTR a.org", "1.2.0.192.in-addr.arpa PTR b.example.com",
      "a.org A 192.0.2.1"},
     .want = "fail -all 0 0",
     .text = "is a.org"},
    {"%{p}: none",
     {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com TXT is %{p}",
      "1.2.0.192.in-addr.arpa PTR a.org", "a.org A 192.0.2.2"},
     .want = "fail -all 0 0",
     .text = "is unknown"},
    {"%{p}: failure",
     {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com TXT is %{p}",
      "1.2.0.192.in-addr.arpa FAIL PTR"},
     .want = "fail -all 0 0",
     .text = "is unknown"},
};

static void test_names_from_macros(void **state)
{
    (void)state;
    spf_cases_run(names_from_macros_cases, COUNT_OF(names_from_macros_cases));
}

static const struct spf_case explanations_cases[] = {
    {"expanded",
     {"example.com TXT v=spf1 -all exp=e.%{d}",
      "e.example.com TXT %{i} is not %{d}'s, says %{r} at %{t}%_to %{h}"},
     .want = "fail -all 0 0",
     .text = "192.0.2.1 is not example.com's, says mx.example.net at 1700000000 to "
             "mail.example.com"},
    {"of a pass",
     {"example.com TXT v=spf1 +all exp=e.example.com", "e.example.com TXT no"},
     .want = "pass all 0 0"},
    {"of a softfail",
     {"example.com TXT v=spf1 ~all exp=e.example.com", "e.example.com TXT no"},
     .want = "softfail ~all 0 0"},
    {"not there", {"example.com TXT v=spf1 -all exp=e.example.com"}, .want = "fail -all 0 0"},
    {"two",
     {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com TXT a",
      "e.example.com TXT b"},
     .want = "fail -all 0 0"},
    {"failure",
     {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com FAIL TXT"},
     .want = "fail -all 0 0"},
    {"syntax",
     {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com TXT %{x}"},
     .want = "fail -all 0 0"},
    {"not ASCII",
     {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com TXT \xc3\xa4"},
     .want = "fail -all 0 0"},
    {"no name", {"example.com TXT v=spf1 -all exp=a..b.example.com"}, .want = "fail -all 0 0"},
    {"its voids do not count",
     {"example.com TXT v=spf1 a a:b.example.com -all exp=e.example.com"},
     .want = "fail -all 2 2"},
    {"of a redirect",
     {"example.com TXT v=spf1 redirect=r.example.com exp=e.example.com", "e.example.com TXT wrong",
      "r.example.com TXT v=spf1 -all exp=f.example.com", "f.example.com TXT for %{d} of %{o}"},
     .want = "fail -all 1 0",
     .text = "for r.example.com of example.com"},
    {"lost by a redirect",
     {"example.com TXT v=spf1 redirect=r.example.com exp=e.example.com", "e.example.com TXT wrong",
      "r.example.com TXT v=spf1 -all"},
     .want = "fail -all 1 0"},
    {"not of an include",
     {"example.com TXT v=spf1 -include:i.example.com exp=e.example.com", "e.example.com TXT outer",
      "i.example.com TXT v=spf1 +all exp=f.example.com", "f.example.com TXT inner"},
     .want = "fail -include:i.example.com 1 0",
     .text = "outer"},
    {"a local part that is not ASCII",
     {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com TXT hello %{L}"},
     .want = "fail -all 0 0",
     .text = "hello %C3%A4",
     .sender = "\xc3\xa4@example.com"},
};

static void test_explanations(void **state)
{
    (void)state;
    spf_cases_run(explanations_cases, COUNT_OF(explanations_cases));
}

/* A raw %{l} is the client's own, and must not get out of the line that it stands in. */
static void test_explanation_is_plain(void **state)
{
    static const struct spf_case row = {
        .name = "plain",
        .zone = {"example.com TXT v=spf1 -all exp=e.example.com", "e.example.com TXT hello %{l}"},
        .sender = "\xc3\xa4\r\nx@example.com",
    };
    struct spf_result result;
    struct zone *zone = spf_case_run(&row, false, &result, NULL);

    (void)state;
    assert_string_equal(result.explanation, "hello ????x");
    spf_result_clear(&result);
    zone_free(&zone);
}

static void test_explanation_is_cut(void **state)
{
    static const struct spf_case row = {
        .name = "cut",
        .zone = {"example.com TXT v=spf1 -all exp=e.example.com",
                 "e.example.com TXT hello %{l}%{l}%{l}%{l}%{l}%{l}%{l}%{l}%{l}%{l}%{l}%{l}%{l}"},
        .sender = "abcdefghijabcdefghijabcdefghijabcdefghijabcdefghij@example.com",
    };
    struct spf_result result;
    struct zone *zone = spf_case_run(&row, false, &result, NULL);

    (void)state;
    assert_int_equal(strlen(result.explanation), SPF_EXPLANATION_MAX);
    spf_result_clear(&result);
    zone_free(&zone);
}

/* What is needed at the same time is asked for at the same time, and what is not needed never. */
static void test_waves(void **state)
{
    static const struct spf_case row = {
        .name = "waves",
        .zone = {"example.com TXT v=spf1 a mx include:i.example.com include:j.example.com -all "
                 "a:never.com",
                 "example.com MX 1 m1.example.com", "example.com MX 2 m2.example.com",
                 "i.example.com TXT v=spf1 a:k.example.com -all", "j.example.com TXT v=spf1 -all"},
    };
    struct spf_result result;
    unsigned runs;
    struct zone *zone = spf_case_run(&row, true, &result, &runs);

    (void)state;
    /* the record; then a, mx and both includes; then the hosts and what an include needs */
    assert_int_equal(runs, 4);
    assert_int_equal(result.status, SPF_PERMERROR);
    assert_string_equal(result.problem, "over 2 void lookups");
    assert_int_equal(zone_asked(zone), 8);
    assert_true(zone_was_asked(zone, "m2.example.com A"));
    assert_false(zone_was_asked(zone, "never.com A"));
    spf_result_clear(&result);
    zone_free(&zone);
}

static void test_result(void **state)
{
    static const struct spf_case row = {
        .name = "result",
        .zone = {"example.com TXT v=spf1 redirect=R.Example.com", "r.example.com TXT v=spf1 -all"},
        .sender = "Joe@Example.COM",
    };
    struct spf_result result;
    struct zone *zone = spf_case_run(&row, true, &result, NULL);

    (void)state;
    assert_string_equal(result.domain, "example.com");
    assert_string_equal(result.record_domain, "r.example.com");
    assert_null(result.problem);
    spf_result_clear(&result);
    assert_null(result.domain);
    zone_free(&zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_names_from_macros),
        cmocka_unit_test(test_explanations),
        cmocka_unit_test(test_explanation_is_plain),
        cmocka_unit_test(test_explanation_is_cut),
        cmocka_unit_test(test_waves),
        cmocka_unit_test(test_result),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
