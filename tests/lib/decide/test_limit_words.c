/* SPDX-License-Identifier: BSD-2-Clause */
/* How a limit and its window are said to people. */
#include "lib/base/count.h"
#include "lib/base/text.h"
#include "lib/decide/limits.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_words(void **state)
{
    static const struct {
        const char *per;
        int max;
        const char *want;
    } cases[] = {
        {"1s", 1, "1 message in 1 second"},       {"90s", 5, "5 messages in 90 seconds"},
        {"10m", 5, "5 messages in 10 minutes"},   {"1h", 5, "5 messages in 1 hour"},
        {"150m", 5, "5 messages in 150 minutes"}, {"24h", 2000, "2000 messages in 24 hours"},
        {"7d", 2000, "2000 messages in 7 days"},  {"31d", 2000, "2000 messages in 31 days"},
    };
    char words[96];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text text = TEXT_EMPTY;

        text_print(&text, "limit l { subject = user count = messages max = %d per = %s }",
                   cases[i].max, cases[i].per);

        struct conf *conf = conf_of(text_string(&text));

        limits_words(&conf->limits[0], cases[i].max, words, sizeof words);
        assert_string_equal(words, cases[i].want);
        text_free(&text);
        conf_release(&conf);
    }
    limits_duration_words(0, words, sizeof words);
    assert_string_equal(words, "1 second");
    limits_duration_words(119, words, sizeof words);
    assert_string_equal(words, "119 seconds");
    limits_duration_words(60, words, sizeof words);
    assert_string_equal(words, "1 minute");
    limits_duration_words(86400, words, sizeof words);
    assert_string_equal(words, "24 hours");
    limits_duration_words(121, words, sizeof words);
    assert_string_equal(words, "3 minutes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
