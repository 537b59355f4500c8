/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Our SPF evaluation held against libspf2's on random zones of well-formed records: once with the
 * records as they are, and once with what a second engine is asked.
 *
 * Left out of the first is what libspf2 is known to get wrong or does not do: prefixes of 0, macros
 * that ask for as many parts as there are, and the limit on void lookups.
 */
#include "engine/libspf2.h"
#include "lib/auth/spf_second.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/lib/auth/spf_suite.h"
#include "tests/lib/auth/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ZONES 3000
static const char *const names[] = {"example.com",   "a.example.com", "b.example.com",
                                    "c.example.com", "d.example.com", "gone.example.com"};
#define NAMES_THERE (COUNT_OF(names) - 1)
static const char *const v4[] = {"192.0.2.1", "192.0.2.2", "192.0.2.200", "198.51.100.1"};
static const char *const v6[] = {"2001:db8::1", "2001:db8::2", "2001:db8:1::1"};
static const char *const strangers[] = {"127.0.0.1", "::1", "198.51.100.77"};
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

    both->theirs = libspf2_check(&both->query.client, "example.com", lookup);
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

/* --- the second engine ---------------------------------------------------------------- */

/* libspf2 within this process, asked as the program is. */
struct engine {
    const struct lookup *zone;
    struct spf_opinion opinion;
    unsigned asked, differs, missed;
};

static const struct dns_answer *find(void *context, const char *name, enum dns_type type)
{
    const struct lookup *zone = ((struct engine *)context)->zone;

    return zone->find(zone->context, name, type);
}

static const struct spf_opinion *ask(void *context, const struct spf_question *question)
{
    struct engine *engine = context;
    struct spf_request request;
    struct lookup lookup;

    assert_true(spf_request_parse(question->text, question->length, &request));
    lookup = spf_request_lookup(&request);
    engine->opinion = (struct spf_opinion){.given = true};
    assert_true(spf_status_parse(libspf2_check(&request.client, request.domain, &lookup),
                                 &engine->opinion.said));
    engine->opinion.stands = engine->opinion.said;
    engine->asked++;
    engine->missed += request.missed;
    if (engine->opinion.said != question->own) {
        engine->differs++;
        print_error("%s by %s, libspf2 %s:\n%s", spf_status_name(question->own),
                    question->mechanism, spf_status_name(engine->opinion.said), question->text);
    }
    spf_request_clear(&request);
    return &engine->opinion;
}

struct asked {
    struct engine *engine;
    const struct spf_query *query;
    struct spf_result *result;
};

static bool evaluate_both(const struct lookup *zone, void *context)
{
    struct asked *asked = context;
    const struct lookup lookup = {.find = find, .second = ask, .context = asked->engine};

    asked->engine->zone = zone;
    return spf_check(asked->query, &lookup, asked->result);
}

static void run(struct spf_suite_case *one, struct spf_result *result_r, void *engine)
{
    struct asked asked = {engine, &one->query, result_r};

    assert_true(zone_run(one->zone, false, evaluate_both, &asked) > 0);
}

/* Whatever libspf2 is asked it gets right. */
static void test_suite(void **state)
{
    struct engine engine = {.asked = 0};
    unsigned all, good;

    (void)state;
    if (!spf_suite_run(run, &engine, &all, &good))
        skip();
    print_message("%u of %u right, libspf2 asked in %u\n", good, all, engine.asked);
    assert_int_equal(all, SPF_SUITE_CASES);
    assert_int_equal(good, all);
    assert_int_equal(engine.differs, 0);
    assert_in_range(engine.asked, all / 3, all);
}

static void test_random_zones(void **state)
{
    struct engine engine = {.asked = 0};

    (void)state;
    for (uint32_t i = 0; i < ZONES; i++) {
        struct spf_suite_case one = {
            .query = {.helo = "mail.example.com", .sender = "joe@example.com"}};
        struct spf_result result = {.status = SPF_NONE};

        seed = i;
        one.zone = make_zone();
        assert_true(ip_parse(pick(10) == 0 ? ANY(strangers)
                             : pick(3) > 0 ? ANY(v4)
                                           : ANY(v6),
                             &one.query.client));
        run(&one, &result, &engine);
        spf_result_clear(&result);
        zone_free(&one.zone);
    }
    print_message("asked %u, of that %u for more than known\n", engine.asked, engine.missed);
    assert_int_equal(engine.differs, 0);
    assert_in_range(engine.asked, ZONES / 2, ZONES);
}

static int set_up(void **state)
{
    (void)state;
    libspf2_open();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    libspf2_close();
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_engines_agree),
        cmocka_unit_test(test_suite),
        cmocka_unit_test(test_random_zones),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
