/* SPDX-License-Identifier: BSD-2-Clause */
/* Outlooks are kept: what costs questions, and what does not. */
#include "lib/auth/outlooks.h"

#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "tests/lib/auth/keys.h"
#include "tests/support/conf_text.h"
#include "tests/support/responder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_US (20 * INT64_C(1000000))
#define TIMEOUT_MS 2000

struct fixture {
    struct loop *loop;
    struct responder *responder;
    struct dns *dns;
    struct conf *conf;
    struct outlooks *outlooks;
    struct key key;
};

static void open_dns(struct fixture *fixture)
{
    char *problem = NULL;

    fixture->dns = dns_new(fixture->loop,
                           &(struct dns_settings){.resolver = responder_address(fixture->responder),
                                                  .timeout_ms = TIMEOUT_MS,
                                                  .max_inflight = 64,
                                                  .cache_size = 1},
                           &problem);
    if (fixture->dns == NULL)
        fail_msg("%s", problem);
}

static int set_up(void **state)
{
    struct fixture *fixture = mem_new(1, sizeof(*fixture));

    fixture->loop = loop_new();
    fixture->responder = responder_new(fixture->loop, 0);
    fixture->conf = conf_of("hostname = mx.test\noutgoing-addresses = {\"192.0.2.1\"}\n");
    fixture->outlooks = outlooks_new();
    fixture->key = (struct key){.private_key = keys_make_ed25519(), .algorithm = KEY_ED25519};
    responder_set_text(fixture->responder, "v=spf1 ip4:192.0.2.1 -all", 300);
    open_dns(fixture);
    *state = fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    dns_free(&fixture->dns);
    outlooks_free(&fixture->outlooks);
    responder_free(&fixture->responder);
    loop_free(&fixture->loop);
    conf_release(&fixture->conf);
    EVP_PKEY_free(fixture->key.private_key);
    free(fixture);
    return 0;
}

static void found(struct outlook *outlook, void *context)
{
    *(struct outlook **)context = outlook;
}

/* What one message finds out, and how many questions that takes. */
static size_t ask(struct fixture *fixture, const struct outlook_query *query,
                  struct outlook **outlook_r)
{
    const size_t before = responder_questions(fixture->responder);
    const int64_t end_us = clock_now_us(&clock_steady) + PATIENCE_US;

    *outlook_r = NULL;
    outlooks_find(fixture->outlooks, fixture->loop, fixture->dns, NULL, TIMEOUT_MS, query, found,
                  outlook_r);
    while (*outlook_r == NULL && clock_now_us(&clock_steady) < end_us)
        loop_run_once(fixture->loop, 100);
    assert_non_null(*outlook_r);
    return responder_questions(fixture->responder) - before;
}

static size_t cost(struct fixture *fixture, const struct outlook_query *query)
{
    struct outlook *outlook;
    const size_t questions = ask(fixture, query, &outlook);

    outlook_release(&outlook);
    return questions;
}

static struct outlook_query query_of(const struct fixture *fixture, const char *sender)
{
    const char *at = strchr(sender, '@');

    return (struct outlook_query){
        .conf = fixture->conf,
        .routes = 1,
        .from_domain = "a.test",
        .sender = sender,
        .sender_domain = at != NULL ? at + 1 : "",
    };
}

/* Each line is a message; whether an outlook is made for it. */
static void test_what_costs(void **state)
{
    struct fixture *fixture = *state;
    const struct signing_fact signing[] = {{"a.test", "s1", &fixture->key},
                                           {"a.test", "s2", &fixture->key}};
    struct strings carried = {0};
    const struct {
        const char *name, *sender, *from;
        size_t nsigning;
        bool carries, made;
    } cases[] = {
        {"the first", "joe@a.test", "a.test", 0, false, true},
        {"the same", "joe@a.test", "a.test", 0, false, false},
        {"a colleague", "ann@a.test", "a.test", 0, false, false},
        {"another sender domain", "joe@b.test", "a.test", 0, false, true},
        {"a bounce", "", "a.test", 0, false, true},
        {"a bounce again", "", "a.test", 0, false, false},
        {"another From", "joe@a.test", "c.test", 0, false, true},
        {"signed", "joe@a.test", "a.test", 1, false, true},
        {"signed again", "ann@a.test", "a.test", 1, false, false},
        {"with a second key", "joe@a.test", "a.test", 2, false, true},
        {"with a signature of its own", "joe@a.test", "a.test", 0, true, true},
        {"with it again", "joe@a.test", "a.test", 0, true, false},
        {"the first again", "joe@a.test", "a.test", 0, false, false},
    };

    struct outlook *outlooks[COUNT_OF(cases)];

    strings_add(&carried, "a.test");
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct outlook_query query = query_of(fixture, cases[i].sender);
        size_t questions;
        bool is_new = true;

        query.from_domain = cases[i].from;
        query.signing = signing;
        query.nsigning = cases[i].nsigning;
        query.carried = cases[i].carries ? &carried : NULL;
        questions = ask(fixture, &query, &outlooks[i]);
        for (size_t j = 0; j < i; j++)
            is_new = is_new && outlooks[j] != outlooks[i];
        if (is_new != cases[i].made || (!is_new && questions > 0))
            fail_msg("%s: %zu questions", cases[i].name, questions);
    }
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        outlook_release(&outlooks[i]);
    strings_free(&carried);
}

static void test_many_messages(void **state)
{
    struct fixture *fixture = *state;
    struct outlook *first, *next;

    for (int i = 0; i < 1000; i++) {
        char sender[32];
        struct outlook_query query;

        (void)snprintf(sender, sizeof(sender), "user%d@a.test", i);
        query = query_of(fixture, sender);
        if (i == 0) {
            assert_true(ask(fixture, &query, &first) > 0);
            continue;
        }
        assert_int_equal(ask(fixture, &query, &next), 0);
        assert_ptr_equal(next, first);
        outlook_release(&next);
    }
    outlook_release(&first);
}

/* A record that asks for the sender holds for that sender alone. */
static void test_by_sender(void **state)
{
    struct fixture *fixture = *state;
    const struct outlook_query joe = query_of(fixture, "joe@a.test"),
                               ann = query_of(fixture, "ann@a.test");
    struct outlook *outlook;

    responder_set_text(fixture->responder, "v=spf1 exists:%{l}.absent.test -all", 300);
    assert_true(ask(fixture, &joe, &outlook) > 0);
    assert_true(outlook->by_sender);
    assert_int_equal(outlook->spf_status, SPF_FAIL);
    outlook_release(&outlook);
    assert_true(cost(fixture, &ann) > 0);
    assert_int_equal(cost(fixture, &joe), 0);
    assert_int_equal(cost(fixture, &ann), 0);
}

/* Another configuration may have other addresses. */
static void test_reload(void **state)
{
    struct fixture *fixture = *state;
    struct outlook_query query = query_of(fixture, "joe@a.test");
    struct conf *other = conf_of("hostname = mx.test\noutgoing-addresses = {\"192.0.2.2\"}\n");
    struct outlook *outlook;

    assert_true(ask(fixture, &query, &outlook) > 0);
    assert_int_equal(outlook->spf_status, SPF_PASS);
    outlook_release(&outlook);
    query.conf = other;
    (void)ask(fixture, &query, &outlook);
    assert_int_equal(outlook->spf_status, SPF_FAIL);
    outlook_release(&outlook);
    conf_release(&other);
}

/* That DNS failed is not kept as if it had said no. */
static void test_failure(void **state)
{
    struct fixture *fixture = *state;
    const struct outlook_query query = query_of(fixture, "joe@a.test");
    struct outlook *outlook;
    int64_t end_us = clock_now_us(&clock_steady) + PATIENCE_US;

    responder_set(fixture->responder, RESPONDER_SERVFAIL);
    (void)ask(fixture, &query, &outlook);
    assert_int_equal(outlook->spf_status, SPF_TEMPERROR);
    assert_int_equal(outlook->dmarc.status, DMARC_STATUS_TEMPERROR);
    outlook_release(&outlook);
    responder_set(fixture->responder, RESPONDER_ANSWERS);
    for (;;) {
        enum spf_status status;

        (void)ask(fixture, &query, &outlook);
        status = outlook->spf_status;
        outlook_release(&outlook);
        if (status == SPF_PASS)
            break;
        assert_int_equal(status, SPF_TEMPERROR);
        assert_true(clock_now_us(&clock_steady) < end_us);
        loop_run_once(fixture->loop, 100);
    }
}

/* A record of one second is asked for again. */
static void test_ttl(void **state)
{
    struct fixture *fixture = *state;
    const struct outlook_query query = query_of(fixture, "joe@a.test");
    int64_t end_us = clock_now_us(&clock_steady) + PATIENCE_US;

    responder_set_text(fixture->responder, "v=spf1 ip4:192.0.2.1 -all", 1);
    assert_true(cost(fixture, &query) > 0);
    while (cost(fixture, &query) == 0) {
        assert_true(clock_now_us(&clock_steady) < end_us);
        loop_run_once(fixture->loop, 100);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_what_costs, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many_messages, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_by_sender, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_reload, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failure, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_ttl, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("outlooks", tests, NULL, NULL);
}
