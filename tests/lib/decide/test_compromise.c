/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/compromise.h"

#include "lib/base/count.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NEW .place = "place:192.0.2.0/24", .place_is_recent = true, .places = 1
#define NEW_COUNTRY .place = "place:AS64500", .country = "country:NL", .country_is_recent = true

/* With the defaults: from 10 times the usual and 30 recipients on. */
static const struct {
    const char *name, *evidence;
    struct habits habits;
    unsigned score;
    int64_t times;
    bool many;
} cases[] = {
    {"nothing", "", {.in_hour = {1, 0}}, 0, 0, false},
    {"no history", "", {.in_hour = {5000, 0}, .in_day = {5000, 0}}, 0, 0, false},
    {"ten times the usual",
     "10x usual (100 recipients this hour, usually 10)",
     {.in_hour = {100, 10}, .in_day = {100, 80}},
     30,
     10,
     false},
    {"nine times", "", {.in_hour = {99, 10}}, 0, 0, false},
    {"under the floor", "", {.in_hour = {29, 1}}, 0, 0, false},
    {"at the floor",
     "30x usual (30 recipients this hour, usually 1)",
     {.in_hour = {30, 1}},
     40,
     30,
     false},
    {"forty times",
     "40x usual (400 recipients this hour, usually 10)",
     {.in_hour = {400, 10}},
     50,
     40,
     false},
    {"volume has its most",
     "5000x usual (50000 recipients this hour, usually 10)",
     {.in_hour = {50000, 10}},
     60,
     5000,
     false},
    {"a slow flood is seen by the day",
     "20x usual (400 recipients this day, usually 20)",
     {.in_hour = {40, 10}, .in_day = {400, 20}},
     40,
     20,
     false},
    {"two networks are usual", "", {.places = 2}, 0, 0, false},
    {"five networks", "5 networks in 1h", {.places = 5}, 30, 0, false},
    {"six networks", "6 networks in 1h", {.places = 6}, 40, 0, true},
    {"a botnet",
     "64 networks in 1h, 9 countries in 1h",
     {.places = 64, .countries = 9},
     90,
     0,
     true},
    {"two countries", "2 countries in 1h", {.places = 2, .countries = 2}, 20, 0, false},
    {"three countries", "3 countries in 1h", {.places = 2, .countries = 3}, 40, 0, true},
    {"half are new", "50% new recipients", {.sampled = 10, .fresh = 5}, 5, 0, false},
    {"nearly all are new", "83% new recipients", {.sampled = 100, .fresh = 83}, 27, 0, false},
    {"too few to tell", "", {.sampled = 9, .fresh = 9}, 0, 0, false},
    {"mostly known", "", {.sampled = 100, .fresh = 49}, 0, 0, false},
    {"travel",
     "first mail from NL, a new mail program",
     {NEW_COUNTRY, .client_is_recent = true},
     30,
     0,
     false},
    {"a new network", "first mail from 192.0.2.0/24", {NEW}, 10, 0, false},
    {"stolen",
     "40x usual (400 recipients this hour, usually 10), 7 networks in 1h, 83% new recipients, "
     "first "
     "mail from NL, a new mail program",
     {NEW_COUNTRY, .in_hour = {400, 10}, .places = 7, .sampled = 100, .fresh = 83,
      .client_is_recent = true},
     157,
     40,
     true},
};

static void test_score(void **state)
{
    struct conf *conf = *state;

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text evidence = TEXT_EMPTY;
        unsigned score = compromise_score(conf, &cases[i].habits, &evidence);
        int64_t times = compromise_times_usual(conf, &cases[i].habits);

        if (score != cases[i].score || strcmp(text_string(&evidence), cases[i].evidence) != 0)
            fail_msg("%s: %u, %s", cases[i].name, score, text_string(&evidence));
        if (times != cases[i].times ||
            compromise_many_locations(conf, &cases[i].habits) != cases[i].many)
            fail_msg("%s: %d times", cases[i].name, (int)times);
        text_free(&evidence);
    }
}

static int load(void **state)
{
    *state = conf_of("hostname = mx.example.test\n");
    return 0;
}

static int unload(void **state)
{
    struct conf *conf = *state;

    conf_release(&conf);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_score)};

    return cmocka_run_group_tests(tests, load, unload);
}
