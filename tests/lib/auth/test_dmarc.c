/* SPDX-License-Identifier: BSD-2-Clause */
/* DMARC: discovery, alignment and policy, in one run with all answers known, and in waves. */
#include "lib/auth/dmarc.h"
#include "lib/base/count.h"
#include "lib/base/text.h"
#include "tests/lib/auth/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES_MAX 10
#define DKIM_MAX 3

struct dmarc_case {
    const char *name;
    const char *zone[LINES_MAX];
    const char *from; /* NULL: a.example.com */
    const char *spf;
    const char *dkim[DKIM_MAX];
    const char
        *want; /* "status TAG=published policy at DOMAIN org DOMAIN spf dkim", what applies */
    const char *problem; /* part of it; NULL: none */
    enum dmarc_discovery discovery;
    unsigned sample;
};

struct check {
    struct dmarc_query query;
    struct dmarc_result result;
};

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct check *check = context;

    return dmarc_check(&check->query, lookup, &check->result);
}

static char *describe(const struct dmarc_result *result)
{
    struct text text = TEXT_EMPTY;

    text_add_string(&text, dmarc_status_name(result->status));
    if (result->tag != NULL)
        text_print(&text, " %s=%s %s", result->tag, dmarc_policy_name(result->published),
                   dmarc_policy_name(result->policy));
    if (result->policy_domain != NULL)
        text_print(&text, " at %s", result->policy_domain);
    if (result->organizational_domain != NULL)
        text_print(&text, " org %s", result->organizational_domain);
    if (result->percent != 100)
        text_print(&text, " pct %u", result->percent);
    if (result->spf_aligned)
        text_add_string(&text, " spf");
    if (result->dkim_aligned)
        text_print(&text, " dkim %s", result->dkim_domain);
    if (result->several != NULL)
        text_print(&text, " several %s", result->several);
    return text_take(&text);
}

static void run_case(const struct dmarc_case *row, bool waves)
{
    struct zone *zone = zone_new();
    struct check check = {.query = {
                              .from_domain = row->from != NULL ? row->from : "a.example.com",
                              .spf_domain = row->spf,
                              .dkim_domains = row->dkim,
                              .discovery = row->discovery,
                              .sample = row->sample,
                          }};
    char *got;

    while (check.query.ndkim < DKIM_MAX && row->dkim[check.query.ndkim] != NULL)
        check.query.ndkim++;
    zone_add_lines(zone, row->zone);
    if (zone_run(zone, waves, evaluate, &check) == 0)
        fail_msg("%s: pending for ever", row->name);
    got = describe(&check.result);
    if (strcmp(got, row->want) != 0 || (check.result.problem == NULL) != (row->problem == NULL) ||
        (row->problem != NULL && strstr(check.result.problem, row->problem) == NULL))
        fail_msg("%s (waves %d): \"%s\", %s", row->name, waves, got,
                 check.result.problem != NULL ? check.result.problem : "no problem");
    free(got);
    dmarc_result_clear(&check.result);
    zone_free(&zone);
}

static void run_cases(const struct dmarc_case *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        run_case(&cases[i], false);
        run_case(&cases[i], true);
    }
}

#define SEVEN "c.d.e.f.g.example.com"

static const struct dmarc_case discovery_cases[] = {
    {.name = "no record", .zone = {"a.example.com A 192.0.2.1"}, .want = "none org a.example.com"},
    {.name = "at the From domain",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=reject; sp=none; np=none"},
     .want = "fail p=reject reject at a.example.com"},
    {.name = "any case",
     .from = "A.Example.COM",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=reject"},
     .want = "fail p=reject reject at a.example.com"},
    {.name = "at the parent",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=reject"},
     .want = "fail p=reject reject at example.com org example.com"},
    {.name = "sp",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=reject; sp=none"},
     .want = "fail sp=none none at example.com org example.com"},
    {.name = "the highest one is the organization's",
     .from = "x.y.example.com",
     .zone = {"_dmarc.y.example.com TXT v=DMARC1; p=none",
              "_dmarc.example.com TXT v=DMARC1; p=reject"},
     .want = "fail p=reject reject at example.com org example.com"},
    {.name = "psd=n ends the walk",
     .from = "x.y.example.com",
     .zone = {"_dmarc.y.example.com TXT v=DMARC1; p=none; psd=n",
              "_dmarc.example.com TXT v=DMARC1; p=reject"},
     .want = "fail p=none none at y.example.com org y.example.com"},
    {.name = "psd=y: the organization is below it",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=quarantine; psd=y",
              "_dmarc.com TXT v=DMARC1; p=reject"},
     .want = "fail p=quarantine quarantine at example.com org a.example.com"},
    {.name = "psd=y: the organization has its own",
     .from = "x.a.example.com",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=none",
              "_dmarc.example.com TXT v=DMARC1; p=reject; psd=y"},
     .want = "fail p=none none at a.example.com org a.example.com"},
    {.name = "psd=y: two labels below, no record of its own",
     .from = "x.a.example.com",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine; psd=y",
              "x.a.example.com A 192.0.2.1"},
     .want = "fail sp=quarantine quarantine at example.com org a.example.com"},
    {.name = "mail from a public suffix domain itself",
     .from = "example.com",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=reject; sp=none; psd=y"},
     .spf = "example.com",
     .want = "pass p=reject reject at example.com spf"},
    {.name = "the top-level domain's record",
     .from = "x.example.com",
     .zone = {"_dmarc.com TXT v=DMARC1; p=reject; np=quarantine; psd=y",
              "x.example.com A 192.0.2.1"},
     .want = "fail p=reject reject at com org example.com"},
    {.name = "np: the name does not exist",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=none; sp=quarantine; np=reject"},
     .want = "fail np=reject reject at example.com org example.com"},
    {.name = "np: the name exists, without an address",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=none; sp=quarantine; np=reject",
              "a.example.com TXT x"},
     .want = "fail sp=quarantine quarantine at example.com org example.com"},
    {.name = "np: a name below it exists",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=none; np=reject", "b.a.example.com TXT x"},
     .want = "fail p=none none at example.com org example.com"},
    {.name = "np is not for the domain itself",
     .from = "example.com",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=none; sp=quarantine; np=reject"},
     .want = "fail p=none none at example.com"},
    {.name = "np: DNS fails",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=none; np=reject", "a.example.com FAIL A"},
     .want = "temperror p=none none at example.com org example.com",
     .problem = "a.example.com: SERVFAIL"},
    {.name = "np: DNS fails, but it passes",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=none; np=reject", "a.example.com FAIL A"},
     .spf = "a.example.com",
     .want = "pass p=none none at example.com org example.com spf"},
    {.name = "test: reject becomes quarantine",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=reject; t=y"},
     .want = "fail p=reject quarantine at a.example.com"},
    {.name = "test: quarantine becomes none",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=quarantine; t=y"},
     .want = "fail p=quarantine none at a.example.com"},
    {.name = "test: none stays",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=none; t=y"},
     .want = "fail p=none none at a.example.com"},
    {.name = "pct is no more",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=reject; pct=0"},
     .want = "fail p=reject reject at a.example.com"},
    {.name = "several are none",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=reject",
              "_dmarc.a.example.com TXT v=DMARC1; p=none",
              "_dmarc.example.com TXT v=DMARC1; p=quarantine"},
     .want = "fail p=quarantine quarantine at example.com org example.com several a.example.com"},
    {.name = "several, and a public suffix domain",
     .from = "example.com",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=reject",
              "_dmarc.example.com TXT v=DMARC1; p=none",
              "_dmarc.com TXT v=DMARC1; p=quarantine; psd=y", "example.com A 192.0.2.1"},
     .want = "fail p=quarantine quarantine at com org example.com several example.com"},
    {.name = "other records do not matter",
     .zone = {"_dmarc.a.example.com TXT v=spf1 -all",
              "_dmarc.a.example.com TXT v=DMARC1; p=reject"},
     .want = "fail p=reject reject at a.example.com"},
    {.name = "a record by CNAME",
     .zone = {"_dmarc.a.example.com CNAME d.example.net", "d.example.net TXT v=DMARC1; p=reject"},
     .want = "fail p=reject reject at a.example.com"},
    {.name = "broken policy",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=all"},
     .want = "permerror p=none none at a.example.com"},
    {.name = "broken policy does not go further up",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=; sp=reject",
              "_dmarc.example.com TXT v=DMARC1; p=reject"},
     .want = "permerror p=none none at a.example.com"},
    {.name = "no policy",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1", "_dmarc.example.com TXT v=DMARC1; p=reject"},
     .want = "fail p=none none at a.example.com"},
    {.name = "no policy, but reports",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; rua=mailto:r@example.com"},
     .spf = "a.example.com",
     .want = "pass p=none none at a.example.com spf"},
    {.name = "broken policy with reports",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=all; rua=mailto:r@example.com"},
     .want = "fail p=none none at a.example.com"},
    {.name = "DNS fails",
     .zone = {"_dmarc.a.example.com FAIL TXT", "_dmarc.example.com TXT v=DMARC1; p=none"},
     .want = "temperror",
     .problem = "_dmarc.a.example.com: SERVFAIL"},
    {.name = "DNS fails further up",
     .zone = {"_dmarc.example.com FAIL TXT"},
     .want = "temperror",
     .problem = "_dmarc.example.com: SERVFAIL"},
    {.name = "DNS fails above where it ends",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=none; psd=n", "_dmarc.com FAIL TXT"},
     .want = "fail p=none none at example.com org example.com"},
    {.name = "eight labels",
     .from = "b." SEVEN,
     .zone = {"_dmarc." SEVEN " TXT v=DMARC1; p=reject"},
     .want = "fail p=reject reject at " SEVEN " org " SEVEN},
    {.name = "nine labels: the eighth is not asked",
     .from = "a.b." SEVEN,
     .zone = {"_dmarc.b." SEVEN " TXT v=DMARC1; p=reject"},
     .want = "none org a.b." SEVEN},
    {.name = "many labels",
     .from = "a.a.a.a.a.a.a.b." SEVEN,
     .zone = {"_dmarc.g.example.com TXT v=DMARC1; p=reject"},
     .want = "fail p=reject reject at g.example.com org g.example.com"},
    {.name = "psd=y far above many labels",
     .from = "a.a.a.a.a.a.a.b." SEVEN,
     .zone = {"_dmarc." SEVEN " TXT v=DMARC1; p=reject; psd=y"},
     .want = "fail p=reject reject at " SEVEN " org b." SEVEN},
    {.name = "a single label",
     .from = "com",
     .zone = {"_dmarc.com TXT v=DMARC1; p=reject"},
     .want = "fail p=reject reject at com"},
    {.name = "no name", .from = "", .zone = {NULL}, .want = "none org "},
};

static void test_discovery(void **state)
{
    (void)state;
    run_cases(discovery_cases, COUNT_OF(discovery_cases));
}

#define STRICT "_dmarc.example.com TXT v=DMARC1; p=reject; adkim=s; aspf=s"
#define RELAXED "_dmarc.example.com TXT v=DMARC1; p=reject"

static const struct dmarc_case alignment_cases[] = {
    {.name = "the same, strict",
     .from = "example.com",
     .spf = "Example.com",
     .dkim = {"EXAMPLE.com"},
     .zone = {STRICT},
     .want = "pass p=reject reject at example.com spf dkim example.com"},
    {.name = "below, strict",
     .from = "example.com",
     .spf = "a.example.com",
     .dkim = {"a.example.com"},
     .zone = {STRICT},
     .want = "fail p=reject reject at example.com"},
    {.name = "below, relaxed",
     .from = "example.com",
     .spf = "a.example.com",
     .dkim = {"b.example.com"},
     .zone = {RELAXED},
     .want = "pass p=reject reject at example.com org example.com spf dkim b.example.com"},
    {.name = "above, relaxed",
     .spf = "example.com",
     .dkim = {"example.com"},
     .zone = {RELAXED},
     .want = "pass p=reject reject at example.com org example.com spf dkim example.com"},
    {.name = "beside, relaxed",
     .spf = "b.example.com",
     .zone = {RELAXED},
     .want = "pass p=reject reject at example.com org example.com spf"},
    {.name = "one strict, one relaxed",
     .from = "example.com",
     .spf = "a.example.com",
     .dkim = {"a.example.com"},
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=reject; aspf=s"},
     .want = "pass p=reject reject at example.com org example.com dkim a.example.com"},
    {.name = "another domain",
     .spf = "example.net",
     .dkim = {"example.net"},
     .zone = {RELAXED},
     .want = "fail p=reject reject at example.com org example.com"},
    {.name = "a name that only ends alike",
     .spf = "anexample.com",
     .zone = {RELAXED},
     .want = "fail p=reject reject at example.com org example.com"},
    {.name = "the second signature",
     .dkim = {"example.net", "example.com", "a.example.com"},
     .zone = {RELAXED},
     .want = "pass p=reject reject at example.com org example.com dkim example.com"},
    {.name = "a parent without a record is another organization",
     .spf = "example.com",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=reject"},
     .want = "fail p=reject reject at a.example.com org a.example.com"},
    {.name = "the identifier is an organization of its own",
     .from = "example.com",
     .spf = "a.example.com",
     .zone = {RELAXED, "_dmarc.a.example.com TXT v=DMARC1; p=none; psd=n"},
     .want = "fail p=reject reject at example.com org example.com"},
    {.name = "the From domain is an organization of its own",
     .spf = "b.example.com",
     .zone = {RELAXED, "_dmarc.a.example.com TXT v=DMARC1; p=none; psd=n"},
     .want = "fail p=none none at a.example.com org a.example.com"},
    {.name = "two customers of a public suffix",
     .from = "a.example.com",
     .spf = "b.example.com",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=reject; psd=y"},
     .want = "fail p=reject reject at example.com org a.example.com"},
    {.name = "one customer of a public suffix",
     .from = "a.example.com",
     .spf = "mail.a.example.com",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=reject; psd=y"},
     .want = "pass p=reject reject at example.com org a.example.com spf"},
    {.name = "the same domain needs no walk",
     .spf = "a.example.com",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=none", "_dmarc.example.com FAIL TXT"},
     .want = "pass p=none none at a.example.com spf"},
    {.name = "the From domain's walk fails",
     .spf = "b.example.com",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=none", "_dmarc.example.com FAIL TXT"},
     .want = "temperror p=none none at a.example.com",
     .problem = "_dmarc.example.com"},
    {.name = "the identifier's walk fails",
     .spf = "b.example.com",
     .zone = {RELAXED, "_dmarc.b.example.com FAIL TXT"},
     .want = "temperror p=reject reject at example.com org example.com",
     .problem = "_dmarc.b.example.com"},
    {.name = "one walk fails, the other identifier is aligned",
     .spf = "b.example.com",
     .dkim = {"example.com"},
     .zone = {RELAXED, "_dmarc.b.example.com FAIL TXT"},
     .want = "pass p=reject reject at example.com org example.com dkim example.com"},
    {.name = "nothing passed",
     .zone = {RELAXED},
     .want = "fail p=reject reject at example.com org example.com"},
};

static void test_alignment(void **state)
{
    (void)state;
    run_cases(alignment_cases, COUNT_OF(alignment_cases));
}

/* RFC 7489: the public suffix list, one parent, pct=. */
static const struct dmarc_case list_cases[] = {
    {.name = "the organizational domain",
     .from = "x.y.example.co.uk",
     .spf = "z.example.co.uk",
     .zone = {"_dmarc.example.co.uk TXT v=DMARC1; p=reject; sp=quarantine; pct=20"},
     .discovery = DMARC_SUFFIX_LIST,
     .want = "pass sp=quarantine quarantine at example.co.uk org example.co.uk pct 20 spf"},
    {.name = "nothing between",
     .from = "x.y.example.co.uk",
     .zone = {"_dmarc.y.example.co.uk TXT v=DMARC1; p=reject"},
     .discovery = DMARC_SUFFIX_LIST,
     .want = "none org example.co.uk"},
    {.name = "a parent without a record is the organization all the same",
     .spf = "example.com",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=reject"},
     .discovery = DMARC_SUFFIX_LIST,
     .want = "pass p=reject reject at a.example.com org example.com spf"},
    {.name = "np, psd and t do not exist",
     .from = "a.example.com",
     .zone = {"_dmarc.example.com TXT v=DMARC1; p=reject; np=foo; psd=y; t=y"},
     .discovery = DMARC_SUFFIX_LIST,
     .want = "fail p=reject reject at example.com org example.com"},
    {.name = "several end the search",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=none",
              "_dmarc.a.example.com TXT v=DMARC1; p=reject",
              "_dmarc.example.com TXT v=DMARC1; p=reject"},
     .discovery = DMARC_SUFFIX_LIST,
     .want = "none several a.example.com"},
    {.name = "a share: of those",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=reject; pct=20"},
     .discovery = DMARC_SUFFIX_LIST,
     .sample = 19,
     .want = "fail p=reject reject at a.example.com pct 20"},
    {.name = "a share: not of those",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=reject; pct=20"},
     .discovery = DMARC_SUFFIX_LIST,
     .sample = 20,
     .want = "fail p=reject quarantine at a.example.com pct 20"},
    {.name = "a share of none",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=quarantine; pct=0"},
     .discovery = DMARC_SUFFIX_LIST,
     .want = "fail p=quarantine none at a.example.com pct 0"},
    {.name = "no share in the tree walk",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; p=reject; pct=20"},
     .sample = 99,
     .want = "fail p=reject reject at a.example.com"},
    {.name = "no policy in the older RFC",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1"},
     .discovery = DMARC_SUFFIX_LIST,
     .want = "permerror p=none none at a.example.com"},
    {.name = "no policy, but reports, in the older RFC",
     .zone = {"_dmarc.a.example.com TXT v=DMARC1; rua=mailto:r@example.com"},
     .discovery = DMARC_SUFFIX_LIST,
     .want = "fail p=none none at a.example.com"},
    {.name = "a public suffix",
     .from = "co.uk",
     .zone = {"_dmarc.uk TXT v=DMARC1; p=reject"},
     .discovery = DMARC_SUFFIX_LIST,
     .want = "none org co.uk"},
};

static void test_suffix_list(void **state)
{
    (void)state;
    run_cases(list_cases, COUNT_OF(list_cases));
}

static void test_words(void **state)
{
    static const struct {
        struct dmarc_result result;
        const char *want;
    } cases[] = {
        {{.status = DMARC_STATUS_PASS, .policy = DMARC_REJECT, .percent = 20}, "pass"},
        {{.status = DMARC_STATUS_TEMPERROR, .percent = 100}, "temperror"},
        {{.status = DMARC_STATUS_FAIL,
          .published = DMARC_REJECT,
          .policy = DMARC_REJECT,
          .percent = 100},
         "fail(reject)"},
        {{.status = DMARC_STATUS_FAIL,
          .published = DMARC_REJECT,
          .policy = DMARC_REJECT,
          .percent = 20},
         "fail(reject,20%)"},
        {{.status = DMARC_STATUS_FAIL,
          .published = DMARC_REJECT,
          .policy = DMARC_QUARANTINE,
          .percent = 20},
         "fail(quarantine)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *got = dmarc_result_word(&cases[i].result);

        assert_string_equal(got, cases[i].want);
        free(got);
    }
}

/* Names are asked for at once where they are needed at once, and only then. */
static void test_waves(void **state)
{
    static const char *const lines[] = {RELAXED, NULL};
    static const char *const dkim[] = {"b.example.com", "anexample.com"};
    struct zone *zone = zone_new();
    struct check check = {
        .query = {.from_domain = "x.y.example.com", .dkim_domains = dkim, .ndkim = 2}};

    (void)state;
    zone_add_lines(zone, lines);
    /* the From domain; its parents; what the signature adds to them */
    assert_int_equal(zone_run(zone, true, evaluate, &check), 4);
    assert_int_equal(zone_asked(zone), 5);
    assert_true(zone_was_asked(zone, "_dmarc.com TXT"));
    assert_false(zone_was_asked(zone, "_dmarc.anexample.com TXT"));
    assert_int_equal(check.result.status, DMARC_STATUS_PASS);
    dmarc_result_clear(&check.result);
    zone_free(&zone);
}

static void test_problems(void **state)
{
    static const char *const lines[] = {"_dmarc.a.example.com TXT v=DMARC1; p=reject; fo=9", NULL};
    struct zone *zone = zone_new();
    struct check check = {.query = {.from_domain = "a.example.com"}};

    (void)state;
    zone_add_lines(zone, lines);
    assert_int_not_equal(zone_run(zone, false, evaluate, &check), 0);
    assert_int_equal(check.result.problems.count, 1);
    assert_string_equal(check.result.problems.items[0], "\"fo=9\": an option is 0, 1, d or s");
    dmarc_result_clear(&check.result);
    assert_int_equal(check.result.problems.count, 0);
    zone_free(&zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_discovery), cmocka_unit_test(test_alignment),
        cmocka_unit_test(test_words),     cmocka_unit_test(test_suffix_list),
        cmocka_unit_test(test_waves),     cmocka_unit_test(test_problems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
