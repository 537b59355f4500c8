/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/key_table.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_key_table(void **state)
{
    static const struct {
        const char *name, *text;
        const char *domain, *selector, *key; /* of the last entry; NULL: there is none */
        const char *problem;
    } cases[] = {
        {"empty", "", NULL, NULL, NULL, NULL},
        {"comments", "# a\n  # b\n\n \t\n", NULL, NULL, NULL, NULL},
        {"usual", "k example.com:s1:/k.pem\n", "example.com", "s1", "/k.pem", NULL},
        {"tabs, CR and a comment", "\tk\t \tExample.COM:S1:/k.pem \t# x\r\n", "example.com", "s1",
         "/k.pem", NULL},
        {"CR", "k example.com:s1:/k.pem\r\n", "example.com", "s1", "/k.pem", NULL},
        {"no line end", "a a.example:a:/a\nk example.com:s1:/k.pem", "example.com", "s1", "/k.pem",
         NULL},
        {"any domain", "k %:s1:/keys/%/s1.pem", "%", "s1", "/keys/%/s1.pem", NULL},
        {"colon in the path", "k example.com:s1:/a:b", "example.com", "s1", "/a:b", NULL},
        {"no value", "\nk\n", NULL, NULL, NULL, "line 2: expected a domain"},
        {"bad domain", "k a..b:s:/k", NULL, NULL, NULL, "line 1: expected a domain"},
        {"no selector", "k a.example", NULL, NULL, NULL, "line 1: expected a selector"},
        {"no key", "k a.example:s:", NULL, NULL, NULL, "line 1: expected the path"},
        {"no key's colon", "k a.example:s", NULL, NULL, NULL, "line 1: expected the path"},
        {"from here", "k a.example:s:./k.pem", "a.example", "s", "./k.pem", NULL},
        {"from above", "k a.example:s:../k.pem", "a.example", "s", "../k.pem", NULL},
        {"key in the table", "k a.example:s:MIIE+/=", "a.example", "s", "MIIE+/=", NULL},
        {"key with blanks", "k a.example:s:-----BEGIN A KEY-----\tMIIE\r\n", "a.example", "s",
         "-----BEGIN A KEY-----\tMIIE", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct key_table table = {0};
        char *problem = NULL;
        bool done = key_table_parse(cases[i].text, TABLE_LINES, &table, &problem);

        if (done != (cases[i].problem == NULL) ||
            (!done && strncmp(problem, cases[i].problem, strlen(cases[i].problem)) != 0))
            fail_msg("%s: %s", cases[i].name, done ? "done" : problem);
        if (done && (table.count > 0) != (cases[i].domain != NULL))
            fail_msg("%s: %zu entries", cases[i].name, table.count);
        if (done && table.count > 0) {
            const struct key_entry *last = &table.entries[table.count - 1];

            if (strcmp(last->domain, cases[i].domain) != 0 ||
                strcmp(last->selector, cases[i].selector) != 0 ||
                strcmp(last->key, cases[i].key) != 0 || strcmp(last->name, "k") != 0)
                fail_msg("%s: %s %s:%s:%s", cases[i].name, last->name, last->domain, last->selector,
                         last->key);
        }
        key_table_clear(&table);
        free(problem);
    }
}

static void test_signing_table(void **state)
{
    static const char text[] = "# who signs with what\n*@Example.com k1\n\n. % # any\n"
                               "a@b k2:%@example.com\n";
    static const struct {
        const char *pattern, *name, *signer;
        unsigned line;
    } want[] = {
        {"*@example.com", "k1", NULL, 2}, {".", "%", NULL, 4}, {"a@b", "k2", "%@example.com", 5}};
    struct signing_table table = {0}, broken = {0};
    char *problem = NULL;

    (void)state;
    assert_true(signing_table_parse(text, TABLE_LINES, &table, &problem));
    assert_int_equal(table.count, 3);
    for (size_t i = 0; i < table.count; i++) {
        assert_string_equal(table.entries[i].pattern, want[i].pattern);
        assert_string_equal(table.entries[i].name, want[i].name);
        assert_int_equal(table.entries[i].number, want[i].line);
        assert_true((table.entries[i].signer == NULL) == (want[i].signer == NULL));
        if (want[i].signer != NULL)
            assert_string_equal(table.entries[i].signer, want[i].signer);
    }
    signing_table_clear(&table);
    assert_false(signing_table_parse("a b\n*@example.com\n", TABLE_LINES, &broken, &problem));
    assert_string_equal(problem, "line 2: expected a pattern and the name of a key");
    signing_table_clear(&broken);
    free(problem);
}

static void test_lists(void **state)
{
    static const struct {
        const char *name, *text;
        size_t count;
        const char *last; /* name domain selector key of the last item */
        const char *problem;
    } cases[] = {
        {"empty", "", 0, NULL, NULL},
        {"commas alone", ",, ,", 0, NULL, NULL},
        {"one", "k=a.example:s:/k", 1, "k a.example s /k", NULL},
        {"blanks", " k = a.example:s:/k \n, l\t=\tb.example:t:/l ", 2, "l b.example t /l", NULL},
        {"no comment", "k=a.example:s:/k#1,l=b.example:t:/l", 2, "l b.example t /l", NULL},
        {"a key's own equals", "k=a.example:s:MIIE==", 1, "k a.example s MIIE==", NULL},
        {"no value", "k=a.example:s:/k,l", 0, NULL, "item 2: expected a domain"},
        {"nothing between", "k=a.example:s:/k,,l=b.example", 0, NULL, "item 3: expected a sel"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct key_table table = {0};
        char *problem = NULL, *last = NULL;
        bool done = key_table_parse(cases[i].text, TABLE_LIST, &table, &problem);

        if (done != (cases[i].problem == NULL) ||
            (!done && strncmp(problem, cases[i].problem, strlen(cases[i].problem)) != 0))
            fail_msg("%s: %s", cases[i].name, done ? "done" : problem);
        if (done && table.count != cases[i].count)
            fail_msg("%s: %zu items", cases[i].name, table.count);
        if (done && table.count > 0) {
            const struct key_entry *entry = &table.entries[table.count - 1];

            last =
                mem_print("%s %s %s %s", entry->name, entry->domain, entry->selector, entry->key);
            if (strcmp(last, cases[i].last) != 0)
                fail_msg("%s: %s", cases[i].name, last);
        }
        key_table_clear(&table);
        free(problem);
        free(last);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_table),
        cmocka_unit_test(test_signing_table),
        cmocka_unit_test(test_lists),
    };

    return cmocka_run_group_tests_name("key_table", tests, NULL, NULL);
}
