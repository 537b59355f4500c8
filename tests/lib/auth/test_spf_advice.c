/* SPDX-License-Identifier: BSD-2-Clause */
/* Which SPF record is advised in place of the published one. */
#include "lib/auth/spf_advice.h"
#include "lib/base/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define TERMS_MAX 3

static void fill(struct strings *strings, const char *const *items)
{
    for (size_t i = 0; i < TERMS_MAX && items[i] != NULL; i++)
        strings_add(strings, items[i]);
}

static void check(const char *name, char *got, const char *want)
{
    if (strcmp(got, want) != 0)
        fail_msg("%s: \"%s\" in place of \"%s\"", name, got, want);
    free(got);
}

static void test_terms(void **state)
{
    static const struct {
        const char *name, *address, *want;
    } cases[] = {
        {"IPv4", "198.51.100.9", "ip4:198.51.100.9"},
        {"IPv6", "2001:DB8::9", "ip6:2001:db8::9"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address address;

        assert_true(ip_parse(cases[i].address, &address));
        check(cases[i].name, spf_advice_term(&address), cases[i].want);
    }
}

static void test_add(void **state)
{
    static const struct {
        const char *name, *record;
        const char *terms[TERMS_MAX];
        bool first;
        const char *want;
    } cases[] = {
        {"a new one", NULL, {"ip4:1.2.3.4"}, false, "v=spf1 ip4:1.2.3.4 -all"},
        {"before all", "v=spf1 mx ~all", {"ip4:1.2.3.4"}, false, "v=spf1 mx ip4:1.2.3.4 ~all"},
        {"two", "v=spf1 -ALL", {"a", "mx"}, false, "v=spf1 a mx -ALL"},
        {"one is there",
         "v=spf1 IP4:1.2.3.4 -all",
         {"ip4:1.2.3.4", "mx"},
         false,
         "v=spf1 IP4:1.2.3.4 mx -all"},
        {"before redirect", "v=spf1 Redirect=b.test", {"mx"}, false, "v=spf1 mx Redirect=b.test"},
        {"no end", "v=spf1 a", {"mx"}, false, "v=spf1 a mx"},
        {"nothing but the version", "v=spf1", {"mx"}, false, "v=spf1 mx"},
        {"first of all",
         "v=spf1 -ip4:1.2.0.0/16 -all",
         {"ip4:1.2.3.4"},
         true,
         "v=spf1 ip4:1.2.3.4 -ip4:1.2.0.0/16 -all"},
        {"spaces", "v=spf1   a   -all  ", {"mx"}, false, "v=spf1 a mx -all"},
        {"a name like all",
         "v=spf1 a:all.test exp=all -all",
         {"mx"},
         false,
         "v=spf1 a:all.test exp=all mx -all"},
        {"after the end", "v=spf1 ?all mx", {"a"}, false, "v=spf1 a ?all mx"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct strings terms = {0};

        fill(&terms, cases[i].terms);
        check(cases[i].name, spf_advice_add(cases[i].record, &terms, cases[i].first),
              cases[i].want);
        strings_free(&terms);
    }
}

static void test_merge(void **state)
{
    static const struct {
        const char *name;
        const char *records[TERMS_MAX];
        const char *want;
    } cases[] = {
        {"the strictest end",
         {"v=spf1 a ~all", "v=spf1 mx -all", "v=spf1 ?all"},
         "v=spf1 a mx -all"},
        {"whichever comes first", {"v=spf1 mx -all", "v=spf1 a +all"}, "v=spf1 mx a -all"},
        {"each term once", {"v=spf1 mx a", "V=SPF1 A ip4:1.2.3.4"}, "v=spf1 mx a ip4:1.2.3.4"},
        {"no qualifier", {"v=spf1 all", "v=spf1 ?all"}, "v=spf1 ?all"},
        {"two that say nothing", {"v=spf1", "v=spf1"}, "v=spf1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct strings records = {0};

        fill(&records, cases[i].records);
        check(cases[i].name, spf_advice_merge(&records), cases[i].want);
        strings_free(&records);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_terms),
        cmocka_unit_test(test_add),
        cmocka_unit_test(test_merge),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
