/* SPDX-License-Identifier: BSD-2-Clause */
/* The catalogue's groups and manual page, and that its texts name what there is. */
#include "lib/causes/causes.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/conf/schema.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_groups(void **state)
{
    (void)state;
    for (size_t i = 0; i < cause_group_count; i++) {
        int count = 0;

        for (int j = 0; j < CAUSE_COUNT; j++)
            count += cause_is_in(cause_get((enum cause_id)j), cause_groups[i].name);
        if (count == 0)
            fail_msg("%s: an empty group", cause_groups[i].name);
    }
    for (int j = 0; j < CAUSE_COUNT; j++) {
        const struct cause *cause = cause_get((enum cause_id)j);
        int count = 0;

        for (size_t i = 0; i < cause_group_count; i++)
            count += cause_is_in(cause, cause_groups[i].name);
        if (count != 1)
            fail_msg("%s: in %d groups", cause->id, count);
    }
    assert_false(cause_is_in(cause_find("limit.messages"), "lim"));
    assert_false(cause_is_in(cause_find("limit.messages"), "limit."));
}

/* What a cause's part of the page has to hold. */
static void check_part(const struct cause *cause, const char *part)
{
    static const char *const items[] = {"Default", "Found by", "Meaning", "Remedy", "Source", NULL};
    char *title = mem_print("\n%s.\n", cause->title);

    if (strncmp(strchr(part, '\n'), title, strlen(title)) != 0)
        fail_msg("%s: without its title", cause->id);
    for (size_t i = 0; items[i] != NULL; i++) {
        char *item = mem_print(".It Em %s\n", items[i]);
        const char *found = strstr(part, item);
        const char *next = strstr(part + 1, "\n.It Ic ");

        if (found == NULL || (next != NULL && found > next))
            fail_msg("%s: without %s", cause->id, items[i]);
        free(item);
    }
    free(title);
}

static void test_manual(void **state)
{
    char *manual = causes_manual();
    size_t column = 0;

    (void)state;
    for (int i = 0; i < CAUSE_COUNT; i++) {
        const struct cause *cause = cause_get((enum cause_id)i);
        char *item = mem_print(".It Ic %s\n", cause->id);
        const char *part = strstr(manual, item);

        if (part == NULL)
            fail_msg("%s: not in the manual", cause->id);
        check_part(cause, part);
        free(item);
    }
    for (const char *at = manual; *at != '\0'; at++) {
        column = *at == '\n' ? 0 : column + 1;
        if (column > 80)
            fail_msg("a line over 80 columns: %.80s", at - 79);
    }
    assert_non_null(strstr(manual, "defer (450 4.7.28); severity warn."));
    assert_non_null(strstr(manual, "warn (550 5.7.23 where it refuses); severity warn."));
    assert_non_null(strstr(manual, "sluice-policyd, sluice-milter, a check by hand."));
    free(manual);
}

/* --- texts that name what there is ---------------------------------------------------- */

static bool is_schema_name(const char *name)
{
    for (enum section_kind kind = SECTION_ROOT; kind < SECTION_COUNT; kind++)
        if (schema_option(kind, name) != NULL || schema_section(kind, name) != SECTION_COUNT)
            return true;
    return false;
}

/* A command line, "option", or "option = value". */
static bool exists(const char *literal)
{
    static const char *const commands[] = {"sluicectl config",
                                           "sluicectl causes",
                                           "sluicectl status",
                                           "sluicectl limits SUBJECT",
                                           "sluicectl reset SUBJECT",
                                           "sluicectl suspend USER",
                                           "sluicectl unsuspend USER",
                                           "sluicectl release USER",
                                           "sluicectl keygen DOMAIN",
                                           "sluicectl check dns DOMAIN",
                                           "sluicectl check endpoints HOST",
                                           "postfix reload"};
    char *name;
    bool known = false;

    for (size_t i = 0; i < COUNT_OF(commands); i++)
        known = known || strcmp(literal, commands[i]) == 0;
    name = mem_copy_n(literal, strcspn(literal, " "));
    known = known || (is_schema_name(name) &&
                      (strchr(literal, ' ') == NULL || strstr(literal, " = ") != NULL));
    free(name);
    return known;
}

static void check_literals(const char *id, const char *text)
{
    const char *start = text;

    while ((start = strchr(start, '`')) != NULL) {
        size_t length = strcspn(start + 1, "`");
        char *literal = mem_copy_n(start + 1, length);

        if (start[1 + length] == '\0')
            fail_msg("%s: a backquote without an end", id);
        if (!exists(literal))
            fail_msg("%s: there is no `%s`", id, literal);
        free(literal);
        start += length + 2;
    }
}

static void check_programs(const char *id, const char *text)
{
    static const char *const programs[] = {"sluice-policyd", "sluice-milter"};
    const char *at = text;

    while ((at = strstr(at, "sluice-")) != NULL) {
        bool known = false;

        for (size_t i = 0; i < COUNT_OF(programs); i++)
            known = known || strncmp(at, programs[i], strlen(programs[i])) == 0;
        if (!known)
            fail_msg("%s: there is no program %.20s", id, at);
        at++;
    }
}

static void test_texts_name_what_there_is(void **state)
{
    (void)state;
    for (int i = 0; i < CAUSE_COUNT; i++) {
        const struct cause *cause = cause_get((enum cause_id)i);

        check_literals(cause->id, cause->explanation);
        check_literals(cause->id, cause->remedy);
        check_programs(cause->id, cause->explanation);
        check_programs(cause->id, cause->remedy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_groups),
        cmocka_unit_test(test_manual),
        cmocka_unit_test(test_texts_name_what_there_is),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
