/* SPDX-License-Identifier: BSD-2-Clause */
/* What others see of MX records, reverse names and blocklists. */
#include "lib/auth/blocklist.h"
#include "lib/auth/mx.h"
#include "lib/auth/ptr.h"
#include "lib/base/count.h"
#include "tests/lib/auth/zone.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define LINES_MAX 8

static void make_zone(const char *const lines[LINES_MAX], struct zone **zone_r)
{
    *zone_r = zone_new();
    zone_add_lines(*zone_r, lines);
}

/* --- MX --------------------------------------------------------------------------------- */

struct mx_run {
    struct conf *conf;
    struct mx_flaw flaws[MX_FLAWS_MAX];
    size_t count;
};

static bool run_mx(const struct lookup *lookup, void *context)
{
    struct mx_run *run = context;

    return mx_look(lookup, run->conf, "d.test", run->flaws, &run->count);
}

static void test_mx(void **state)
{
    static const struct {
        const char *name;
        const char *lines[LINES_MAX];
        const char *want; /* "host words", of the first flaw; NULL: none */
        size_t count;
    } cases[] = {
        {"fine", {"d.test MX 10 mx.d.test", "mx.d.test A 203.0.113.1"}, NULL, 0},
        {"IPv6 alone", {"d.test MX 10 mx.d.test", "mx.d.test AAAA 2001:db8::1"}, NULL, 0},
        {"no MX", {"d.test A 203.0.113.1"}, NULL, 0},
        {"no MX, IPv6", {"d.test AAAA 2001:db8::1"}, NULL, 0},
        {"no MX, loopback", {"d.test A 127.0.0.1"}, "d.test has the loopback address 127.0.0.1", 1},
        {"no MX, private IPv6",
         {"d.test A 203.0.113.1", "d.test AAAA fd00::1"},
         "d.test has the private address fd00::1",
         1},
        {"no MX, private, and ours", {"d.test A 10.1.1.1"}, NULL, 0},
        {"no MX, no answer", {"d.test FAIL A"}, NULL, 0},
        {"no domain", {NULL}, NULL, 0},
        {"null MX", {"d.test MX 0 ."}, NULL, 0},
        {"null MX beside another",
         {"d.test MX 0 .", "d.test MX 10 mx.d.test", "mx.d.test A 203.0.113.1"},
         " says that the domain takes no mail, beside others that take it",
         1},
        {"an address",
         {"d.test MX 10 203.0.113.1"},
         "203.0.113.1 is an address, where a host name has to be",
         1},
        {"an alias",
         {"d.test MX 10 mx.d.test", "mx.d.test CNAME a.d.test", "a.d.test A 203.0.113.1"},
         "mx.d.test is an alias (CNAME)",
         1},
        {"loopback",
         {"d.test MX 10 mx.d.test", "mx.d.test A 127.0.0.1"},
         "mx.d.test has the loopback address 127.0.0.1",
         1},
        {"private beside public",
         {"d.test MX 10 mx.d.test", "mx.d.test A 203.0.113.1", "mx.d.test A 192.168.0.1"},
         "mx.d.test has the private address 192.168.0.1",
         1},
        {"private IPv6",
         {"d.test MX 10 mx.d.test", "mx.d.test AAAA fd00::1"},
         "mx.d.test has the private address fd00::1",
         1},
        {"private, and ours", {"d.test MX 10 mx.d.test", "mx.d.test A 10.1.1.1"}, NULL, 0},
        {"nothing", {"d.test MX 10 mx.d.test"}, "mx.d.test has no address", 1},
        {"no answer", {"d.test MX 10 mx.d.test", "mx.d.test FAIL A"}, NULL, 0},
        {"MX fails", {"d.test FAIL MX"}, NULL, 0},
        {"one of two",
         {"d.test MX 10 mx.d.test", "d.test MX 20 b.d.test", "mx.d.test A 203.0.113.1"},
         "b.d.test has no address",
         1},
        {"two", {"d.test MX 10 a.d.test", "d.test MX 20 b.d.test"}, "a.d.test has no address", 2},
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        const size_t at = i / 2;
        struct mx_run run = {.conf = conf_of("internal-networks = {\"10.0.0.0/8\"}")};
        char got[256] = "";
        struct zone *zone;

        make_zone(cases[at].lines, &zone);
        assert_int_not_equal(zone_run(zone, i % 2 == 1, run_mx, &run), 0);
        if (run.count > 0) {
            char *words = mx_flaw_words(&run.flaws[0]);

            (void)snprintf(got, sizeof(got), "%s %s", run.flaws[0].host, words);
            free(words);
        }
        if (run.count != cases[at].count ||
            strcmp(got, cases[at].want != NULL ? cases[at].want : "") != 0)
            fail_msg("%s: %zu: %s", cases[at].name, run.count, got);
        mx_flaws_clear(run.flaws, run.count);
        conf_release(&run.conf);
        zone_free(&zone);
    }
}

/* --- reverse names ------------------------------------------------------------------------ */

struct ptr_run {
    struct ip_address address;
    struct ptr ptr;
};

static bool run_ptr(const struct lookup *lookup, void *context)
{
    struct ptr_run *run = context;

    return ptr_look(lookup, &run->address, &run->ptr);
}

static void test_ptr(void **state)
{
#define V4 "9.100.51.198.in-addr.arpa"
#define V6 "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"
    static const struct {
        const char *name, *address;
        const char *lines[LINES_MAX];
        enum ptr_state want;
        const char *ptr, *leads_to;
    } cases[] = {
        {"fine",
         "198.51.100.9",
         {V4 " PTR a.test", "a.test A 198.51.100.9"},
         PTR_FINE,
         "a.test",
         NULL},
        {"fine, IPv6",
         "2001:db8::9",
         {V6 " PTR a.test", "a.test AAAA 2001:db8::9"},
         PTR_FINE,
         "a.test",
         NULL},
        {"the second name",
         "198.51.100.9",
         {V4 " PTR a.test", V4 " PTR b.test", "b.test A 198.51.100.9"},
         PTR_FINE,
         "b.test",
         NULL},
        {"an alias, as for small networks",
         "198.51.100.9",
         {V4 " CNAME 9.0-15.100.51.198.in-addr.arpa", "9.0-15.100.51.198.in-addr.arpa PTR a.test",
          "a.test A 198.51.100.9"},
         PTR_FINE,
         "a.test",
         NULL},
        {"missing", "198.51.100.9", {NULL}, PTR_MISSING, NULL, NULL},
        {"to another",
         "198.51.100.9",
         {V4 " PTR a.test", "a.test A 198.51.100.8"},
         PTR_NOT_BACK,
         "a.test",
         "198.51.100.8"},
        {"to nothing", "198.51.100.9", {V4 " PTR a.test"}, PTR_NOT_BACK, "a.test", NULL},
        {"no answer", "198.51.100.9", {V4 " FAIL PTR"}, PTR_UNKNOWN, NULL, NULL},
        {"no answer for the name",
         "198.51.100.9",
         {V4 " PTR a.test", "a.test FAIL A"},
         PTR_UNKNOWN,
         "a.test",
         NULL},
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        const size_t at = i / 2;
        struct ptr_run run = {.ptr = {.state = PTR_UNKNOWN}};
        struct zone *zone;

        assert_true(ip_parse(cases[at].address, &run.address));
        make_zone(cases[at].lines, &zone);
        assert_int_not_equal(zone_run(zone, i % 2 == 1, run_ptr, &run), 0);
        if (run.ptr.state != cases[at].want ||
            (cases[at].ptr != NULL && strcmp(run.ptr.name, cases[at].ptr) != 0) ||
            (run.ptr.leads_to != NULL) != (cases[at].leads_to != NULL) ||
            (run.ptr.leads_to != NULL && strcmp(run.ptr.leads_to, cases[at].leads_to) != 0))
            fail_msg("%s: state %d, %s, %s", cases[at].name, (int)run.ptr.state,
                     run.ptr.name != NULL ? run.ptr.name : "-",
                     run.ptr.leads_to != NULL ? run.ptr.leads_to : "-");
        ptr_clear(&run.ptr);
        zone_free(&zone);
    }
}

/* --- blocklists --------------------------------------------------------------------------- */

struct list_run {
    const struct conf_blocklist *list;
    const char *key;
    struct listing listing;
    bool ipv6;
    char *problem;
};

static bool run_list(const struct lookup *lookup, void *context)
{
    struct list_run *run = context;

    return blocklist_look(lookup, run->list, run->key, &run->listing);
}

static bool run_points(const struct lookup *lookup, void *context)
{
    struct list_run *run = context;

    return blocklist_test(lookup, run->list, run->ipv6, &run->problem);
}

static const struct {
    const char *name;
    const char *lines[LINES_MAX];
    const char *codes; /* of the configuration */
    enum listing_state want;
    const char *code, *text, *problem;
} listings[] = {
    {"not listed", {"bl.test A 203.0.113.1"}, "", LISTING_NO, NULL, NULL, NULL},
    {"listed",
     {"k.bl.test A 127.0.0.2", "k.bl.test TXT see https://bl.test"},
     "",
     LISTING_YES,
     "127.0.0.2",
     "see https://bl.test",
     NULL},
    {"listed without a text", {"k.bl.test A 127.0.0.2"}, "", LISTING_YES, "127.0.0.2", NULL, NULL},
    {"listed, and the text fails",
     {"k.bl.test A 127.0.0.2", "k.bl.test FAIL TXT"},
     "",
     LISTING_YES,
     "127.0.0.2",
     NULL,
     NULL},
    {"a code that counts",
     {"k.bl.test A 127.0.0.9", "k.bl.test A 127.0.0.4"},
     "codes = {\"127.0.0.4/31\"}",
     LISTING_YES,
     "127.0.0.4",
     NULL,
     NULL},
    {"a code that does not",
     {"k.bl.test A 127.0.0.9"},
     "codes = {\"127.0.0.4\"}",
     LISTING_NO,
     NULL,
     NULL,
     NULL},
    {"refused",
     {"k.bl.test A 127.255.255.254"},
     "",
     LISTING_REFUSED,
     NULL,
     NULL,
     "it refuses our questions (127.255.255.254)"},
    {"refused, whatever counts",
     {"k.bl.test A 127.255.255.252"},
     "codes = {\"127.0.0.0/8\"}",
     LISTING_REFUSED,
     NULL,
     NULL,
     "it refuses our questions (127.255.255.252)"},
    {"somebody else's answer",
     {"k.bl.test A 203.0.113.80"},
     "",
     LISTING_REFUSED,
     NULL,
     NULL,
     "203.0.113.80 is no answer of a blocklist"},
    {"no answer", {"k.bl.test FAIL A"}, "", LISTING_UNKNOWN, NULL, NULL, "SERVFAIL"},
};

static void test_listings(void **state)
{
    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(listings); i++) {
        const size_t at = i / 2;
        struct list_run run = {.key = "k"};
        char text[128];
        struct conf *conf;
        struct zone *zone;

        (void)snprintf(text, sizeof(text), "blocklist bl.test { kind = ip %s }",
                       listings[at].codes);
        conf = conf_of(text);
        run.list = &conf->blocklists[0];
        make_zone(listings[at].lines, &zone);
        assert_int_not_equal(zone_run(zone, i % 2 == 1, run_list, &run), 0);
        if (run.listing.state != listings[at].want)
            fail_msg("%s: state %d", listings[at].name, (int)run.listing.state);
        if (listings[at].code != NULL)
            assert_string_equal(run.listing.code, listings[at].code);
        if (listings[at].text != NULL)
            assert_string_equal(run.listing.text, listings[at].text);
        if (listings[at].problem != NULL)
            assert_string_equal(run.listing.problem, listings[at].problem);
        listing_clear(&run.listing);
        zone_free(&zone);
        conf_release(&conf);
    }
}

#define POINT_V6(last) last ".0.0.0.0.0.f.7.f.f.f.f.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.bl.test"

static void test_test_points(void **state)
{
    static const struct {
        const char *name, *kind;
        const char *lines[LINES_MAX];
        const char *want; /* the problem; NULL: none */
    } cases[] = {
        {"addresses", "ip", {"2.0.0.127.bl.test A 127.0.0.2"}, NULL},
        {"domains", "domain", {"test.bl.test A 127.0.0.2"}, NULL},
        {"its code need not count",
         "ip  codes = {\"127.0.0.9\"}",
         {"2.0.0.127.bl.test A 127.0.0.2"},
         NULL},
        {"a list that is gone", "ip", {NULL}, "its test point 2.0.0.127.bl.test is not listed"},
        {"a list of everything",
         "ip",
         {"2.0.0.127.bl.test A 127.0.0.2", "1.0.0.127.bl.test A 127.0.0.2"},
         "1.0.0.127.bl.test is listed, as if it listed everything"},
        {"domains, everything",
         "domain",
         {"test.bl.test A 127.0.0.2", "invalid.bl.test A 127.0.0.2"},
         "invalid.bl.test is listed, as if it listed everything"},
        {"refused",
         "ip",
         {"2.0.0.127.bl.test A 127.255.255.255"},
         "it refuses our questions (127.255.255.255)"},
        {"no answer", "ip", {"2.0.0.127.bl.test FAIL A"}, "SERVFAIL"},
        /* with outgoing addresses of IPv6 */
        {"6: IPv4's points alone", "ip", {"2.0.0.127.bl.test A 127.0.0.2"}, NULL},
        {"6: IPv6's points alone", "ip", {POINT_V6("2") " A 127.0.0.2"}, NULL},
        {"6: both", "ip", {"2.0.0.127.bl.test A 127.0.0.2", POINT_V6("2") " A 127.0.0.2"}, NULL},
        {"6: none", "ip", {NULL}, "its test point 2.0.0.127.bl.test is not listed"},
        {"6: everything of IPv6",
         "ip",
         {"2.0.0.127.bl.test A 127.0.0.2", POINT_V6("1") " A 127.0.0.2"},
         POINT_V6("1") " is listed, as if it listed everything"},
        {"6: refused",
         "ip",
         {"2.0.0.127.bl.test A 127.0.0.2", POINT_V6("2") " A 127.255.255.254"},
         "it refuses our questions (127.255.255.254)"},
        {"6: domains", "domain", {"test.bl.test A 127.0.0.2"}, NULL},
    };

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(cases); i++) {
        const size_t at = i / 2;
        struct list_run run = {.key = "k", .ipv6 = cases[at].name[0] == '6'};
        char text[128];
        struct conf *conf;
        struct zone *zone;

        (void)snprintf(text, sizeof(text), "blocklist bl.test { kind = %s }", cases[at].kind);
        conf = conf_of(text);
        run.list = &conf->blocklists[0];
        make_zone(cases[at].lines, &zone);
        assert_int_not_equal(zone_run(zone, i % 2 == 1, run_points, &run), 0);
        if ((run.problem != NULL) != (cases[at].want != NULL) ||
            (run.problem != NULL && strcmp(run.problem, cases[at].want) != 0))
            fail_msg("%s: %s", cases[at].name, run.problem != NULL ? run.problem : "none");
        free(run.problem);
        zone_free(&zone);
        conf_release(&conf);
    }
}

static void test_keys(void **state)
{
    static const struct {
        const char *address, *want;
    } cases[] = {
        {"198.51.100.9", "9.100.51.198"},
        {"2001:db8::9", "9.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ip_address address;
        char *key;

        assert_true(ip_parse(cases[i].address, &address));
        key = blocklist_address_key(&address);
        assert_string_equal(key, cases[i].want);
        free(key);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mx),       cmocka_unit_test(test_ptr),
        cmocka_unit_test(test_listings), cmocka_unit_test(test_test_points),
        cmocka_unit_test(test_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
