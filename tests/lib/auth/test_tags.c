/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/tags.h"
#include "lib/base/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_tags_have(void **state)
{
    static const struct {
        const char *name, *list, *tag;
        bool want;
    } cases[] = {
        {"only", "v=1", "v", true},
        {"absent", "v=1; a=rsa-sha256", "d", false},
        {"empty list", "", "d", false},
        {"empty value", "v=1; d=; s=x", "d", false},
        {"empty value at the end", "v=1; d=", "d", false},
        {"white space only", "d= \r\n\t; s=x", "d", false},
        {"part of another name", "bh=abc; b=", "b", false},
        {"name that begins alike", "bh=abc", "b", false},
        {"white space around", " v = 1 ;\n\td \n\t=\n\tx", "d", true},
        {"name in a value", "a=d; s=x", "d", false},
        {"equals sign in a value", "b=d=x", "d", false},
        {"case of the name counts", "D=x", "d", false},
        {"trailing semicolons", "d=x;;", "d", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (tags_have(cases[i].list, cases[i].tag) != cases[i].want)
            fail_msg("%s", cases[i].name);
}

static void test_tags_equal(void **state)
{
    static const struct {
        const char *name, *list, *tag, *value;
        bool want;
    } cases[] = {
        {"same", " v=1; d=example.com; s=s1", "d", "example.com", true},
        {"last", "d=example.com", "d", "example.com", true},
        {"case", "d=Example.COM;", "d", "example.com", true},
        {"folded", "d=exam\n\tple.com ; s=s1", "d", "example.com", true},
        {"longer", "d=example.com.au", "d", "example.com", false},
        {"shorter", "d=example.co", "d", "example.com", false},
        {"other", "d=example.net; s=example.com", "d", "example.com", false},
        {"absent", "s=s1", "d", "example.com", false},
        {"first of two", "d=a; d=b", "d", "b", false},
        {"empty", "d=; s=s1", "d", "example.com", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (tags_equal(cases[i].list, cases[i].tag, cases[i].value) != cases[i].want)
            fail_msg("%s", cases[i].name);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tags_have),
        cmocka_unit_test(test_tags_equal),
    };

    return cmocka_run_group_tests_name("tags", tests, NULL, NULL);
}
