/* SPDX-License-Identifier: BSD-2-Clause */
/* The phrase that says when a cause suspends. */
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/conf/conf.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HOUR_MS 3600000
#define CAUSE "dns.spf-fail"

static const struct {
    const char *name, *text, *override;
    struct conf_suspend want; /* life 0: none */
    int action;
} good[] = {
    {"without quotes",
     "cause dns.spf-fail { suspend = 12h after 3 in 10m }",
     NULL,
     {12 * HOUR_MS, 3, 600000},
     -1},
    {"in quotes",
     "cause dns.spf-fail { suspend = \"12h after  3 in 10m\" }",
     NULL,
     {12 * HOUR_MS, 3, 600000},
     -1},
    {"with the first", "cause dns.spf-fail { suspend = 30m }", NULL, {1800000, 1, HOUR_MS}, -1},
    {"an option behind it",
     "cause dns.spf-fail { suspend = 1h after 2 in 1m action = reject }",
     NULL,
     {HOUR_MS, 2, 60000},
     5},
    {"an option on the next line",
     "cause dns.spf-fail {\n suspend = 1h\n action = reject\n}",
     NULL,
     {HOUR_MS, 1, HOUR_MS},
     5},
    {"over two lines",
     "cause dns.spf-fail { suspend = 1h after 2\n in 1m }",
     NULL,
     {HOUR_MS, 2, 60000},
     -1},
    {"the last one holds",
     "cause dns.spf-fail { suspend = 1h }\ncause dns.spf-fail { suspend = 2h }\n"
     "cause dns.spf-fail { action = reject }",
     NULL,
     {2 * HOUR_MS, 1, HOUR_MS},
     5},
    {"an override", "", "cause.dns.spf-fail.suspend=1h after 4 in 1m", {HOUR_MS, 4, 60000}, -1},
    {"another cause's", "cause limit.messages { suspend = 1h }", NULL, {0, 0, 0}, -1},
};

static void test_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(good); i++) {
        struct conf *conf = load_good(good[i].text, good[i].override);
        const struct conf_suspend *got = conf_cause_suspend(conf, CAUSE);
        struct conf_suspend none = {0};

        if (got == NULL)
            got = &none;
        if (got->life_ms != good[i].want.life_ms || got->after != good[i].want.after ||
            got->window_ms != good[i].want.window_ms ||
            conf_cause_action(conf, CAUSE) != good[i].action)
            fail_msg("%s: %lld ms after %lld in %lld ms", good[i].name, (long long)got->life_ms,
                     (long long)got->after, (long long)got->window_ms);
        conf_release(&conf);
    }
}

static const struct {
    const char *value, *want;
} bad[] = {
    {"12", "expected how long, and after how many in what time, such as 12h after 3 in 10m"},
    {"\"12h after\"", "expected how long"},
    {"12h after 3", "expected how long"},
    {"12h after 3 in", "expected how long"},
    {"12h after three in 10m", "expected how long"},
    {"12h after 3 of 10m", "expected how long"},
    {"\"12h after 3 in 10m or so\"", "expected how long"},
    {"\"\"", "expected how long"},
    {"0s", "a suspension lasts from 1s to 366d"},
    {"400d", "a suspension lasts from 1s to 366d"},
    {"1h after 0 in 1m", "it counts from 1 to 1000000 in 1s to 31d"},
    {"1h after 2 in 32d", "it counts from 1 to 1000000 in 1s to 31d"},
    {"1h after 2 in 10ms", "it counts from 1 to 1000000 in 1s to 31d"},
};

static void test_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        char *text = mem_print("cause dns.spf-fail { suspend = %s }", bad[i].value);
        char *problems = NULL;
        struct conf *conf = load_text(text, &problems);

        if (conf != NULL)
            fail_msg("%s: it was taken", bad[i].value);
        if (strstr(problems, bad[i].want) == NULL)
            fail_msg("%s: %s", bad[i].value, problems);
        conf_release(&conf);
        free(problems);
        free(text);
    }
}

static void test_duration(void **state)
{
    int64_t ms = 0;

    (void)state;
    assert_true(conf_duration_parse("3d", &ms));
    assert_int_equal(ms, 3 * 24 * HOUR_MS);
    assert_false(conf_duration_parse("3", &ms));
    assert_false(conf_duration_parse("", &ms));
    assert_false(conf_duration_parse("tomorrow", &ms));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),
        cmocka_unit_test(test_bad),
        cmocka_unit_test(test_duration),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
