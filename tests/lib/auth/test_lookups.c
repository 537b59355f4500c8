/* SPDX-License-Identifier: BSD-2-Clause */
/* Evaluations run with the resolver: waves, the deadline, cancelling, and SPF and DMARC against a
 * real name server. */
#include "lib/auth/dmarc.h"
#include "lib/auth/lookups.h"
#include "lib/auth/spf.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "tests/support/nsd.h"
#include "tests/support/responder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define PATIENCE_US (10 * 1000000)
#define LONG_MS 9000
#define SHORT_MS 50
#define NAMES_MAX 8

struct fixture {
    struct loop *loop;
    struct responder *responder;
    struct dns *dns;
};

/* An evaluation that needs the A records of names, one after the other, and looks ahead. */
struct chain {
    const char *names[NAMES_MAX]; /* ends with NULL */
    enum dns_status status[NAMES_MAX];
    bool timed_out[NAMES_MAX];
    unsigned runs;
    unsigned ended;
    int64_t ttl_sec;
};

static bool evaluate_chain(const struct lookup *lookup, void *context)
{
    struct chain *chain = context;
    bool pending = false;

    chain->runs++;
    for (size_t i = 0; chain->names[i] != NULL; i++) {
        const struct dns_answer *answer = lookup_find(lookup, chain->names[i], DNS_A);

        pending = pending || answer == NULL;
        if (answer == NULL)
            continue;
        assert_string_equal(answer->name, chain->names[i]);
        chain->status[i] = answer->status;
        chain->timed_out[i] = answer->timed_out;
    }
    return !pending;
}

static void end_chain(int64_t ttl_sec, void *context)
{
    struct chain *chain = context;

    chain->ended++;
    chain->ttl_sec = ttl_sec;
}

static int start(void **state)
{
    struct fixture *fixture = mem_new(1, sizeof(*fixture));
    struct dns_settings settings = {.timeout_ms = LONG_MS, .max_inflight = 500, .cache_size = 500};
    char *problem = NULL;

    fixture->loop = loop_new();
    fixture->responder = responder_new(fixture->loop, 0);
    settings.resolver = responder_address(fixture->responder);
    fixture->dns = dns_new(fixture->loop, &settings, &problem);
    if (fixture->dns == NULL)
        fail_msg("%s", problem);
    *state = fixture;
    return 0;
}

static int stop(void **state)
{
    struct fixture *fixture = *state;

    if (fixture->dns != NULL)
        dns_free(&fixture->dns);
    responder_free(&fixture->responder);
    loop_free(&fixture->loop);
    free(fixture);
    return 0;
}

static void run_until(struct loop *loop, const unsigned *ended)
{
    int64_t deadline_us = clock_now_us(&clock_steady) + PATIENCE_US;

    while (*ended == 0 && clock_now_us(&clock_steady) < deadline_us)
        loop_run_once(loop, 100);
    assert_int_equal(*ended, 1);
}

static void test_asks_and_ends(void **state)
{
    struct fixture *fixture = *state;
    struct chain chain = {.names = {"a.test", "absent.test", "a.test"}};
    struct chain again = {.names = {"absent.test", "a.test"}};

    assert_non_null(
        lookups_start(fixture->loop, fixture->dns, LONG_MS, evaluate_chain, end_chain, &chain));
    assert_int_equal(chain.ended, 0);
    run_until(fixture->loop, &chain.ended);
    assert_int_equal(chain.status[0], DNS_FOUND);
    assert_int_equal(chain.status[1], DNS_ABSENT);
    assert_int_equal(chain.status[2], DNS_FOUND);
    assert_int_equal(responder_questions(fixture->responder), 2);
    assert_in_range(chain.runs, 2, 3);
    assert_in_range(chain.ttl_sec, 1, 86400);

    /* what the cache knows is known at once */
    assert_null(
        lookups_start(fixture->loop, fixture->dns, LONG_MS, evaluate_chain, end_chain, &again));
    assert_int_equal(again.ended, 1);
    assert_int_equal(again.runs, 2);
    assert_int_equal(again.status[0], DNS_ABSENT);
    assert_int_equal(responder_questions(fixture->responder), 2);
}

static void test_nothing_to_ask(void **state)
{
    struct fixture *fixture = *state;
    struct chain chain = {.names = {NULL}};

    assert_null(
        lookups_start(fixture->loop, fixture->dns, LONG_MS, evaluate_chain, end_chain, &chain));
    assert_int_equal(chain.ended, 1);
    assert_int_equal(chain.runs, 1);
}

static void test_failure_is_no_absence(void **state)
{
    struct fixture *fixture = *state;
    struct chain chain = {.names = {"a.test"}};

    responder_set(fixture->responder, RESPONDER_SERVFAIL);
    (void)lookups_start(fixture->loop, fixture->dns, LONG_MS, evaluate_chain, end_chain, &chain);
    run_until(fixture->loop, &chain.ended);
    assert_int_equal(chain.status[0], DNS_FAILED);
    assert_false(chain.timed_out[0]);
}

static void test_deadline(void **state)
{
    struct fixture *fixture = *state;
    struct chain chain = {.names = {"a.test", "b.test"}};
    int64_t start_us = clock_now_us(&clock_steady);

    responder_set(fixture->responder, RESPONDER_SILENT);
    (void)lookups_start(fixture->loop, fixture->dns, SHORT_MS, evaluate_chain, end_chain, &chain);
    run_until(fixture->loop, &chain.ended);
    assert_in_range(clock_now_us(&clock_steady) - start_us, SHORT_MS * 900, LONG_MS * 500);
    assert_int_equal(chain.status[0], DNS_FAILED);
    assert_int_equal(chain.status[1], DNS_FAILED);
    assert_true(chain.timed_out[0] && chain.timed_out[1]);
    assert_int_equal(chain.ttl_sec, 0);
}

/* One after the other, without looking ahead: what is asked for after the deadline fails at once.
 */
static bool evaluate_in_turn(const struct lookup *lookup, void *context)
{
    struct chain *chain = context;

    chain->runs++;
    for (size_t i = 0; chain->names[i] != NULL; i++) {
        const struct dns_answer *answer = lookup_find(lookup, chain->names[i], DNS_A);

        if (answer == NULL)
            return false;
        chain->status[i] = answer->status;
    }
    return true;
}

static void test_after_the_deadline(void **state)
{
    struct fixture *fixture = *state;
    struct chain chain = {.names = {"a.test", "b.test", "c.test"}};

    responder_set(fixture->responder, RESPONDER_SILENT);
    (void)lookups_start(fixture->loop, fixture->dns, SHORT_MS, evaluate_in_turn, end_chain, &chain);
    run_until(fixture->loop, &chain.ended);
    assert_int_equal(chain.runs, 2);
    assert_int_equal(chain.status[2], DNS_FAILED);
    assert_int_equal(responder_questions(fixture->responder), 1);
}

static void test_in_turn(void **state)
{
    struct fixture *fixture = *state;
    struct chain chain = {.names = {"A.test", "b.test", "absent.test"}};

    (void)lookups_start(fixture->loop, fixture->dns, LONG_MS, evaluate_in_turn, end_chain, &chain);
    run_until(fixture->loop, &chain.ended);
    assert_int_equal(chain.runs, 4);
    assert_int_equal(chain.status[2], DNS_ABSENT);
}

static void test_cancel(void **state)
{
    struct fixture *fixture = *state;
    struct chain chain = {.names = {"a.test", "b.test"}};
    struct chain other = {.names = {"a.test"}};
    struct lookups *lookups;
    int64_t deadline_us;

    responder_set(fixture->responder, RESPONDER_HOLDS);
    lookups =
        lookups_start(fixture->loop, fixture->dns, LONG_MS, evaluate_chain, end_chain, &chain);
    (void)lookups_start(fixture->loop, fixture->dns, LONG_MS, evaluate_chain, end_chain, &other);
    lookups_cancel(&lookups);
    assert_null(lookups);
    lookups_cancel(&lookups);
    deadline_us = clock_now_us(&clock_steady) + PATIENCE_US;
    while (responder_held(fixture->responder) == 0 && clock_now_us(&clock_steady) < deadline_us)
        loop_run_once(fixture->loop, 100);
    responder_release(fixture->responder);
    run_until(fixture->loop, &other.ended);
    assert_int_equal(chain.ended, 0);
    assert_int_equal(chain.runs, 1);
}

/* The resolver's end is an answer, also to what is asked for because of it. */
static void test_resolver_goes_away(void **state)
{
    struct fixture *fixture = *state;
    struct chain chain = {.names = {"a.test", "b.test"}};

    responder_set(fixture->responder, RESPONDER_HOLDS);
    (void)lookups_start(fixture->loop, fixture->dns, LONG_MS, evaluate_in_turn, end_chain, &chain);
    dns_free(&fixture->dns);
    assert_int_equal(chain.ended, 1);
    assert_int_equal(chain.status[0], DNS_FAILED);
    assert_int_equal(chain.status[1], DNS_FAILED);
}

/* Names without end. */
static bool evaluate_many(const struct lookup *lookup, void *context)
{
    struct chain *chain = context;
    bool pending = false;

    for (int i = 0; i <= LOOKUPS_MAX; i++) {
        char *name = mem_print("n%d.test", i);
        const struct dns_answer *answer = lookup_find(lookup, name, DNS_A);

        free(name);
        pending = pending || answer == NULL;
        if (answer != NULL)
            chain->status[i == LOOKUPS_MAX] = answer->status;
    }
    return !pending;
}

static void test_too_many(void **state)
{
    struct fixture *fixture = *state;
    struct chain chain = {.ended = 0};
    struct dns_counts counts;

    (void)lookups_start(fixture->loop, fixture->dns, LONG_MS, evaluate_many, end_chain, &chain);
    run_until(fixture->loop, &chain.ended);
    assert_int_equal(chain.status[0], DNS_FOUND);
    assert_int_equal(chain.status[1], DNS_FAILED);
    /* The name server sees more where the machine is so slow that the resolver asks again. */
    dns_counts(fixture->dns, &counts);
    assert_int_equal(counts.asked, LOOKUPS_MAX);
}

/* --- a real name server --------------------------------------------------------------- */

struct spf_run {
    struct spf_query query;
    struct spf_result result;
    unsigned ended;
};

static bool evaluate_spf(const struct lookup *lookup, void *context)
{
    struct spf_run *run = context;

    return spf_check(&run->query, lookup, &run->result);
}

static void end_spf(int64_t ttl_sec, void *context)
{
    (void)ttl_sec;
    ((struct spf_run *)context)->ended++;
}

struct dmarc_run {
    struct dmarc_query query;
    struct dmarc_result result;
    unsigned ended;
};

static bool evaluate_dmarc(const struct lookup *lookup, void *context)
{
    struct dmarc_run *run = context;

    return dmarc_check(&run->query, lookup, &run->result);
}

static void end_dmarc(int64_t ttl_sec, void *context)
{
    (void)ttl_sec;
    ((struct dmarc_run *)context)->ended++;
}

static void check_spf(struct loop *loop, struct dns *dns, const char *ip, const char *sender,
                      const char *want)
{
    struct spf_run run = {.query = {.helo = "mail.example.test", .sender = sender}};
    char *got;

    assert_true(ip_parse(ip, &run.query.client));
    (void)lookups_start(loop, dns, LONG_MS, evaluate_spf, end_spf, &run);
    run_until(loop, &run.ended);
    got = mem_print("%s %s", spf_status_name(run.result.status),
                    run.result.mechanism != NULL ? run.result.mechanism : run.result.problem);
    assert_string_equal(got, want);
    free(got);
    spf_result_clear(&run.result);
}

static void check_dmarc(struct loop *loop, struct dns *dns, const char *from, const char *spf,
                        const char *want)
{
    struct dmarc_run run = {.query = {.from_domain = from, .spf_domain = spf}};
    char *got;

    (void)lookups_start(loop, dns, LONG_MS, evaluate_dmarc, end_dmarc, &run);
    run_until(loop, &run.ended);
    got = mem_print("%s %s", dmarc_status_name(run.result.status),
                    dmarc_policy_name(run.result.policy));
    assert_string_equal(got, want);
    free(got);
    dmarc_result_clear(&run.result);
}

struct real {
    struct nsd *nsd; /* NULL: it is not installed */
    struct loop *loop;
    struct dns *dns;
};

static const struct nsd_zone zones[] = {
    {.name = "", .records = "nothing TXT x\n"},
    {.name = "example.test",
     .records = "@ TXT \"v=spf1 mx include:inc.example.test exists:%{l}.users.example.test ptr "
                "-all\"\n"
                "@ MX 10 mx\nmx A 192.0.2.1\nmx AAAA 2001:db8::1\n"
                "inc TXT \"v=spf1 ip4:192.0.2.16/\" \"28 ~all\"\n"
                "alice.users A 127.0.0.2\nhost A 192.0.2.99\n"
                "odd TXT \"v=spf1 a:a%_b.example.test -all\"\na\\032b A 192.0.2.1\n"
                "_dmarc TXT \"v=DMARC1; p=reject; sp=quarantine; np=none\"\n"},
    {.name = "2.0.192.in-addr.arpa", .records = "99 PTR host.example.test.\n"},
    {0},
};

static int start_real(void **state)
{
    struct real *real = mem_new(1, sizeof(*real));
    struct dns_settings settings = {.timeout_ms = LONG_MS, .max_inflight = 100, .cache_size = 100};
    char *problem = NULL;
    char *resolver;

    *state = real;
    if (!nsd_is_installed())
        return 0;
    real->nsd = nsd_start(zones, 0);
    assert_non_null(real->nsd);
    resolver = mem_print("127.0.0.1@%u", (unsigned)nsd_port(real->nsd));
    settings.resolver = resolver;
    real->loop = loop_new();
    real->dns = dns_new(real->loop, &settings, &problem);
    assert_non_null(real->dns);
    free(resolver);
    return 0;
}

static int stop_real(void **state)
{
    struct real *real = *state;

    if (real->nsd != NULL) {
        dns_free(&real->dns);
        loop_free(&real->loop);
        nsd_stop(&real->nsd);
    }
    free(real);
    return 0;
}

static void test_real_server(void **state)
{
    struct real *real = *state;
    struct loop *loop = real->loop;
    struct dns *dns = real->dns;

    if (real->nsd == NULL)
        skip();
    check_spf(loop, dns, "192.0.2.1", "bob@example.test", "pass mx");
    check_spf(loop, dns, "2001:db8::1", "bob@example.test", "pass mx");
    check_spf(loop, dns, "192.0.2.17", "bob@example.test", "pass include:inc.example.test");
    check_spf(loop, dns, "192.0.2.50", "alice@example.test", "pass exists:%{l}.users.example.test");
    check_spf(loop, dns, "192.0.2.99", "bob@example.test", "pass ptr");
    check_spf(loop, dns, "192.0.2.50", "bob@example.test", "fail -all");
    check_spf(loop, dns, "192.0.2.1", "bob@odd.example.test", "pass a:a%_b.example.test");
    check_spf(loop, dns, "192.0.2.1", "bob@none.example.test",
              "none none.example.test does not exist");
    check_dmarc(loop, dns, "example.test", "mx.example.test", "pass reject");
    check_dmarc(loop, dns, "host.example.test", NULL, "fail quarantine");
    check_dmarc(loop, dns, "none.example.test", NULL, "fail none");
    check_dmarc(loop, dns, "example.nothing", NULL, "none none");
}

#define WITH_RESPONDER(test) cmocka_unit_test_setup_teardown(test, start, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_RESPONDER(test_asks_and_ends),
        WITH_RESPONDER(test_nothing_to_ask),
        WITH_RESPONDER(test_failure_is_no_absence),
        WITH_RESPONDER(test_deadline),
        WITH_RESPONDER(test_after_the_deadline),
        WITH_RESPONDER(test_in_turn),
        WITH_RESPONDER(test_cancel),
        WITH_RESPONDER(test_resolver_goes_away),
        WITH_RESPONDER(test_too_many),
        cmocka_unit_test_setup_teardown(test_real_server, start_real, stop_real),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
