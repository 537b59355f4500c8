/* SPDX-License-Identifier: BSD-2-Clause */
/* The message: setters, caps, reset, identity. */
#include "lib/message/message.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void test_new_is_empty(void **state)
{
    struct message *message = message_new(PROGRAM_MILTER, "mx1.example.com");

    (void)state;
    assert_int_equal(message->program, PROGRAM_MILTER);
    assert_string_equal(message->hostname, "mx1.example.com");
    assert_string_equal(message->queue_id, "");
    assert_string_equal(message->user, "");
    assert_string_equal(message->sender.text, "");
    assert_true(address_is_null(&message->sender));
    assert_null(message_header(message, "From", 0));
    message_free(&message);
    assert_null(message);
    message_free(&message);
}

static void test_setters(void **state)
{
    struct message *message = message_new(PROGRAM_MILTER, NULL);

    (void)state;
    assert_string_equal(message->hostname, "");
    message_set_user(message, "Alice@Example.COM");
    assert_string_equal(message->user, "alice@example.com");
    message_set_user(message, NULL);
    assert_string_equal(message->user, "");
    message_set(&message->helo, "client.example");
    message_set(&message->helo, message->helo);
    assert_string_equal(message->helo, "client.example");
    message_set_sender(message, "<a@b>");
    message_set_sender(message, "<c@d>");
    assert_string_equal(message->sender.text, "c@d");
    assert_int_equal(message->sender_problem, ADDRESS_FINE);
    message_set_sender(message, "<c@d.>");
    assert_int_equal(message->sender_problem, ADDRESS_BAD_DOMAIN);
    message_set_sender(message, NULL);
    assert_true(address_is_null(&message->sender));
    message_free(&message);
}

/* How the program's protocol writes an address decides how it is read. */
static void test_forms_of_addresses(void **state)
{
    static const struct {
        enum message_program program;
        bool local_submission;
        const char *path;
        enum address_problem want;
    } cases[] = {
        {PROGRAM_MILTER, false, "<\"a b\"@c>", ADDRESS_FINE},
        {PROGRAM_MILTER, false, "<a b@c>", ADDRESS_BAD_LOCAL},
        {PROGRAM_POLICY, false, "a b@c", ADDRESS_FINE},
        {PROGRAM_POLICY, false, "a@b@c", ADDRESS_BAD_DOMAIN},
        {PROGRAM_MILTER, false, "root", ADDRESS_NO_DOMAIN},
        {PROGRAM_MILTER, true, "root", ADDRESS_FINE},
        {PROGRAM_POLICY, true, "root", ADDRESS_FINE},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = message_new(cases[i].program, "host");

        message->local_submission = cases[i].local_submission;
        message_set_sender(message, cases[i].path);
        if (message->sender_problem != cases[i].want)
            fail_msg("<%s>: problem %d, not %d", cases[i].path, (int)message->sender_problem,
                     (int)cases[i].want);
        message_free(&message);
    }
}

static void test_recipients(void **state)
{
    struct message *message = message_new(PROGRAM_MILTER, "host");
    char path[32];

    (void)state;
    message_drop_recipient(message);
    assert_int_equal(message->nrecipients_total, 0);
    for (int i = 0; i < 100; i++) {
        struct recipient *recipient;

        (void)snprintf(path, sizeof(path), "<r%d@example.com>", i);
        recipient = message_add_recipient(message, path);
        assert_non_null(recipient);
        assert_int_equal(recipient->problem, ADDRESS_FINE);
        assert_int_equal(recipient->domain.state, MAIL_DOMAIN_UNASKED);
    }
    assert_string_equal(message->recipients[99].address.text, "r99@example.com");
    message->recipients[99].domain.problem = mem_copy("timed out");
    message_drop_recipient(message);
    assert_int_equal(message->nrecipients, 99);
    assert_int_equal(message->nrecipients_total, 99);
    assert_string_equal(message->recipients[98].address.text, "r98@example.com");
    assert_int_equal(message_add_recipient(message, "<>")->problem, ADDRESS_BAD_LOCAL);
    assert_int_equal(message_add_recipient(message, NULL)->problem, ADDRESS_BAD_LOCAL);
    message_free(&message);
}

/* Dropping and adding goes back and forth over the sizes at which the array grows. */
static void test_recipients_back_and_forth(void **state)
{
    struct message *message = message_new(PROGRAM_POLICY, "host");

    (void)state;
    for (int round = 0; round < 40; round++) {
        for (int i = 0; i < 3; i++)
            (void)message_add_recipient(message, "a@b");
        for (int i = 0; i < 2; i++)
            message_drop_recipient(message);
    }
    assert_int_equal(message->nrecipients, 40);
    message_free(&message);
}

static void test_recipients_cap(void **state)
{
    struct message *message = message_new(PROGRAM_POLICY, "host");

    (void)state;
    for (size_t i = 0; i < MESSAGE_RECIPIENTS_MAX; i++)
        assert_non_null(message_add_recipient(message, "a@b"));
    assert_null(message_add_recipient(message, "c@d"));
    assert_int_equal(message->nrecipients, MESSAGE_RECIPIENTS_MAX);
    assert_int_equal(message->nrecipients_total, MESSAGE_RECIPIENTS_MAX + 1);
    message_drop_recipient(message);
    assert_int_equal(message->nrecipients, MESSAGE_RECIPIENTS_MAX);
    message_drop_recipient(message);
    assert_int_equal(message->nrecipients, MESSAGE_RECIPIENTS_MAX - 1);
    message_free(&message);
}

static void test_headers(void **state)
{
    struct message *message = message_new(PROGRAM_MILTER, "host");

    (void)state;
    message_add_header(message, "Received", " one");
    message_add_header(message, "From", " a@b");
    message_add_header(message, "received", " two\n\tfolded");
    assert_string_equal(message_header(message, "RECEIVED", 0)->value, " one");
    assert_string_equal(message_header(message, "Received", 1)->value, " two\n\tfolded");
    assert_null(message_header(message, "Received", 2));
    assert_null(message_header(message, "Receive", 0));
    assert_int_equal(message->header_bytes, 9 + 5 + 5 + 5 + 9 + 13);
    message_free(&message);
}

static void test_headers_caps(void **state)
{
    struct message *message = message_new(PROGRAM_MILTER, "host");
    char *large = mem_new(MESSAGE_HEADER_BYTES_MAX, 1);

    (void)state;
    for (size_t i = 0; i < MESSAGE_HEADERS_MAX; i++)
        message_add_header(message, "X", "");
    assert_false(message->headers_cut);
    message_add_header(message, "Y", "");
    assert_true(message->headers_cut);
    assert_int_equal(message->nheaders, MESSAGE_HEADERS_MAX);
    message_add_header(message, "from ", " a@ok.test");
    assert_int_equal(message->nheaders, MESSAGE_HEADERS_MAX + 1);
    for (size_t i = 1; i < MESSAGE_HEADERS_SPARE; i++)
        message_add_header(message, "Authentication-Results", "");
    assert_int_equal(message->nheaders, MESSAGE_HEADERS_MAX + MESSAGE_HEADERS_SPARE);
    assert_false(message->identity_cut);
    message_add_header(message, "From-Other", "");
    assert_false(message->identity_cut);
    message_add_header(message, "FROM", "");
    assert_true(message->identity_cut);
    assert_int_equal(message->nheaders, MESSAGE_HEADERS_MAX + MESSAGE_HEADERS_SPARE);
    message_reset(message);
    assert_false(message->headers_cut);
    assert_false(message->identity_cut);

    memset(large, 'x', MESSAGE_HEADER_BYTES_MAX - 1);
    message_add_header(message, "X", large);
    assert_true(message->headers_cut);
    assert_int_equal(message->nheaders, 0);
    large[MESSAGE_HEADER_BYTES_MAX - 3] = '\0';
    message_add_header(message, "X", large);
    assert_int_equal(message->nheaders, 1);
    assert_int_equal(message->header_bytes, MESSAGE_HEADER_BYTES_MAX);
    message_add_header(message, "", "");
    assert_int_equal(message->nheaders, 1);
    free(large);
    message_free(&message);
}

static void test_reset_keeps_the_client(void **state)
{
    struct message *message = message_new(PROGRAM_MILTER, "host");

    (void)state;
    message_set_user(message, "alice");
    message_set(&message->helo, "client");
    message_set(&message->tls_protocol, "TLSv1.3");
    message_set(&message->queue_id, "4XkP2q1Zz");
    message_set(&message->instance, "1.2.3");
    assert_true(ip_parse("192.0.2.1", &message->client));
    message->server_port = 587;
    message->direction = DIRECTION_OUT;
    message->stage = STAGE_END_OF_MESSAGE;
    message->size = 5;
    message_set_sender(message, "<a@b>");
    (void)message_add_recipient(message, "<c@d>");
    message_add_header(message, "From", "a@b");
    message->facts.dkim = mem_copy("none:no-key");
    message->facts.sender_domain.problem = mem_copy("SERVFAIL");
    message->facts.limits = mem_new(2, sizeof(struct limit_fact));
    message->facts.nlimits = 2;
    message->facts.limits[0].subject = mem_copy("user:alice");
    message->facts.charged = true;
    finding_field(findings_add(&message->findings, NULL), "domain", "%s", "b");
    message->verdict.action = 3;
    message->verdict.decisive = &message->findings.items[0];

    message_reset(message);
    assert_string_equal(message->user, "alice");
    assert_string_equal(message->helo, "client");
    assert_string_equal(message->tls_protocol, "TLSv1.3");
    assert_string_equal(message->hostname, "host");
    assert_int_equal(message->client.family, 4);
    assert_int_equal(message->server_port, 587);
    assert_int_equal(message->direction, DIRECTION_OUT);
    assert_int_equal(message->stage, STAGE_MAIL);
    assert_string_equal(message->queue_id, "");
    assert_string_equal(message->instance, "");
    assert_true(address_is_null(&message->sender));
    assert_int_equal(message->nrecipients, 0);
    assert_int_equal(message->nrecipients_total, 0);
    assert_int_equal(message->nheaders, 0);
    assert_int_equal(message->header_bytes, 0);
    assert_int_equal(message->size, 0);
    assert_null(message->facts.dkim);
    assert_false(message->facts.charged);
    assert_int_equal(message->findings.count, 0);
    assert_int_equal(message->verdict.action, 0);
    assert_null(message->verdict.decisive);
    assert_non_null(message_add_recipient(message, "<e@f>"));
    message_free(&message);
}

static void test_identity(void **state)
{
    static const struct {
        const char *queue_id;
        const char *instance;
        const char *want;
    } cases[] = {
        {"4XkP2q1Zz", "1.2.3", "mx1/4XkP2q1Zz"},
        {"4XkP2q1Zz", "", "mx1/4XkP2q1Zz"},
        {"", "1.2.3", "mx1/1.2.3"},
        {"", "", ""},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = message_new(PROGRAM_POLICY, "mx1");
        char *identity;

        message_set(&message->queue_id, cases[i].queue_id);
        message_set(&message->instance, cases[i].instance);
        identity = message_identity(message);
        assert_string_equal(identity, cases[i].want);
        free(identity);
        message_free(&message);
    }
}

static void test_trace(void **state)
{
    struct message *policy = message_new(PROGRAM_POLICY, "mx1");
    struct message *milter = message_new(PROGRAM_MILTER, "mx1");
    char one[17];
    char other[17];

    (void)state;
    message_set(&policy->queue_id, "4XkP2q1Zz");
    message_set(&policy->instance, "1.2.3");
    message_set(&milter->queue_id, "4XkP2q1Zz");
    message_trace(policy, one);
    message_trace(milter, other);
    assert_string_equal(one, other);
    assert_int_equal(strlen(one), 16);
    assert_int_equal(strspn(one, "0123456789abcdef"), 16);
    message_set(&milter->queue_id, "4XkP2q1ZZ");
    message_trace(milter, other);
    assert_string_not_equal(one, other);
    message_free(&policy);
    message_free(&milter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_new_is_empty),
        cmocka_unit_test(test_setters),
        cmocka_unit_test(test_forms_of_addresses),
        cmocka_unit_test(test_recipients),
        cmocka_unit_test(test_recipients_back_and_forth),
        cmocka_unit_test(test_recipients_cap),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_headers_caps),
        cmocka_unit_test(test_reset_keeps_the_client),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_trace),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
