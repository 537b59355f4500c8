/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our SPF evaluation held against libspf2's on random zones of well-formed records.
 *
 * Left out is what libspf2 is known to get wrong or does not do: prefixes of 0, macros that ask for
 * as many parts as there are, and the limit on void lookups.
 */
#include "lib/auth/spf.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/lib/auth/libspf2.h"
#include "tests/lib/auth/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ZONES 3000
static const char *const names[] = {"example.com",   "a.example.com", "b.example.com",
                                    "c.example.com", "d.example.com", "gone.example.com"};
#define NAMES_THERE (COUNT_OF(names) - 1)
static const char *const v4[] = {"192.0.2.1", "192.0.2.2", "192.0.2.200", "198.51.100.1"};
static const char *const v6[] = {"2001:db8::1", "2001:db8::2", "2001:db8:1::1"};
static const char *const reverse[] = {
    "1.2.0.192.in-addr.arpa", "2.2.0.192.in-addr.arpa",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"};

/* The same numbers in every run, so that a failure can be looked at. */
static uint32_t seed;

static size_t pick(size_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (size_t)(seed >> 8) % below;
}

#define ANY(list) (list)[pick(COUNT_OF(list))]

static void add_term(struct text *record)
{
    static const char *const qualifiers[] = {"", "", "", "", "-", "~", "?"};
    static const char *const prefixes[] = {"", "", "", "/24", "//64", "/25//48"};
    static const char *const mechanisms[] = {"a", "mx", "ptr", "include", "exists", "ip4", "ip6"};
    static const char *const macros[] = {"%{d}", "%{o}", "%{l}.%{d}", "%{d1r}.%{o}"};
    const char *mechanism = ANY(mechanisms);

    text_print(record, " %s%s", ANY(qualifiers), mechanism);
    if (strcmp(mechanism, "ip4") == 0)
        text_print(record, ":%s%s", ANY(v4), pick(3) == 0 ? "/24" : "");
    else if (strcmp(mechanism, "ip6") == 0)
        text_print(record, ":%s%s", ANY(v6), pick(3) == 0 ? "/32" : "");
    else if (strcmp(mechanism, "include") == 0 || strcmp(mechanism, "exists") == 0 || pick(2) == 0)
        text_print(record, ":%s", pick(8) == 0 ? ANY(macros) : ANY(names));
    if (strcmp(mechanism, "a") == 0 || strcmp(mechanism, "mx") == 0)
        text_add_string(record, ANY(prefixes));
}

static void add_spf(struct zone *zone, const char *name)
{
    static const char *const ends[] = {"",      " -all", " ~all",
                                       " ?all", " +all", " redirect=d.example.com"};
    struct text record = TEXT_EMPTY;

    text_add_string(&record, "v=spf1");
    for (size_t i = pick(4); i > 0; i--)
        add_term(&record);
    text_add_string(&record, ANY(ends));
    zone_add(zone, name, "TXT", text_string(&record));
    text_free(&record);
}

static struct zone *make_zone(void)
{
    struct zone *zone = zone_new();

    for (size_t i = 0; i < NAMES_THERE; i++) {
        char *mx = mem_print("10 %s", ANY(names));

        if (pick(8) > 0)
            add_spf(zone, names[i]);
        if (pick(4) > 0)
            zone_add(zone, names[i], "A", ANY(v4));
        if (pick(4) > 0)
            zone_add(zone, names[i], "AAAA", ANY(v6));
        if (pick(2) == 0)
            zone_add(zone, names[i], "MX", mx);
        free(mx);
    }
    for (size_t i = 0; i < COUNT_OF(reverse); i++)
        if (pick(3) > 0)
            zone_add(zone, reverse[i], "PTR", ANY(names));
    return zone;
}

struct both {
    struct spf_query query;
    struct spf_result ours;
    const char *theirs;
};

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct both *both = context;
    bool known = spf_check(&both->query, lookup, &both->ours);

    both->theirs = libspf2_check(&both->query, lookup);
    return known;
}

static void test_engines_agree(void **state)
{
    unsigned compared = 0;

    (void)state;
    for (uint32_t i = 0; i < ZONES; i++) {
        struct both both = {.query = {.helo = "mail.example.com", .sender = "joe@example.com"}};
        struct zone *zone;

        seed = i;
        zone = make_zone();
        assert_true(ip_parse(pick(3) > 0 ? ANY(v4) : ANY(v6), &both.query.client));
        assert_int_equal(zone_run(zone, false, evaluate, &both), 1);
        if (both.ours.voids <= SPF_VOIDS_MAX) {
            compared++;
            if (strcmp(spf_status_name(both.ours.status), both.theirs) != 0)
                fail_msg("zone %u: %s, libspf2 %s (%s)", i, spf_status_name(both.ours.status),
                         both.theirs,
                         both.ours.problem != NULL ? both.ours.problem : both.ours.mechanism);
        }
        spf_result_clear(&both.ours);
        zone_free(&zone);
    }
    assert_in_range(compared, ZONES / 2, ZONES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_engines_agree)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
