/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/signer_rules.h"

#include "lib/base/count.h"
#include "lib/base/text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The numbers of the keys for an address, and what stands for i=: "1 2(x@y) ". */
static char *match(const struct signer_rules *rules, const char *from)
{
    struct signer_match matches[CONF_SIGNS_MAX];
    struct address address;
    struct text text = TEXT_EMPTY;
    size_t count;

    assert_int_equal(address_parse(from, false, &address), ADDRESS_FINE);
    count = signer_rules_match(rules, &address, matches);
    for (size_t i = 0; i < count; i++) {
        text_print(&text, "%s%zu", i > 0 ? " " : "", matches[i].key);
        if (matches[i].signer != NULL)
            text_print(&text, "(%s)", matches[i].signer);
    }
    address_clear(&address);
    return text_take(&text);
}

static void check(const char *name, const struct signer_rules *rules, const char *from,
                  const char *want)
{
    char *got = match(rules, from);

    if (strcmp(got, want) != 0)
        fail_msg("%s: %s: %s, not %s", name, from, got, want);
    free(got);
}

static void test_patterns(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } cases[] = {
        {"*", "a@b", true},
        {"*", "", true},
        {"", "", true},
        {"", "a", false},
        {"*@example.com", "a@example.com", true},
        {"*@example.com", "a@sub.example.com", false},
        {"*@*example.com", "a@sub.example.com", true},
        {"*@example.com", "a@example.com.org", false},
        {"a*@*.com", "alice@x.example.com", true},
        {"a*@*.com", "bob@x.example.com", false},
        {"*a*a*", "banana", true},
        {"*ab", "aab", true},
        {"a.c", "abc", false},
        {"[a]@b", "a@b", false},
        {"a**", "a", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (signer_pattern_matches(cases[i].pattern, cases[i].text) != cases[i].matches)
            fail_msg("%s, %s", cases[i].pattern, cases[i].text);
}

static void test_domains(void **state)
{
    static const struct {
        const char *from, *want;
    } cases[] = {
        {"a@example.com", "0 1"},
        {"a@EXAMPLE.com", "0 1"},
        {"a@sub.example.com", "2"},
        {"a@deep.sub.example.com", "2"},
        {"a@near.sub.example.com", "3"},
        {"a@notexample.com", ""},
        {"a@com", ""},
        {"a@customer.example", "4"},
        {"a@www.customer.example", ""},
        {"a@one.many.example", "4 5"},
        {"a@many.example", ""},
    };
    struct signer_rules *rules = signer_rules_new();

    (void)state;
    signer_rules_own(rules, "example.com", 0);
    signer_rules_own(rules, "example.com", 1);
    signer_rules_own(rules, ".example.com", 2);
    signer_rules_own(rules, "near.sub.example.com", 3);
    signer_rules_third_party(rules, "customer.example", 4);
    signer_rules_third_party(rules, ".many.example", 4);
    signer_rules_third_party(rules, "one.many.example", 4);
    signer_rules_third_party(rules, ".many.example", 5);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        check("domains", rules, cases[i].from, cases[i].want);
    signer_rules_free(&rules);
}

static struct signer_rules *rules_of(const char *text, bool patterns, bool all)
{
    struct signer_rules *rules = signer_rules_new();
    struct signing_table table = {0};
    char *problem = NULL;

    signer_rules_name(rules, "k0", NULL, 0);
    signer_rules_name(rules, "k1", NULL, 1);
    signer_rules_name(rules, "each", "a.example", 2);
    signer_rules_name(rules, "each", "b.example", 3);
    signer_rules_name(rules, "c.example", NULL, 4);
    assert_true(signing_table_parse(text, TABLE_LINES, &table, &problem));
    assert_true(signer_rules_table(rules, &table, patterns, all, &problem));
    return rules;
}

static void test_tables(void **state)
{
    static const char refile[] = "alice@* k0:alice@example.com\n*@x.example k1\n*@c.example %\n"
                                 "*.example each\n*@x.example k0\n";
    static const char file[] = "* k0\nx.example k1\nalice@x.example k0\n.x.example k1\n"
                               "alice@.x.example k0:%@x.example\nbob@* k1\nx.example each\n";
    static const struct {
        const char *name, *table;
        bool patterns, all;
        const char *from, *want;
    } cases[] = {
        {"first", refile, true, false, "Alice@x.example", "0(alice@example.com)"},
        {"all, each once", refile, true, true, "alice@x.example", "0(alice@example.com) 1"},
        {"second line", refile, true, false, "bob@x.example", "1"},
        {"both lines", refile, true, true, "bob@x.example", "1 0"},
        {"named as the domain", refile, true, false, "bob@c.example", "4"},
        {"a key for each domain", refile, true, false, "bob@b.example", "3"},
        {"none for this domain", refile, true, false, "bob@d.example", ""},
        {"none", refile, true, true, "bob@example.org", ""},
        {"whole address", file, false, false, "alice@x.example", "0"},
        {"host", file, false, false, "carol@x.example", "1"},
        {"user below", file, false, false, "alice@y.x.example", "0(%@x.example)"},
        {"below", file, false, false, "carol@z.y.x.example", "1"},
        {"user anywhere", file, false, false, "bob@example.org", "1"},
        {"anybody", file, false, false, "carol@example.org", "0"},
        {"all", file, false, true, "bob@example.org", "1 0"},
        {"all of a host", file, false, true, "alice@x.example", "0 1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct signer_rules *rules = rules_of(cases[i].table, cases[i].patterns, cases[i].all);

        check(cases[i].name, rules, cases[i].from, cases[i].want);
        signer_rules_free(&rules);
    }
}

static void test_unknown_name(void **state)
{
    struct signer_rules *rules = signer_rules_new();
    struct signing_table table = {0};
    char *problem = NULL;

    (void)state;
    assert_true(signing_table_parse("#\n* absent\n", TABLE_LINES, &table, &problem));
    assert_false(signer_rules_table(rules, &table, true, false, &problem));
    assert_string_equal(problem, "line 2: sign-key-table has no key absent");
    free(problem);
    signing_table_clear(&table);
    signer_rules_free(&rules);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_domains),
        cmocka_unit_test(test_tables),
        cmocka_unit_test(test_unknown_name),
    };

    return cmocka_run_group_tests_name("signer_rules", tests, NULL, NULL);
}
