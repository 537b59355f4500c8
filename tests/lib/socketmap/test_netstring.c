/* SPDX-License-Identifier: BSD-2-Clause */
/* Netstrings, as a server may send them in pieces or wrong. */
#include "lib/base/count.h"
#include "lib/socketmap/netstring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_strings(void **state)
{
    static const struct {
        const char *name, *bytes;
        enum netstring_status want;
        const char *string;
        size_t taken;
    } cases[] = {
        {"whole", "5:hello,", NETSTRING_WHOLE, "hello", 8},
        {"empty", "0:,", NETSTRING_WHOLE, "", 3},
        {"with what stands in one", "3:a:,,", NETSTRING_WHOLE, "a:,", 6},
        {"more behind it", "1:a,1:b,", NETSTRING_WHOLE, "a", 4},
        {"nothing yet", "", NETSTRING_MORE, NULL, 0},
        {"size only", "12", NETSTRING_MORE, NULL, 0},
        {"no comma yet", "5:hello", NETSTRING_MORE, NULL, 0},
        {"a part", "5:hel", NETSTRING_MORE, NULL, 0},
        {"no comma", "5:hello;", NETSTRING_BAD, NULL, 0},
        {"no size", ":hello,", NETSTRING_BAD, NULL, 0},
        {"words", "hello", NETSTRING_BAD, NULL, 0},
        {"negative", "-1:a,", NETSTRING_BAD, NULL, 0},
        {"leading zero", "05:hello,", NETSTRING_BAD, NULL, 0},
        {"too long", "65537:", NETSTRING_BAD, NULL, 0},
        {"far too long", "99999999999999999999:", NETSTRING_BAD, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        /* So that a look beyond the end is found. */
        size_t length = strlen(cases[i].bytes);
        char *bytes = malloc(length > 0 ? length : 1);
        const char *string;
        size_t string_length, taken;
        enum netstring_status got;

        assert_non_null(bytes);
        memcpy(bytes, cases[i].bytes, length);
        got = netstring_read(bytes, length, &string, &string_length, &taken);
        if (got != cases[i].want)
            fail_msg("%s: %d in place of %d", cases[i].name, (int)got, (int)cases[i].want);
        if (got == NETSTRING_WHOLE &&
            (string_length != strlen(cases[i].string) || taken != cases[i].taken ||
             memcmp(string, cases[i].string, string_length) != 0))
            fail_msg("%s: %.*s, %zu", cases[i].name, (int)string_length, string, taken);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_strings),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
