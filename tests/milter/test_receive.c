/* SPDX-License-Identifier: BSD-2-Clause */
/* Mail from outside: what is verified, what is asked of the MTA, and what is found. */
#include "lib/base/count.h"
#include "milter/receive.h"
#include "tests/milter/fake_libmilter.h"
#include "tests/support/conf_text.h"
#include "tests/support/responder.h"

#include "lib/base/mem.h"
#include "lib/causes/causes.h"
#include "lib/decide/verdict.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ALL (SMFIF_ADDHDRS | SMFIF_CHGHDRS)
#define SPACED SMFIP_HDR_LEADSPC
#define RESULTS "Authentication-Results: "
#define OURS "mx.example.test; dkim=pass header.d=bank.test\n"
#define OTHERS "mx.other.test; dkim=pass header.d=bank.test\n"
#define FROM "From: a@outside.test\n"

static struct services services;
static struct responder *responder;
static pthread_t thread;

static void *run_loop(void *context)
{
    loop_run(context);
    return NULL;
}

static int set_up(void **state)
{
    char *problem = NULL;

    (void)state;
    services.loop = loop_new();
    services.steady = &clock_steady;
    responder = responder_new(services.loop, 0);
    services.dns = dns_new(services.loop,
                           &(struct dns_settings){.resolver = responder_address(responder),
                                                  .timeout_ms = 5000,
                                                  .max_inflight = 64,
                                                  .cache_size = 0},
                           &problem);
    assert_non_null(services.dns);
    return pthread_create(&thread, NULL, run_loop, services.loop);
}

static void stop_loop(void *context)
{
    loop_stop(context);
}

static int tear_down(void **state)
{
    (void)state;
    loop_post(services.loop, stop_loop, services.loop);
    pthread_join(thread, NULL);
    dns_free(&services.dns);
    responder_free(&responder);
    loop_free(&services.loop);
    return 0;
}

/* The responder belongs to the loop's thread; what is posted later comes later. */
static void fail_from_now_on(void *context)
{
    responder_set(context, RESPONDER_SERVFAIL);
}

static void answer_from_now_on(void *context)
{
    responder_set(context, RESPONDER_ANSWERS);
}

static void add_headers(struct message *message, const char *headers)
{
    char *copy = mem_copy(headers), *rest = copy, *line;

    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char *value = strchr(line, ':');

        *value++ = '\0';
        message_add_header(message, line, value);
    }
    free(copy);
}

static void begin(struct session *session, const char *conf, const char *user, const char *headers)
{
    *session = (struct session){.actions = ALL, .protocol = SPACED};
    session->conf = conf_of(conf);
    session->message = message_new(PROGRAM_MILTER, "mx.example.test");
    message_set_sender(session->message, "<a@outside.test>");
    message_set_user(session->message, user);
    message_set(&session->message->helo, "client.outside.test");
    (void)ip_parse("192.0.2.1", &session->message->client);
    session->message->stage = STAGE_END_OF_MESSAGE;
    add_headers(session->message, headers);
}

static void end(struct session *session)
{
    verify_free(&session->verify);
    verify_free(&session->carried);
    message_free(&session->message);
    conf_release(&session->conf);
}

#define CONF "mode = enforce\nhostname = mx.example.test\ninternal-networks = {}\n"

/* What is asked of the MTA, which is shown 15 octets of a value. */
static void test_receive_headers(void **state)
{
    static const struct {
        const char *name, *conf, *user, *headers;
        unsigned long actions, protocol;
        const char *asked;
    } cases[] = {
        {"one field", CONF, "", FROM, ALL, SPACED,
         "insert 0 Authentication-Results: mx.example.tes\n"},
        {"no space where the MTA writes it", CONF, "", FROM, ALL, 0,
         "insert 0 Authentication-Results:mx.example.test\n"},
        {"Received-SPF below it", CONF "received-spf = yes\n", "", FROM, ALL, SPACED,
         "insert 0 Received-SPF: none\n\tclient-i\ninsert 0 Authentication-Results: "
         "mx.example.tes\n"},
        {"forged ones, from the bottom up", CONF, "", RESULTS OURS RESULTS OTHERS FROM RESULTS OURS,
         ALL, SPACED,
         "change 3 Authentication-Results:\nchange 1 Authentication-Results:\n"
         "insert 0 Authentication-Results: mx.example.tes\n"},
        {"those of others stay", CONF, "", FROM RESULTS OTHERS, ALL, SPACED,
         "insert 0 Authentication-Results: mx.example.tes\n"},
        {"a name of its own", CONF "authserv-id = mail.test\n", "", RESULTS OURS FROM, ALL, SPACED,
         "insert 0 Authentication-Results: mail.test;\n\tdk\n"},
        {"an MTA that changes no headers", CONF, "", RESULTS OURS FROM, SMFIF_ADDHDRS, SPACED,
         "insert 0 Authentication-Results: mx.example.tes\n"},
        {"mail of our own people", CONF, "alice@example.test", RESULTS OURS FROM, ALL, SPACED, ""},
        {"switched off", CONF "verify-incoming = no\n", "", FROM, ALL, SPACED, ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct session session;
        char *asked;

        begin(&session, cases[i].conf, cases[i].user, cases[i].headers);
        session.actions = cases[i].actions;
        session.protocol = cases[i].protocol;
        receive_begin(&session);
        receive_body(&session, "Hello.\r\n", 8);
        assert_true(receive_end(NULL, &session, &services));
        asked = fake_taken();
        if (strcmp(asked, cases[i].asked) != 0)
            fail_msg("%s:\n%snot\n%s", cases[i].name, asked, cases[i].asked);
        assert_int_equal(session.message->facts.dmarc != NULL, *asked != '\0');
        free(asked);
        end(&session);
    }
}

static void test_receive_facts(void **state)
{
    struct session session;
    const struct facts *facts;

    (void)state;
    begin(&session, CONF, "", FROM "DKIM-Signature: v=1; a=rsa-sha256; d=outside.test\n");
    assert_true(receive_end(NULL, &session, &services));
    facts = &session.message->facts;
    assert_string_equal(facts->dkim, "permerror:outside.test");
    assert_string_equal(facts->spf, "none");
    assert_string_equal(facts->dmarc, "none");
    assert_int_equal(session.message->findings.count, 0);
    free(fake_taken());
    end(&session);
}

/* DNS that fails is no judgement, unless the configuration has one; what is refused is not changed.
 */
static void test_receive_without_dns(void **state)
{
    static const struct {
        const char *name, *conf, *sender;
        int action;
        bool changed;
    } cases[] = {
        {"told", CONF, "<a@failing.test>", ACTION_IGNORE, true},
        {"deferred", CONF "verify \"*\" { dmarc-temperror = defer }\n", "<a@failing.test>",
         ACTION_DEFER, false},
        {"another domain's", CONF "verify other.test { dmarc-temperror = defer }\n",
         "<a@failing.test>", ACTION_IGNORE, true},
        {"a bounce", CONF "verify \"*\" { dmarc-temperror = defer }\n", "<>", ACTION_WARN, true},
    };

    (void)state;
    loop_post(services.loop, fail_from_now_on, responder);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct session session;
        char *asked;

        begin(&session, cases[i].conf, "", "From: a@failing.test\n");
        message_set_sender(session.message, cases[i].sender);
        assert_true(receive_end(NULL, &session, &services));
        asked = fake_taken();
        if (session.message->verdict.action != cases[i].action ||
            (*asked != '\0') != cases[i].changed)
            fail_msg("%s: %d\n%s", cases[i].name, session.message->verdict.action, asked);
        assert_string_equal(session.message->facts.dmarc, "temperror");
        free(asked);
        end(&session);
    }
    loop_post(services.loop, answer_from_now_on, responder);
}

static void test_receive_after_a_refusal(void **state)
{
    struct session session;
    struct finding *finding;
    char *asked;

    (void)state;
    begin(&session, CONF, "", FROM);
    finding = findings_add(&session.message->findings, cause_get(CAUSE_CONTENT_SIZE));
    finding->action_asked = ACTION_REJECT;
    verdict_set(session.conf, session.message);
    assert_true(receive_end(NULL, &session, &services));
    asked = fake_taken();
    assert_string_equal(asked, "");
    assert_null(session.message->facts.dmarc);
    free(asked);
    end(&session);
}

static void test_receive_when_the_mta_is_gone(void **state)
{
    struct session session;

    (void)state;
    begin(&session, CONF, "", FROM);
    fake_gone(1);
    assert_false(receive_end(NULL, &session, &services));
    fake_gone(0);
    free(fake_taken());
    end(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_receive_headers),
        cmocka_unit_test(test_receive_facts),
        cmocka_unit_test(test_receive_without_dns),
        cmocka_unit_test(test_receive_after_a_refusal),
        cmocka_unit_test(test_receive_when_the_mta_is_gone),
    };

    return cmocka_run_group_tests_name("receive", tests, set_up, tear_down);
}
