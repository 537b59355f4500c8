/* SPDX-License-Identifier: BSD-2-Clause */
/* The plan of a warm-up, day by day. */
#include "lib/base/count.h"
#include "lib/conf/conf.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

static void test_allowances(void **state)
{
    static const struct {
        const char *name;
        int64_t first;
        const char *growth;
        int64_t ceiling, day, want;
    } cases[] = {
        {"before it begins", 50, "1.5", 20000, -1, CONF_UNLIMITED},
        {"first day", 50, "1.5", 20000, 0, 50},
        {"second day", 50, "1.5", 20000, 1, 75},
        {"whole messages", 50, "1.5", 20000, 2, 112},
        {"what was cut off has grown", 50, "1.5", 20000, 4, 253},
        {"the last day below the ceiling", 50, "1.5", 20000, 14, 14596},
        {"the ceiling", 50, "1.5", 20000, 15, 20000},
        {"long after", 50, "1.5", 20000, 40000, 20000},
        {"not rounded down by the way numbers are kept", 100, "1.15", 1000, 1, 115},
        {"no growth", 50, "1", 20000, 30000, 50},
        {"first is the ceiling", 50, "2", 50, 1, 50},
        {"very much", 1, "10", CONF_UNLIMITED, 9, 1000000000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char text[200];
        struct conf *conf;
        int64_t got;

        (void)snprintf(text, sizeof(text),
                       "warmup a.example { start = 2026-11-20 first = %lld growth = %s "
                       "ceiling = %lld }",
                       (long long)cases[i].first, cases[i].growth, (long long)cases[i].ceiling);
        conf = load_good(text, NULL);
        got = conf_warmup_allowance(&conf->warmups[0], conf->warmups[0].start_day + cases[i].day);
        if (got != cases[i].want)
            fail_msg("%s: %lld in place of %lld", cases[i].name, (long long)got,
                     (long long)cases[i].want);
        conf_release(&conf);
    }
}

static void test_ceiling_day(void **state)
{
    struct conf *conf =
        load_good("warmup a.example { start = 2026-11-20 first = 50 ceiling = 20000 }\n"
                  "warmup b.example { start = 2026-11-20 first = 50 ceiling = 51 growth = 1 }\n"
                  "warmup c.example { start = 2026-11-20 first = 5 ceiling = 5 growth = 1 }\n",
                  NULL);

    (void)state;
    assert_int_equal(conf_warmup_ceiling_day(&conf->warmups[0]) - conf->warmups[0].start_day, 15);
    assert_true(conf_warmup_ceiling_day(&conf->warmups[1]) == INT64_MAX);
    assert_int_equal(conf_warmup_ceiling_day(&conf->warmups[2]), conf->warmups[2].start_day);
    conf_release(&conf);
}

static void test_destinations(void **state)
{
    struct conf *conf =
        load_good("local-domains = {example.com}\n"
                  "warmup 192.0.2.1 { start = 2026-11-20 first = 5 ceiling = 50 }\n"
                  "warmup 192.0.2.1 { start = 2026-11-20 first = 5 ceiling = 50\n"
                  "  destination = {gmail.com, .example.net} over = hold shadow = yes }\n",
                  NULL);
    const struct conf_warmup *all = &conf->warmups[0], *some = &conf->warmups[1];

    (void)state;
    assert_string_equal(all->limit.name, "192.0.2.1");
    assert_string_equal(some->limit.name, "192.0.2.1/gmail.com,.example.net");
    assert_true(some->limit.shadow && !all->limit.shadow);
    assert_int_equal(some->limit.over, 3);
    assert_int_equal(all->limit.over, -1);
    assert_true(some->limit.warmup == some);
    assert_true(conf_warmup_counts(conf, all, "gmail.com"));
    assert_false(conf_warmup_counts(conf, all, "example.com"));
    assert_true(conf_warmup_counts(conf, some, "gmail.com"));
    assert_false(conf_warmup_counts(conf, some, "mail.gmail.com"));
    assert_false(conf_warmup_counts(conf, some, "example.net"));
    assert_true(conf_warmup_counts(conf, some, "mx.example.net"));
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_allowances),
        cmocka_unit_test(test_ceiling_day),
        cmocka_unit_test(test_destinations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
