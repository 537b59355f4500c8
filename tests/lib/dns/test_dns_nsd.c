/* SPDX-License-Identifier: BSD-2-Clause */
/* The resolver in front of a real name server: every kind of answer, names that libunbound would
 * keep for itself, DNSSEC, and a server that goes and comes back. */
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/dns/dns.h"
#include "tests/support/nsd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_US (20 * 1000000)
#define LONG_STRINGS 40 /* of 250 octets: more than fits into a datagram */

struct told {
    bool told;
    bool from_cache;
    enum dns_status status;
    size_t count;
    size_t length; /* of all texts */
    char first[300]; /* of the first record: preference, address or text */
    char problem[400];
};

struct fixture {
    struct loop *loop;
    struct nsd *nsd;
    struct dns *dns;
};

static char *signed_zone;
static char *trust_anchor;
static struct text long_txt;

static void on_answer(const struct dns_answer *answer, void *context)
{
    struct told *told = context;

    told->told = true;
    told->from_cache = answer->from_cache;
    told->status = answer->status;
    told->count = answer->count;
    for (size_t i = 0; i < answer->count; i++)
        told->length += answer->records[i].length;
    (void)snprintf(told->problem, sizeof(told->problem), "%s",
                   answer->problem != NULL ? answer->problem : "");
    if (answer->count == 0)
        return;
    if (answer->records[0].address.family != 0)
        ip_format(&answer->records[0].address, told->first);
    else if (answer->type == DNS_MX)
        (void)snprintf(told->first, sizeof(told->first), "%u %s",
                       (unsigned)answer->records[0].preference, answer->records[0].text);
    else
        (void)snprintf(told->first, sizeof(told->first), "%s", answer->records[0].text);
}

static struct told ask(const struct fixture *fixture, const char *name, enum dns_type type)
{
    int64_t until_us = clock_now_us(&clock_steady) + PATIENCE_US;
    struct told told = {0};

    (void)dns_ask(fixture->dns, name, type, 0, on_answer, &told);
    while (!told.told) {
        if (clock_now_us(&clock_steady) > until_us)
            fail_msg("<%s> was never answered", name);
        loop_run_once(fixture->loop, 50);
    }
    return told;
}

static struct dns *make(struct loop *loop, uint16_t port, const char *anchor)
{
    char *resolver = mem_print("127.0.0.1@%u", (unsigned)port);
    const struct dns_settings settings = {
        .resolver = resolver,
        .timeout_ms = 3000,
        .max_inflight = 100,
        .cache_size = 100,
        .trust_anchor = anchor,
    };
    char *problem = NULL;
    struct dns *dns = dns_new(loop, &settings, &problem);

    if (dns == NULL)
        fail_msg("%s", problem);
    free(resolver);
    return dns;
}

static struct nsd *start_nsd(uint16_t port)
{
    const struct nsd_zone zones[] = {
        {.name = "", .records = "ns.invalid. IN A 127.0.0.1\n"},
        {.name = "example.test",
         .records = "@ A 192.0.2.1\n@ A 192.0.2.2\n@ AAAA 2001:db8::1\n"
                    "@ MX 20 mx2\n@ MX 10 MX1\n@ TXT \"v=spf1 \" \"-all\"\n"
                    "mx1 A 192.0.2.3\nalias CNAME mx1\nchain CNAME alias\n"
                    "away CNAME www.example.net.\ndead CNAME nothing\nloop CNAME loop\n"
                    "_dmarc TXT \"v=DMARC1; p=none\"\n*.wild MX 5 mx1\n"
                    "lost MX 10 nothing\nempty.non.terminal A 192.0.2.4\n"},
        {.name = "example.net", .records = "www A 192.0.2.7\n@ MX 0 .\n"},
        {.name = "example", .records = "mail A 192.0.2.8\n"},
        {.name = "localhost", .records = "@ A 192.0.2.9\n"},
        {.name = "invalid", .records = "host A 192.0.2.10\n"},
        {.name = "onion", .records = "host A 192.0.2.11\n"},
        {.name = "home.arpa", .records = "host A 192.0.2.12\n"},
        {.name = "10.in-addr.arpa", .records = "4.3.2 PTR Host.Example.test.\n"},
        {.name = "127.in-addr.arpa", .records = "1.0.0 PTR lo.example.test.\n"},
        {.name = "2.0.192.in-addr.arpa", .records = "1 PTR doc.example.test.\n"},
        {.name = "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa",
         .records = "1 PTR lo6.example.test.\n"},
        {.name = "8.b.d.0.1.0.0.2.ip6.arpa",
         .records = "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0 PTR doc6.example.test.\n"},
        {.name = "long.test", .records = text_string(&long_txt)},
        {.name = "signed.test", .file = signed_zone},
        {0},
    };

    return nsd_start(zones, port);
}

static int start(void **state)
{
    struct fixture *fixture;
    const char *top = getenv("top_srcdir");

    if (!nsd_is_installed())
        return 0;
    fixture = calloc(1, sizeof(*fixture));
    assert_non_null(fixture);
    signed_zone = mem_print("%s/tests/data/signed.test.zone", top != NULL ? top : ".");
    if (signed_zone[0] != '/') {
        char *path = realpath(signed_zone, NULL);

        free(signed_zone);
        signed_zone = path;
        assert_non_null(signed_zone);
    }
    trust_anchor = mem_print("%s/tests/data/signed.test.ds", top != NULL ? top : ".");
    text_add_string(&long_txt, "@ TXT");
    for (int i = 0; i < LONG_STRINGS; i++)
        text_print(&long_txt, " \"%0250d\"", i);
    text_add_string(&long_txt, "\n");
    fixture->loop = loop_new();
    fixture->nsd = start_nsd(0);
    assert_non_null(fixture->nsd);
    fixture->dns = make(fixture->loop, nsd_port(fixture->nsd), NULL);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;

    if (fixture == NULL)
        return 0;
    dns_free(&fixture->dns);
    nsd_stop(&fixture->nsd);
    loop_free(&fixture->loop);
    free(fixture);
    free(signed_zone);
    free(trust_anchor);
    text_free(&long_txt);
    return 0;
}

static void test_answers(void **state)
{
    static const struct {
        const char *name;
        enum dns_type type;
        enum dns_status status;
        size_t count;
        const char *first;
    } cases[] = {
        {"example.test", DNS_A, DNS_FOUND, 2, NULL},
        {"example.test", DNS_AAAA, DNS_FOUND, 1, "2001:db8::1"},
        {"example.test", DNS_MX, DNS_FOUND, 2, "10 mx1.example.test"},
        {"example.test", DNS_TXT, DNS_FOUND, 1, "v=spf1 -all"},
        {"example.test", DNS_PTR, DNS_NO_DATA, 0, ""},
        {"mx1.example.test", DNS_MX, DNS_NO_DATA, 0, ""},
        {"nothing.example.test", DNS_MX, DNS_ABSENT, 0, ""},
        {"non.terminal.example.test", DNS_A, DNS_NO_DATA, 0, ""},
        {"terminal.example.test", DNS_A, DNS_NO_DATA, 0, ""},
        {"_dmarc.example.test", DNS_TXT, DNS_FOUND, 1, "v=DMARC1; p=none"},
        {"any.wild.example.test", DNS_MX, DNS_FOUND, 1, "5 mx1.example.test"},
        {"alias.example.test", DNS_A, DNS_FOUND, 1, "192.0.2.3"},
        {"chain.example.test", DNS_A, DNS_FOUND, 1, "192.0.2.3"},
        {"chain.example.test", DNS_MX, DNS_NO_DATA, 0, ""},
        {"away.example.test", DNS_A, DNS_FOUND, 1, "192.0.2.7"},
        {"dead.example.test", DNS_A, DNS_ABSENT, 0, ""},
        {"lost.example.test", DNS_MX, DNS_FOUND, 1, "10 nothing.example.test"},
        {"example.net", DNS_MX, DNS_FOUND, 1, "0 "},
        {"no.such.domain", DNS_MX, DNS_ABSENT, 0, ""},
        {"nothing.test", DNS_A, DNS_ABSENT, 0, ""},
        {"mail.example", DNS_A, DNS_FOUND, 1, "192.0.2.8"},
        {"localhost", DNS_A, DNS_FOUND, 1, "192.0.2.9"},
        {"host.invalid", DNS_A, DNS_FOUND, 1, "192.0.2.10"},
        {"host.onion", DNS_A, DNS_FOUND, 1, "192.0.2.11"},
        {"host.home.arpa", DNS_A, DNS_FOUND, 1, "192.0.2.12"},
        {"4.3.2.10.in-addr.arpa", DNS_PTR, DNS_FOUND, 1, "host.example.test"},
        {"5.3.2.10.in-addr.arpa", DNS_PTR, DNS_ABSENT, 0, ""},
        {"1.0.0.127.in-addr.arpa", DNS_PTR, DNS_FOUND, 1, "lo.example.test"},
        {"1.2.0.192.in-addr.arpa", DNS_PTR, DNS_FOUND, 1, "doc.example.test"},
        {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.ip6.arpa", DNS_PTR,
         DNS_FOUND, 1, "lo6.example.test"},
        {"1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa", DNS_PTR,
         DNS_FOUND, 1, "doc6.example.test"},
        {"1.0.168.192.in-addr.arpa", DNS_PTR, DNS_ABSENT, 0, ""},
        {".", DNS_A, DNS_NO_DATA, 0, ""},
    };
    const struct fixture *fixture = *state;

    if (fixture == NULL)
        skip();
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct told told = ask(fixture, cases[i].name, cases[i].type);

        if (told.status != cases[i].status || told.count != cases[i].count ||
            (cases[i].first != NULL && strcmp(told.first, cases[i].first) != 0))
            fail_msg("%s type %d: status %d, %zu records, <%s> %s", cases[i].name,
                     (int)cases[i].type, (int)told.status, told.count, told.first, told.problem);
        told = ask(fixture, cases[i].name, cases[i].type);
        if (!told.from_cache || told.status != cases[i].status || told.count != cases[i].count)
            fail_msg("%s type %d: not the same from the cache", cases[i].name, (int)cases[i].type);
    }
}

/* An answer that does not fit into a datagram comes over TCP. */
static void test_long_answer(void **state)
{
    const struct fixture *fixture = *state;
    struct told told;

    if (fixture == NULL)
        skip();
    told = ask(fixture, "long.test", DNS_TXT);
    assert_int_equal(told.status, DNS_FOUND);
    assert_int_equal(told.count, 1);
    assert_int_equal(told.length, LONG_STRINGS * 250);
}

static void test_alias_of_itself(void **state)
{
    const struct fixture *fixture = *state;

    if (fixture == NULL)
        skip();
    assert_int_equal(ask(fixture, "loop.example.test", DNS_A).status, DNS_FAILED);
}

static void test_dnssec(void **state)
{
    static const struct {
        const char *name;
        enum dns_type type;
        enum dns_status plain;
        enum dns_status validated;
    } cases[] = {
        {"mail.signed.test", DNS_A, DNS_FOUND, DNS_FOUND},
        {"signed.test", DNS_MX, DNS_FOUND, DNS_FOUND},
        {"mail.signed.test", DNS_MX, DNS_NO_DATA, DNS_NO_DATA},
        {"nothing.signed.test", DNS_A, DNS_ABSENT, DNS_ABSENT},
        {"forged.signed.test", DNS_A, DNS_FOUND, DNS_BOGUS},
        {"example.test", DNS_AAAA, DNS_FOUND, DNS_FOUND},
    };
    const struct fixture *fixture = *state;
    struct fixture validating;

    if (fixture == NULL)
        skip();
    validating = *fixture;
    validating.dns = make(fixture->loop, nsd_port(fixture->nsd), trust_anchor);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct told told = ask(fixture, cases[i].name, cases[i].type);

        if (told.status != cases[i].plain)
            fail_msg("%s: status %d without a trust anchor", cases[i].name, (int)told.status);
        told = ask(&validating, cases[i].name, cases[i].type);
        if (told.status != cases[i].validated)
            fail_msg("%s: status %d with a trust anchor: %s", cases[i].name, (int)told.status,
                     told.problem);
        if ((told.status == DNS_BOGUS) != (strlen(told.problem) > 0))
            fail_msg("%s: the problem is <%s>", cases[i].name, told.problem);
        if (told.status == DNS_BOGUS && told.count != 0)
            fail_msg("%s: a forged answer was handed out", cases[i].name);
    }
    dns_free(&validating.dns);
}

/* A real one is stopped and started again on its port. */
static void test_goes_and_comes_back(void **state)
{
    struct fixture *fixture = *state;
    struct told told = {.status = DNS_FAILED};
    int64_t until_us;
    uint16_t port;
    char name[48];

    if (fixture == NULL)
        skip();
    port = nsd_port(fixture->nsd);
    nsd_stop(&fixture->nsd);
    assert_int_equal(ask(fixture, "one.wild.example.test", DNS_MX).status, DNS_FAILED);
    fixture->nsd = start_nsd(port);
    assert_non_null(fixture->nsd);
    until_us = clock_now_us(&clock_steady) + PATIENCE_US;
    for (int i = 0; told.status != DNS_FOUND && clock_now_us(&clock_steady) < until_us; i++) {
        (void)snprintf(name, sizeof(name), "n%d.wild.example.test", i);
        told = ask(fixture, name, DNS_MX);
    }
    assert_int_equal(told.status, DNS_FOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_answers),
        cmocka_unit_test(test_long_answer),
        cmocka_unit_test(test_alias_of_itself),
        cmocka_unit_test(test_dnssec),
        cmocka_unit_test(test_goes_and_comes_back),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
