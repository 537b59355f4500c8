/* SPDX-License-Identifier: BSD-2-Clause */
/* Lookup tables in Postfix' text form. */
#include "lib/base/count.h"
#include "lib/conf/table.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text_file[] = "# a comment\n"
                                "\n"
                                "alice@example.com\talice\n"
                                "BOB@Example.com   bob,  carol\n"
                                "long@example.com one,\n"
                                "   # a comment between\n"
                                "\n"
                                "   two,\r\n"
                                "\tthree\n"
                                "#and here\n"
                                "twice@example.com first\n"
                                "twice@example.com second\n"
                                "@example.org  catchall\n"
                                "local localuser\n"
                                "user@example.com user\n"
                                "last@example.com end";

static const char pattern_file[] = "# comment\n"
                                   "/^(.*)-owner@(example\\.com)$/  $1@${2} $(1)\n"
                                   "/^Case@/i  sensitive\n"
                                   "!/@example\\.(com|net)$/  outside\n"
                                   "if /@example\\.net$/\n"
                                   "/^a/  a-net\n"
                                   "if /^b/\n"
                                   "/c@/  bc-net\n"
                                   "endif\n"
                                   "!/q/ not-q-net\n"
                                   "endif\n"
                                   "/^a/ a-other\n"
                                   "%^slash/% percent\n"
                                   "/^cost/ 5$$\n"
                                   "/^gro(u)?p/ <$1>\n";

static struct table *open_file(const char *kind, const char *content, char **problem_r)
{
    char specification[300];

    (void)snprintf(specification, sizeof(specification), "%s%s", kind, make_file("table", content));
    return table_open(specification, problem_r);
}

static void assert_finds(const struct table *table, const char *key, const char *want)
{
    char *got = table_find(table, key);

    if ((got == NULL) != (want == NULL) || (got != NULL && strcmp(got, want) != 0))
        fail_msg("%s: \"%s\" in place of \"%s\"", key, got != NULL ? got : "(nothing)",
                 want != NULL ? want : "(nothing)");
    free(got);
}

static void test_text(void **state)
{
    static const char *const kinds[] = {
        "texthash:", "hash:", "lmdb:", "cdb:", "btree:", "dbm:", ""};
    static const struct {
        const char *key, *want;
    } cases[] = {
        {"alice@example.com", "alice"},
        {"bob@EXAMPLE.com", "bob,  carol"},
        {"long@example.com", "one,   two,\tthree"},
        {"twice@example.com", "first"},
        {"nobody", NULL},
        {"last@example.com", "end"},
        {"", NULL},
    };

    (void)state;
    make_folder();
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        char *problem = NULL;
        struct table *table = open_file(kinds[i], text_file, &problem);

        if (table == NULL)
            fail_msg("%s: %s", kinds[i], problem);
        for (size_t j = 0; j < COUNT_OF(cases); j++)
            assert_finds(table, cases[j].key, cases[j].want);
        table_free(&table);
        assert_null(table);
    }
    remove_folder();
}

static void test_patterns(void **state)
{
    static const struct {
        const char *key, *want;
    } cases[] = {
        {"list-owner@example.com", "list@example.com list"},
        {"LIST-OWNER@EXAMPLE.COM", "LIST@EXAMPLE.COM LIST"},
        {"Case@example.com", "sensitive"},
        {"case@example.com", NULL},
        {"x@example.org", "outside"},
        {"a@example.net", "a-net"},
        {"bc@example.net", "bc-net"},
        {"b@example.net", "not-q-net"},
        {"qy@example.net", NULL},
        {"a@example.com", "a-other"},
        {"slash/@example.com", "percent"},
        {"cost@example.com", "5$"},
        {"group@example.com", "<u>"},
        {"grop@example.com", "<>"},
        {"z@example.com", NULL},
    };
    char *problem = NULL;
    struct table *table;

    (void)state;
    make_folder();
    table = open_file("regexp:", pattern_file, &problem);
    if (table == NULL)
        fail_msg("%s", problem);
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        assert_finds(table, cases[i].key, cases[i].want);
    table_free(&table);
    remove_folder();
}

static void test_inline(void **state)
{
    static const struct {
        const char *specification, *key, *want;
    } cases[] = {
        {"inline:{a=b}", "a", "b"},
        {"inline:{ a=b, c=d e=f }", "e", "f"},
        {"inline:{ {a = b c, d}, e=f }", "a", "b c, d"},
        {"inline:{ {a = b=c} }", "A", "b=c"},
        {"inline:{ }", "a", NULL},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *problem = NULL;
        struct table *table = table_open(cases[i].specification, &problem);

        if (table == NULL)
            fail_msg("%s: %s", cases[i].specification, problem);
        assert_finds(table, cases[i].key, cases[i].want);
        table_free(&table);
    }
}

static void test_addresses(void **state)
{
    static const struct {
        const char *address;
        bool local;
        const char *want;
    } cases[] = {
        {"user@example.com", false, "user"},
        {"user+tag@example.com", false, "user"},
        {"user+a+b@example.com", false, "user"},
        {"x@example.org", false, "catchall"},
        {"x+y@example.org", true, "catchall"},
        {"local@example.com", true, "localuser"},
        {"local+tag@example.com", true, "localuser"},
        {"local@example.com", false, NULL},
        {"local@example.org", true, "localuser"},
        {"+tag@example.com", true, NULL},
        {"local", false, "localuser"},
        {"local+tag", false, "localuser"},
        {"x@example.net", false, NULL},
    };
    char *problem = NULL;
    struct table *table;

    (void)state;
    make_folder();
    table = open_file("texthash:", text_file, &problem);
    assert_non_null(table);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *got = table_find_address(table, cases[i].address, "+", cases[i].local);

        if ((got == NULL) != (cases[i].want == NULL) ||
            (got != NULL && strcmp(got, cases[i].want) != 0))
            fail_msg("%s: %s", cases[i].address, got != NULL ? got : "nothing");
        free(got);
    }
    table_free(&table);
    remove_folder();
}

/* Patterns see the whole address only: parts of it would match by accident. */
static void test_addresses_in_patterns(void **state)
{
    char *problem = NULL;
    struct table *table;
    char *got;

    (void)state;
    make_folder();
    table = open_file("regexp:", "/^@/ domain\n/^user$/ local\n", &problem);
    assert_non_null(table);
    got = table_find_address(table, "user+x@example.com", "+", true);
    assert_null(got);
    table_free(&table);
    remove_folder();
}

static void test_problems(void **state)
{
    static const struct {
        const char *kind, *content, *want;
    } cases[] = {
        {"texthash:", "a b\n\nc\n", "/table:3: expected a key, white space and a value"},
        {"regexp:", "a b\n", "/table:1: expected /pattern/flags and a value"},
        {"regexp:", "/a/ b\n\n/c\n", "/table:3: the pattern has no end"},
        {"regexp:", "/a/q b\n", "/table:1: unknown flag"},
        {"regexp:", "/a/\n", "/table:1: expected a value behind the pattern"},
        {"regexp:", "/(/ b\n", "/table:1: "},
        {"regexp:", "/a/ $1\n", "that the pattern has not"},
        {"regexp:", "/a/ $x\n", "a $ in the value"},
        {"regexp:", "/a/ ${1\n", "a $ in the value"},
        {"regexp:", "!/(a)/ $1\n", "has no $1"},
        {"regexp:", "endif\n", "/table:1: endif without if"},
        {"regexp:", "/a/ b\nif /x/\n/y/ z\n", "/table:2: if without endif"},
    };
    static const char *const specifications[][2] = {
        {"inline:a=b", "expected inline:{"},
        {"inline:{a}", "expected inline:{"},
        {"inline:{{a=b}", "expected inline:{"},
        {"inline:{=b}", "expected inline:{"},
        {"inline:{a=}", "expected inline:{"},
        {"pcre:/x", "regexp:"},
        {"mysql:/x", "unknown kind of table \"mysql\""},
        {"regex:/x", "did you mean \"regexp\"?"},
        {"texthash:/no/such", "cannot read /no/such"},
        {"foo", "unknown kind of table \"foo\""},
        {"", "unknown kind of table \"\""},
    };
    char *problem = NULL;

    (void)state;
    make_folder();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_null(open_file(cases[i].kind, cases[i].content, &problem));
        if (strstr(problem, cases[i].want) == NULL)
            fail_msg("%s: \"%s\" in place of \"%s\"", cases[i].content, problem, cases[i].want);
        free(problem);
    }
    for (size_t i = 0; i < COUNT_OF(specifications); i++) {
        assert_null(table_open(specifications[i][0], &problem));
        if (strstr(problem, specifications[i][1]) == NULL)
            fail_msg("%s: %s", specifications[i][0], problem);
        free(problem);
    }
    remove_folder();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_inline),
        cmocka_unit_test(test_addresses),
        cmocka_unit_test(test_addresses_in_patterns),
        cmocka_unit_test(test_problems),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
