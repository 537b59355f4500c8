/* SPDX-License-Identifier: BSD-2-Clause */
/* Which strings an expression needs. */
#include "lib/base/count.h"
#include "lib/classify/literals.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define JOINED_MAX 200

static unsigned complaints;

/* Appends "a|b|c". */
static void join(const struct strings *strings, char joined_r[JOINED_MAX])
{
    size_t length = 0;

    joined_r[0] = '\0';
    for (size_t i = 0; i < strings->count; i++)
        length += (size_t)snprintf(joined_r + length, JOINED_MAX - length, "%s%s", i > 0 ? "|" : "",
                                   strings->items[i]);
}

static void test_sets(void **state)
{
    static const struct {
        const char *expression;
        const char *sets[LITERALS_SETS]; /* none: nothing is told */
    } rows[] = {
        {"mailbox full", {"mailbox full", ""}},
        {"Mailbox", {"mailbox", ""}},
        {"user|mailbox", {"user|mailbox", ""}},
        {"(?:mail|in)box", {"mailbox|inbox", ""}},
        {"boxe?s", {"boxes|boxs", ""}},
        {"relay (?:\\w+ ){0,3}denied", {"relay ", "denied"}},
        {"denied.*relay", {"denied", "relay"}},
        {"a[bc]d efg", {"abd efg|acd efg", ""}},
        {"over (?:the )?quota", {"over the quota|over quota", ""}},
        {"quota(?: exceeded)*", {"quota", ""}},
        {"(?:spam)+", {"spam", ""}},
        /* Each way needs a string of the first set, and one of the second. */
        {"user.*unknown|box.*missing", {"unknown|missing", "user|box"}},
        {"unknown|box.*missing", {"unknown|missing", "unknown|box"}},
        {"(?=.*host)blocked", {"blocked", "host"}},
        {"blocked(?!.*host)", {"blocked", ""}},
        {"\\bspam\\b", {"spam", ""}},
        {"[0-9]{3} spam", {" spam", ""}},
        {"abcdefghijklmnopqrstuvwxyz", {"abcdefghijklmnop", "qrstuvwxyz"}},
        {"to", {"", ""}},
        {"[a-z]+", {"", ""}},
        {"spam|[0-9]+", {"", ""}},
        {"spam?|.*", {"", ""}},
        {"(a)\\1bcd", {"", ""}},
        {"(?i:spam)", {"", ""}},
        {"spam(", {"", ""}},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct strings got[LITERALS_SETS] = {{.count = 0}};
        bool found = literals_find(rows[i].expression, got);

        if (found != (rows[i].sets[0][0] != '\0')) {
            print_message("%s: %s\n", rows[i].expression, found ? "found" : "not found");
            complaints++;
        }
        for (size_t j = 0; j < LITERALS_SETS; j++) {
            char joined[JOINED_MAX];

            join(&got[j], joined);
            if (strcmp(joined, rows[i].sets[j]) != 0) {
                print_message("%s: \"%s\" in place of \"%s\"\n", rows[i].expression, joined,
                              rows[i].sets[j]);
                complaints++;
            }
            strings_free(&got[j]);
        }
    }
    assert_int_equal(complaints, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
