/* SPDX-License-Identifier: BSD-2-Clause */
/* Which addresses an SPF record lists. */
#include "lib/auth/spf_sources.h"

#include "lib/base/count.h"
#include "lib/base/text.h"
#include "tests/lib/auth/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES_MAX 16

struct check {
    struct ip_address addresses[SPF_SOURCES_MAX];
    size_t count;
    bool failed;
};

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct check *check = context;

    return spf_sources(lookup, "a.test", check->addresses, &check->count, &check->failed);
}

static const struct {
    const char *name;
    const char *zone[LINES_MAX];
    const char *want; /* the addresses, with ' ' between */
    bool failed;
} cases[] = {
    {"no record", {"a.test A 192.0.2.1"}, "", false},
    {"no such name", {"b.test A 192.0.2.1"}, "", false},
    {"an address", {"a.test TXT v=spf1 ip4:192.0.2.1 -all"}, "192.0.2.1", false},
    {"networks, a host of each",
     {"a.test TXT v=spf1 ip4:192.0.2.0/24 ip4:198.51.100.8/31 ip6:2001:db8::/32 -all"},
     "192.0.2.1 198.51.100.9 2001:db8::1",
     false},
    {"in order, each once",
     {"a.test TXT v=spf1 ip4:192.0.2.2 ip4:192.0.2.1 ip4:192.0.2.2 ~all"},
     "192.0.2.2 192.0.2.1",
     false},
    {"only what passes",
     {"a.test TXT v=spf1 -ip4:192.0.2.1 ~ip4:192.0.2.2 ?ip4:192.0.2.3 +ip4:192.0.2.4 -all"},
     "192.0.2.4",
     false},
    {"a and mx",
     {"a.test TXT v=spf1 a mx a:b.test -all", "a.test A 192.0.2.1", "a.test AAAA 2001:db8::1",
      "a.test MX 10 m.test", "m.test A 192.0.2.2", "b.test A 192.0.2.3"},
     "192.0.2.1 2001:db8::1 192.0.2.2 192.0.2.3",
     false},
    {"include and redirect",
     {"a.test TXT v=spf1 include:b.test redirect=c.test", "b.test TXT v=spf1 ip4:192.0.2.1 -all",
      "c.test TXT v=spf1 ip4:192.0.2.2 -all"},
     "192.0.2.1 192.0.2.2",
     false},
    {"an include that is not for us",
     {"a.test TXT v=spf1 -include:b.test ip4:192.0.2.2 -all",
      "b.test TXT v=spf1 ip4:192.0.2.1 -all"},
     "192.0.2.2",
     false},
    {"what depends on the client",
     {"a.test TXT v=spf1 exists:%{i}.b.test ptr include:%{d}.b.test a:%{i}.b.test ip4:192.0.2.1 "
      "-all"},
     "192.0.2.1",
     false},
    {"a loop", {"a.test TXT v=spf1 ip4:192.0.2.1 include:a.test -all"}, "192.0.2.1", false},
    {"a broken one", {"a.test TXT v=spf1 ip4:192.0.2.1 ipv4:192.0.2.2 -all"}, "", false},
    {"two", {"a.test TXT v=spf1 ip4:192.0.2.1 -all", "a.test TXT v=spf1 a -all"}, "", false},
    {"beside others",
     {"a.test TXT some=thing", "a.test TXT v=spf1 ip4:192.0.2.1 -all", "a.test TXT v=spf10 a"},
     "192.0.2.1",
     false},
    {"DNS fails", {"a.test FAIL TXT"}, "", true},
    {"DNS fails below",
     {"a.test TXT v=spf1 ip4:192.0.2.1 include:b.test -all", "b.test FAIL any"},
     "192.0.2.1",
     true},
    {"many",
     {"a.test TXT v=spf1 ip4:1.0.0.1 ip4:1.0.0.2 ip4:1.0.0.3 ip4:1.0.0.4 ip4:1.0.0.5 ip4:1.0.0.6 "
      "ip4:1.0.0.7 ip4:1.0.0.8 ip4:1.0.0.9 ip4:1.0.0.10 ip4:1.0.0.11 ip4:1.0.0.12 ip4:1.0.0.13 "
      "ip4:1.0.0.14 ip4:1.0.0.15 ip4:1.0.0.16 ip4:1.0.0.17 -all"},
     "1.0.0.1 1.0.0.2 1.0.0.3 1.0.0.4 1.0.0.5 1.0.0.6 1.0.0.7 1.0.0.8 1.0.0.9 1.0.0.10 1.0.0.11 "
     "1.0.0.12 1.0.0.13 1.0.0.14 1.0.0.15 1.0.0.16",
     false},
};

static void test_sources(void **state)
{
    (void)state;
    for (size_t n = 0; n < 2 * COUNT_OF(cases); n++) {
        const size_t i = n / 2;
        struct zone *zone = zone_new();
        struct check check = {.count = 0};
        struct text got = TEXT_EMPTY;
        char address[IP_TEXT_MAX];

        zone_add_lines(zone, cases[i].zone);
        if (zone_run(zone, n % 2 == 1, evaluate, &check) == 0)
            fail_msg("%s: pending for ever", cases[i].name);
        for (size_t a = 0; a < check.count; a++) {
            ip_format(&check.addresses[a], address);
            text_print(&got, "%s%s", a > 0 ? " " : "", address);
        }
        if (strcmp(text_string(&got), cases[i].want) != 0 || check.failed != cases[i].failed)
            fail_msg("%s: %s, failed %d", cases[i].name, text_string(&got), check.failed);
        text_free(&got);
        zone_free(&zone);
    }
}

/* Eleven records are one too many (RFC 7208 section 4.6.4). */
static void test_limit(void **state)
{
    struct zone *zone = zone_new();
    struct check check = {.count = 0};

    (void)state;
    zone_add(zone, "a.test", "TXT", "v=spf1 include:b0.test ip4:192.0.2.200 -all");
    for (unsigned i = 0; i < 12; i++) {
        char name[16], record[64];

        (void)snprintf(name, sizeof(name), "b%u.test", i);
        (void)snprintf(record, sizeof(record), "v=spf1 ip4:192.0.2.%u include:b%u.test -all", i,
                       i + 1);
        zone_add(zone, name, "TXT", record);
    }
    assert_int_not_equal(zone_run(zone, false, evaluate, &check), 0);
    assert_int_equal(check.count, 10);
    assert_int_equal(check.addresses[8].bytes[3], 8);
    assert_int_equal(check.addresses[9].bytes[3], 200);
    zone_free(&zone);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sources),
        cmocka_unit_test(test_limit),
    };

    return cmocka_run_group_tests_name("spf_sources", tests, NULL, NULL);
}
