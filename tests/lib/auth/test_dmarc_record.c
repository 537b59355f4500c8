/* SPDX-License-Identifier: BSD-2-Clause */
/* DMARC records: what is one, what its tags say, and what is wrong with it. */
#include "lib/auth/dmarc_record.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

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
        {"v=DMARC1", true},
        {"v=DMARC1;", true},
        {"v=DMARC1; p=none", true},
        {"V = DMARC1 ;p=none", true},
        {"v\t=\tDMARC1\t;", true},
        {"v=dmarc1; p=none", false},
        {"v=DMARC2; p=none", false},
        {"v=DMARC1 p=none", false},
        {"v=DMARC1,p=none", false},
        {" v=DMARC1; p=none", false},
        {"p=none; v=DMARC1", false},
        {"v=DMARC10; p=none", false},
        {"vv=DMARC1", false},
        {"v", false},
        {"v=", false},
        {"=DMARC1", false},
        {"", false},
        {"v=spf1 -all", false},
        {"v=DMARC1x;", false},
        {";v=DMARC1", false},
        {"v==DMARC1", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (dmarc_record_is(cases[i].text, strlen(cases[i].text)) != cases[i].want)
            fail_msg("\"%s\"", cases[i].text);
    assert_false(dmarc_record_is("v=DMARC1\0;", 10));
}

static void add_policy(struct text *text, const char *name, const struct dmarc_policy_tag *tag)
{
    if (tag->presence == DMARC_TAG_GIVEN)
        text_print(text, "%s=%s ", name, dmarc_policy_name(tag->policy));
    else if (tag->presence == DMARC_TAG_WRONG)
        text_print(text, "%s=? ", name);
}

/* All that a record says, in a fixed order and form. */
static char *describe(const struct dmarc_record *record)
{
    static const char *const psd[] = {
        [DMARC_PSD_UNKNOWN] = "", [DMARC_PSD_YES] = "psd=y ", [DMARC_PSD_NO] = "psd=n "};
    struct text text = TEXT_EMPTY;

    add_policy(&text, "p", &record->p);
    add_policy(&text, "sp", &record->sp);
    add_policy(&text, "np", &record->np);
    text_print(&text, "%s%s%s%s", psd[record->psd], record->test ? "t=y " : "",
               record->strict_dkim ? "adkim=s " : "", record->strict_spf ? "aspf=s " : "");
    if (record->percent != 100)
        text_print(&text, "pct=%u ", record->percent);
    for (size_t i = 0; i < record->rua.count; i++)
        text_print(&text, "rua=%s ", record->rua.items[i]);
    for (size_t i = 0; i < record->ruf.count; i++)
        text_print(&text, "ruf=%s ", record->ruf.items[i]);
    for (size_t i = 0; i < record->problems.count; i++)
        text_print(&text, "[%s] ", record->problems.items[i]);
    if (text.length > 0)
        text_cut(&text, text.length - 1);
    return text_take(&text);
}

#define WRONG_POLICY ": a policy is none, quarantine or reject]"

static const struct {
    const char *tags; /* after "v=DMARC1;" */
    const char *want;
} tags_cases[] = {
    {"", ""},
    {" ", ""},
    {"p=none", "p=none"},
    {"p=quarantine;", "p=quarantine"},
    {" p = reject ; ", "p=reject"},
    {"P=REJECT;SP=None;nP=quarantine", "p=reject sp=none np=quarantine"},
    {"p=reject; sp=quarantine; np=none; psd=n; t=y; adkim=s; aspf=s",
     "p=reject sp=quarantine np=none psd=n t=y adkim=s aspf=s"},
    {"p=none; psd=y; t=n; adkim=r; aspf=r", "p=none psd=y"},
    {"p=none; psd=u", "p=none"},
    {"sp=reject; p=none", "p=none sp=reject"},
    {"p=none; x=y; unknown=ignored here", "p=none"},
    {"p=none; rf=afrf; ri=86400; pct=0", "p=none pct=0"},
    {"p=none; pct=100", "p=none"},
    {"p=none; fo=1", "p=none"},
    {"p=none; fo=0:d:s", "p=none"},
    {"p=none; fo=d:s:1", "p=none"},
    /* what is wrong counts as not there, and is told */
    {"p=foo", "p=? [\"p=foo\"" WRONG_POLICY},
    {"p=", "p=? [\"p=\"" WRONG_POLICY},
    {"p", "[\"p\": no tag]"},
    {"p=none; sp=no", "p=none sp=? [\"sp=no\"" WRONG_POLICY},
    {"p=none; np=all", "p=none np=? [\"np=all\"" WRONG_POLICY},
    {"p=re\001ject", "p=? [\"p=re\001ject\"" WRONG_POLICY},
    {"p=reject\xc3\xa4", "p=? [\"p=reject\xc3\xa4\"" WRONG_POLICY},
    {"p=none, sp=none", "p=? [\"p=none, sp=none\"" WRONG_POLICY},
    {"p=none; p=reject", "p=none [\"p=reject\": a tag that is there twice]"},
    {"p=none; v=DMARC1", "p=none [\"v=DMARC1\": a tag that is there twice]"},
    {"p=none;; sp=none", "p=none sp=none [\"\": an empty tag]"},
    {"p=none; =x", "p=none [\"=x\": no tag]"},
    {"p=none; a1=x", "p=none [\"a1=x\": no tag]"},
    {"p=none; psd=x", "p=none [\"psd=x\": it is y, n or u]"},
    {"p=none; t=yes", "p=none [\"t=yes\": it is y or n]"},
    {"p=none; adkim=strict", "p=none [\"adkim=strict\": an alignment is r or s]"},
    {"p=none; aspf=", "p=none [\"aspf=\": an alignment is r or s]"},
    {"p=none; pct=101", "p=none [\"pct=101\": it is a number from 0 to 100]"},
    {"p=none; pct=1e1", "p=none [\"pct=1e1\": it is a number from 0 to 100]"},
    {"p=none; pct=4294967297", "p=none [\"pct=4294967297\": it is a number from 0 to 100]"},
    {"p=none; pct=", "p=none [\"pct=\": it is a number from 0 to 100]"},
    {"p=none; fo=2", "p=none [\"fo=2\": an option is 0, 1, d or s]"},
    {"p=none; fo=0:1", "p=none [\"fo=0:1\": options 0 and 1 exclude each other]"},
    {"p=none; fo=d:d", "p=none [\"fo=d:d\": an option is there twice]"},
    {"p=none; fo=ds", "p=none [\"fo=ds\": an option is 0, 1, d or s]"},
    {"p=none; fo=", "p=none [\"fo=\": a tag without a value]"},
    {"p=none; ri=", "p=none [\"ri=\": a tag without a value]"},
    /* where reports go */
    {"rua=mailto:a@example.com", "rua=mailto:a@example.com"},
    {"rua=MAILTO:a@example.com , https://example.com/r?x=y",
     "rua=MAILTO:a@example.com rua=https://example.com/r?x=y"},
    {"rua=mailto:a@example.com!10m,mailto:b@example.com!50", "rua=mailto:a@example.com "
                                                             "rua=mailto:b@example.com"},
    {"ruf=mailto:a%2Cb@example.com", "ruf=mailto:a%2Cb@example.com"},
    {"rua=a@example.com", "[\"a@example.com\": no URI for reports]"},
    {"rua=mailto:", "[\"mailto:\": no URI for reports]"},
    {"rua=mailto:a", "[\"mailto:a\": no URI for reports]"},
    {"rua=mailto:@example.com", "[\"mailto:@example.com\": no URI for reports]"},
    {"rua=mailto:a@", "[\"mailto:a@\": no URI for reports]"},
    {"rua=mailto:a@?subject=x", "[\"mailto:a@?subject=x\": no URI for reports]"},
    {"rua=mailto:a b@example.com", "[\"mailto:a b@example.com\": no URI for reports]"},
    {"rua=mailto:a%2@example.com", "[\"mailto:a%2@example.com\": no URI for reports]"},
    {"rua=mailto:a@example.com!", "[\"mailto:a@example.com!\": no URI for reports]"},
    {"rua=mailto:a@example.com!10x", "[\"mailto:a@example.com!10x\": no URI for reports]"},
    {"rua=mailto:a@example.com!m", "[\"mailto:a@example.com!m\": no URI for reports]"},
    {"rua=1https://example.com", "[\"1https://example.com\": no URI for reports]"},
    {"rua=:x", "[\":x\": no URI for reports]"},
    {"rua=mailto:a@example.com,,x", "rua=mailto:a@example.com [\"\": no URI for reports] "
                                    "[\"x\": no URI for reports]"},
    {"rua=", "[\"rua=\": a tag without a value]"},
};

static void test_tags(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(tags_cases); i++) {
        char *text = mem_print("v=DMARC1;%s", tags_cases[i].tags);
        struct dmarc_record record;
        char *got;

        dmarc_record_parse(text, strlen(text), &record);
        got = describe(&record);
        if (strcmp(got, tags_cases[i].want) != 0)
            fail_msg("\"%s\": \"%s\" instead of \"%s\"", text, got, tags_cases[i].want);
        dmarc_record_clear(&record);
        free(got);
        free(text);
    }
}

static void test_policy(void **state)
{
    static const struct {
        const char *tags;
        const char *want; /* for the domain, one below that exists, one that does not */
        const char *old; /* in RFC 7489, where p= is not optional; NULL: the same */
    } cases[] = {
        {"p=reject", "reject reject reject", NULL},
        {"p=reject; sp=quarantine", "reject quarantine quarantine", NULL},
        {"p=reject; np=none", "reject reject none", NULL},
        {"p=none; sp=quarantine; np=reject", "none quarantine reject", NULL},
        {"p=none; np=reject", "none none reject", NULL},
        {"", "none none none", "- - -"},
        {"sp=reject", "none none none", "- - -"},
        {"adkim=s; ruf=mailto:a@example.com", "none none none", "- - -"},
        {"x=y", "none none none", "- - -"},
        {"adkim=x", "- - -", NULL},
        {"p=", "- - -", NULL},
        {"p=foo", "- - -", NULL},
        {"p=reject; sp=foo", "- - -", NULL},
        {"p=reject; np=foo", "- - -", NULL},
        {"rua=mailto:a@example.com", "none none none", NULL},
        {"p=foo; rua=mailto:a@example.com", "none none none", NULL},
        {"p=reject; sp=foo; rua=mailto:a@example.com", "none none none", NULL},
        {"p=reject; np=; rua=mailto:a@example.com", "none none none", NULL},
        {"p=foo; rua=nowhere", "- - -", NULL},
        {"p=foo; ruf=mailto:a@example.com", "- - -", NULL},
    };

    (void)state;
    for (size_t n = 0; n < 2 * COUNT_OF(cases); n++) {
        const size_t i = n / 2;
        const bool p_optional = n % 2 == 0;
        const char *want = p_optional || cases[i].old == NULL ? cases[i].want : cases[i].old;
        char *text = mem_print("v=DMARC1;%s", cases[i].tags);
        struct dmarc_record record;
        const char *names[3];
        char *got;

        dmarc_record_parse(text, strlen(text), &record);
        for (int scope = DMARC_DOMAIN; scope <= DMARC_NONEXISTENT; scope++) {
            enum dmarc_policy policy;

            names[scope] =
                dmarc_record_policy(&record, (enum dmarc_scope)scope, p_optional, &policy)
                    ? dmarc_policy_name(policy)
                    : "-";
        }
        got = mem_print("%s %s %s", names[0], names[1], names[2]);
        if (strcmp(got, want) != 0)
            fail_msg("\"%s\" (p optional: %d): %s", text, p_optional, got);
        dmarc_record_clear(&record);
        free(got);
        free(text);
    }
}

/* However much there is, not more than so much is kept. */
static void test_caps(void **state)
{
    struct text text = TEXT_EMPTY;
    struct dmarc_record record;

    (void)state;
    text_add_string(&text, "v=DMARC1;p=none;rua=mailto:a@example.com");
    for (int i = 0; i < 1000; i++)
        text_add_string(&text, ",mailto:a@example.com");
    for (int i = 0; i < 1000; i++)
        text_add_string(&text, ";;");
    dmarc_record_parse(text.bytes, text.length, &record);
    assert_int_equal(record.rua.count, DMARC_URIS_MAX);
    assert_int_equal(record.problems.count, DMARC_PROBLEMS_MAX);
    dmarc_record_clear(&record);
    assert_int_equal(record.rua.count, 0);
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_is_a_record),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_caps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
