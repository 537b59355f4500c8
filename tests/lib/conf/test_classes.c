/* SPDX-License-Identifier: BSD-2-Clause */
/* Whose maximum it is. */
#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char text[] =
    "local-domains = {example.com}\n"
    "sender-login = {equal, \"inline:{ shared@example.com=alice@example.com }\"}\n"
    "limit daily { count = messages max = 100 per = 24h }\n"
    "limit other { count = messages max = 10 per = 1h }\n"
    "class net { members = {192.0.2.0/24} limit daily { max = 1 } }\n"
    "class host { members = {192.0.2.7} limit daily { max = 2 } }\n"
    "class six { members = {\"2001:db8::/32\"} limit daily { max = 3 } }\n"
    "class domain { members = {\"@example.com\"} limit daily { max = 4 } }\n"
    "class person { members = {\"Alice@Example.com\", carol} limit daily { max = 5 } }\n"
    "class later { members = {bob@example.com} limit daily { max = 6 } }\n"
    "class latest { members = {bob@example.com} limit daily { max = 7 } }\n"
    "class only-other { members = {dora@example.com} limit other { max = 8 } }\n"
    "class shared { members = {shared@example.com} limit daily { max = 9 } }\n"
    "class idn { members = {\"@bücher.example\"} limit daily { max = 11 } }\n";

static void test_maxima(void **state)
{
    static const struct {
        const char *name, *login, *sender, *client;
        int64_t want;
        unsigned line;
    } cases[] = {
        {"nobody", "x@example.net", "x@example.net", "203.0.113.1", 100, 3},
        {"nothing known", "", "", "", 100, 3},
        {"network", "", "", "192.0.2.9", 1, 5},
        {"longer network", "", "", "192.0.2.7", 2, 6},
        {"mapped address", "", "", "::ffff:192.0.2.7", 2, 6},
        {"IPv6", "", "", "2001:db8::1", 3, 7},
        {"domain before network", "x@example.com", "", "192.0.2.7", 4, 8},
        {"address before domain", "alice@example.com", "", "192.0.2.7", 5, 9},
        {"case", "ALICE@EXAMPLE.COM", "", "", 5, 9},
        {"subaddress", "alice+tag@example.com", "", "", 5, 9},
        {"login without domain", "carol", "", "", 5, 9},
        {"the later one", "bob@example.com", "", "", 7, 11},
        {"a class that is silent about the limit", "dora@example.com", "", "", 4, 8},
        {"sender without login", "", "alice@example.com", "", 5, 9},
        {"sender's domain without login", "", "x@example.com", "", 4, 8},
        {"sender that is not the login's", "x@example.net", "bob@example.com", "", 100, 3},
        {"sender that is the login's", "alice@example.com", "shared@example.com", "", 9, 13},
        {"other's address, own class", "alice@example.com", "bob@example.com", "", 5, 9},
        {"IDN", "x@xn--bcher-kva.example", "", "", 11, 14},
    };
    struct conf *conf = load_good(text, NULL);

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        const struct conf_place *place = NULL;
        struct ip_address client = {.family = 0};
        int64_t got;

        if (*cases[i].client != '\0')
            assert_true(ip_parse(cases[i].client, &client));
        got = conf_limit_max(conf, &conf->limits[0], cases[i].login, cases[i].sender, &client,
                             &place);
        if (got != cases[i].want || place->line != cases[i].line)
            fail_msg("%s: %lld of line %u in place of %lld of line %u", cases[i].name,
                     (long long)got, place->line, (long long)cases[i].want, cases[i].line);
    }
    assert_int_equal(conf_limit_max(conf, &conf->limits[1], "dora@example.com", "", NULL, NULL), 8);
    conf_release(&conf);
}

static void test_long_names(void **state)
{
    struct conf *conf = load_good(text, NULL);
    char name[4000];

    (void)state;
    memset(name, 'a', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    assert_int_equal(conf_limit_max(conf, &conf->limits[0], name, name, NULL, NULL), 100);
    assert_int_equal(conf_limit_max(conf, &conf->limits[0], "@", "@@", NULL, NULL), 100);
    assert_int_equal(conf_limit_max(conf, &conf->limits[0], "+@+", "+", NULL, NULL), 100);
    conf_release(&conf);
}

/* The time per question does not grow with the members: 100000 of them are asked about in no more
 * time than a walk through all of them would take for a few. */
static void test_many_members(void **state)
{
    enum { MEMBERS = 100000 };
    struct text big = TEXT_EMPTY;
    struct conf *conf;
    int64_t start;
    char login[64];

    (void)state;
    text_add_string(&big, "limit daily { count = messages max = 1 per = 1h }\n"
                          "class big { limit daily { max = 2 } members = {\n");
    for (int i = 0; i < MEMBERS; i++)
        text_print(&big, "user%d@example.com,\n", i);
    text_add_string(&big, "last@example.com } }\n");
    conf = load_good(text_string(&big), NULL);
    start = clock_now_us(&clock_steady);
    for (int i = 0; i < MEMBERS; i++) {
        (void)snprintf(login, sizeof(login), "user%d@example.com", i);
        if (conf_limit_max(conf, &conf->limits[0], login, login, NULL, NULL) != 2)
            fail_msg("%s", login);
    }
    /* A walk would make ten thousand million comparisons. */
    assert_true(clock_now_us(&clock_steady) - start < 10 * 1000000);
    conf_release(&conf);
    text_free(&big);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_maxima),
        cmocka_unit_test(test_long_names),
        cmocka_unit_test(test_many_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
