/* SPDX-License-Identifier: BSD-2-Clause */
/* What is kept of new keys over a restart. */
#include "lib/auth/key_seen.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/conf/files.h"
#include "tests/lib/auth/keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_found_again(void **state)
{
    EVP_PKEY *one = keys_make_ed25519(), *other = keys_make_ed25519();
    const struct {
        const char *name, *domain, *selector;
        const EVP_PKEY *key;
        bool found;
    } cases[] = {
        {"the same", "b.test", "s2", one, true},
        {"another domain", "c.test", "s2", one, false},
        {"the end of it", "test", "s2", one, false},
        {"another selector", "b.test", "s1", one, false},
        {"another key", "b.test", "s2", other, false},
    };
    struct text text = TEXT_EMPTY;
    struct key_seen seen;

    (void)state;
    key_seen_add(&text, "a.test", "s1", one, &(struct key_seen){1, 2});
    key_seen_add(&text, "b.test", "s2", one, &(struct key_seen){1700000000, 3600});
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (key_seen_find(text_string(&text), cases[i].domain, cases[i].selector, cases[i].key,
                          &seen) != cases[i].found)
            fail_msg("%s", cases[i].name);
    assert_true(key_seen_find(text_string(&text), "b.test", "s2", one, &seen));
    assert_int_equal(seen.since_sec, 1700000000);
    assert_int_equal(seen.ttl_sec, 3600);
    text_free(&text);
    EVP_PKEY_free(one);
    EVP_PKEY_free(other);
}

static void test_broken_lines(void **state)
{
    static const struct {
        const char *name, *numbers;
        bool found;
    } cases[] = {
        {"good", "17 60\n", true},
        {"cut", "17 60", false},
        {"one number", "17\n", false},
        {"a word", "17 x\n", false},
        {"negative", "-17 60\n", false},
        {"more behind", "17 60 1\n", false},
        {"too much", "99999999999999999999 60\n", false},
        {"longer than a TTL can be", "17 2147483648\n", false},
        {"a good one follows", "x\n%17 60\n", true},
    };
    EVP_PKEY *key = keys_make_ed25519();
    struct text line = TEXT_EMPTY;
    char *head;

    (void)state;
    key_seen_add(&line, "a.test", "s1", key, &(struct key_seen){0, 0});
    head = mem_copy_n(text_string(&line), line.length - strlen("0 0\n"));
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text text = TEXT_EMPTY;
        struct key_seen seen;

        text_add_string(&text, head);
        for (const char *c = cases[i].numbers; *c != '\0'; c++)
            if (*c == '%')
                text_add_string(&text, head);
            else
                text_add_char(&text, *c);
        if (key_seen_find(text_string(&text), "a.test", "s1", key, &seen) != cases[i].found)
            fail_msg("%s", cases[i].name);
        text_free(&text);
    }
    free(head);
    text_free(&line);
    EVP_PKEY_free(key);
}

static void test_written(void **state)
{
    char *folder = keys_folder(), *path = mem_print("%s/keys", folder), *problem = NULL;
    char *nowhere = mem_print("%s/absent/keys", folder);
    struct text text = TEXT_EMPTY, read = TEXT_EMPTY;

    (void)state;
    text_add_string(&text, "first\n");
    assert_true(key_seen_write(path, &text, &problem));
    text_add_string(&text, "second\n");
    assert_true(key_seen_write(path, &text, &problem));
    assert_true(file_read(path, 100, &read, NULL, &problem));
    assert_string_equal(text_string(&read), "first\nsecond\n");
    assert_false(key_seen_write(nowhere, &text, &problem));
    assert_non_null(strstr(problem, nowhere));
    free(problem);
    text_free(&text);
    text_free(&read);
    free(nowhere);
    free(path);
    keys_remove_folder(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_found_again),
        cmocka_unit_test(test_broken_lines),
        cmocka_unit_test(test_written),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
