/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "policy/translate.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static struct protocol_request request_with(enum protocol_attribute attribute, const char *value)
{
    struct protocol_request request;

    for (size_t i = 0; i < ATTRIBUTE_COUNT; i++)
        request.values[i] = "";
    request.values[attribute] = value;
    return request;
}

static void test_stages(void **state)
{
    static const struct {
        const char *state;
        bool judged;
        enum stage want;
    } cases[] = {
        {"MAIL", true, STAGE_MAIL},
        {"RCPT", true, STAGE_RCPT},
        {"DATA", true, STAGE_DATA},
        {"BDAT", true, STAGE_DATA},
        {"END-OF-MESSAGE", true, STAGE_END_OF_MESSAGE},
        {"CONNECT", false, 0},
        {"EHLO", false, 0},
        {"HELO", false, 0},
        {"VRFY", false, 0},
        {"ETRN", false, 0},
        {"AUTH", false, 0},
        {"rcpt", false, 0},
        {"", false, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct protocol_request request = request_with(ATTRIBUTE_PROTOCOL_STATE, cases[i].state);
        enum stage stage = STAGE_MAIL;

        if (translate_stage(&request, &stage) != cases[i].judged ||
            (cases[i].judged && stage != cases[i].want))
            fail_msg("\"%s\": stage %d", cases[i].state, (int)stage);
    }
}

static void test_client(void **state)
{
    struct protocol_request request = request_with(ATTRIBUTE_CLIENT_ADDRESS, "2001:db8::1");
    struct message *message;
    char client[IP_TEXT_MAX];

    (void)state;
    request.values[ATTRIBUTE_CLIENT_NAME] = "client.example.org";
    request.values[ATTRIBUTE_HELO_NAME] = "[192.0.2.1]";
    request.values[ATTRIBUTE_SASL_USERNAME] = "Alice@Example.COM";
    request.values[ATTRIBUTE_SASL_METHOD] = "PLAIN";
    request.values[ATTRIBUTE_SENDER] = "Alice+news@Example.com";
    request.values[ATTRIBUTE_ENCRYPTION_PROTOCOL] = "TLSv1.3";
    request.values[ATTRIBUTE_ENCRYPTION_CIPHER] = "TLS_AES_256_GCM_SHA384";
    request.values[ATTRIBUTE_SERVER_PORT] = "587";
    request.values[ATTRIBUTE_INSTANCE] = "1.2.3";
    message = translate_begin(&request, "mx.example.test");
    ip_format(&message->client, client);
    assert_string_equal(client, "2001:db8::1");
    assert_string_equal(message->client_name, "client.example.org");
    assert_string_equal(message->helo, "[192.0.2.1]");
    assert_string_equal(message->user, "alice@example.com");
    assert_string_equal(message->auth_method, "PLAIN");
    assert_string_equal(message->sender.text, "Alice+news@example.com");
    assert_string_equal(message->tls_protocol, "TLSv1.3");
    assert_string_equal(message->tls_cipher, "TLS_AES_256_GCM_SHA384");
    assert_string_equal(message->instance, "1.2.3");
    assert_string_equal(message->hostname, "mx.example.test");
    assert_int_equal(message->server_port, 587);
    assert_int_equal(message->program, PROGRAM_POLICY);
    message_free(&message);
}

/* Names are in xtext, which no name can make into more than it is. */
static void test_certificate(void **state)
{
    static const struct {
        const char *subject, *issuer, *fingerprint, *want;
    } cases[] = {
        {"", "", "", ""},
        {"Alice+27s+20phone", "Example+20CA", "AA:BB", "Alice's phone, issued by Example CA"},
        {"", "", "AA:BB", "AA:BB"},
        {"a+2Bb", "", "AA:BB", "a+b"},
        {"a+2", "", "", "a+2"},
        {"a+", "", "", "a+"},
        {"a+zz+00", "", "", "a+zz+00"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct protocol_request request = request_with(ATTRIBUTE_CCERT_SUBJECT, cases[i].subject);
        struct message *message;

        request.values[ATTRIBUTE_CCERT_ISSUER] = cases[i].issuer;
        request.values[ATTRIBUTE_CCERT_FINGERPRINT] = cases[i].fingerprint;
        message = translate_begin(&request, "mx.example.test");
        if (strcmp(message->tls_certificate, cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].subject, message->tls_certificate);
        message_free(&message);
    }
}

static void test_unknown_client(void **state)
{
    struct protocol_request request = request_with(ATTRIBUTE_CLIENT_ADDRESS, "unknown");
    struct message *message;

    (void)state;
    request.values[ATTRIBUTE_CLIENT_NAME] = "unknown";
    request.values[ATTRIBUTE_SERVER_PORT] = "70000";
    message = translate_begin(&request, "mx.example.test");
    assert_int_equal(message->client.family, 0);
    assert_string_equal(message->client_name, "");
    assert_int_equal(message->server_port, 0);
    assert_true(address_is_null(&message->sender));
    message_free(&message);
}

static void test_size(void **state)
{
    static const struct {
        const char *text;
        int64_t want;
    } cases[] = {
        {"", 0},
        {"0", 0},
        {"12345", 12345},
        {"9223372036854775807", INT64_MAX},
        {"-5", 0},
        {"+5", 0},
        {" 5", 0},
        {"5 ", 0},
        {"5x", 0},
        {"0x10", 0},
        {"12e3", 0},
        {"9223372036854775808", 0},
        {"999999999999999999999", 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct protocol_request request = request_with(ATTRIBUTE_SIZE, cases[i].text);
        struct message *message = translate_begin(&request, "mx.example.test");

        translate_progress(message, &request, STAGE_DATA);
        if (message->size != cases[i].want)
            fail_msg("\"%s\": %lld", cases[i].text, (long long)message->size);
        message_free(&message);
    }
}

/* Postfix does not know the queue id before the first recipient is accepted, and the claimed size
 * may be missing. */
static void test_progress(void **state)
{
    struct protocol_request request = request_with(ATTRIBUTE_SIZE, "100");
    struct message *message = translate_begin(&request, "mx.example.test");

    (void)state;
    translate_progress(message, &request, STAGE_RCPT);
    assert_string_equal(message->queue_id, "");
    request.values[ATTRIBUTE_QUEUE_ID] = "4XkP2q1Zz";
    request.values[ATTRIBUTE_SIZE] = "0";
    translate_progress(message, &request, STAGE_DATA);
    assert_string_equal(message->queue_id, "4XkP2q1Zz");
    assert_int_equal(message->size, 100);
    request.values[ATTRIBUTE_QUEUE_ID] = "";
    request.values[ATTRIBUTE_SIZE] = "250";
    translate_progress(message, &request, STAGE_END_OF_MESSAGE);
    assert_string_equal(message->queue_id, "4XkP2q1Zz");
    assert_int_equal(message->size, 250);
    assert_int_equal(message->stage, STAGE_END_OF_MESSAGE);
    message_free(&message);
}

static void test_recipients(void **state)
{
    static const struct {
        const char *name;
        const char *collected[3];
        const char *recipient, *count;
        size_t kept, total;
        const char *first;
    } cases[] = {
        {"all accepted", {"a@x.test", "b@x.test"}, "", "2", 2, 2, "a@x.test"},
        {"one refused later", {"a@x.test", "b@x.test", "c@x.test"}, "", "2", 3, 2, "a@x.test"},
        {"one left", {"a@x.test", "b@x.test"}, "b@x.test", "1", 1, 1, "b@x.test"},
        {"one, and it is that", {"a@x.test"}, "a@x.test", "1", 1, 1, "a@x.test"},
        {"never seen, one", {NULL}, "a@x.test", "1", 1, 1, "a@x.test"},
        {"never seen, many", {NULL}, "", "7", 0, 7, NULL},
        {"some seen", {"a@x.test"}, "", "7", 1, 7, "a@x.test"},
        {"no count", {"a@x.test", "b@x.test"}, "", "", 2, 2, "a@x.test"},
        {"no count, never seen", {NULL}, "a@x.test", "", 1, 1, "a@x.test"},
        {"a count that is none", {"a@x.test"}, "", "many", 1, 1, "a@x.test"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct protocol_request request = request_with(ATTRIBUTE_RECIPIENT, cases[i].recipient);
        struct message *message = translate_begin(&request, "mx.example.test");

        for (size_t k = 0; k < 3 && cases[i].collected[k] != NULL; k++)
            (void)message_add_recipient(message, cases[i].collected[k]);
        request.values[ATTRIBUTE_RECIPIENT_COUNT] = cases[i].count;
        /* DATA and END-OF-MESSAGE say the same. */
        for (int stage = 0; stage < 2; stage++) {
            translate_recipients(message, &request);
            if (message->nrecipients != cases[i].kept ||
                message->nrecipients_total != cases[i].total ||
                (cases[i].first != NULL &&
                 strcmp(message->recipients[0].address.text, cases[i].first) != 0))
                fail_msg("%s: %zu kept, %zu in total", cases[i].name, message->nrecipients,
                         message->nrecipients_total);
        }
        message_free(&message);
    }
}

/* First two of three are left, then, after more was refused at DATA, one. */
static void test_ever_fewer_recipients(void **state)
{
    struct protocol_request request = request_with(ATTRIBUTE_RECIPIENT_COUNT, "2");
    struct message *message = translate_begin(&request, "mx.example.test");

    (void)state;
    for (int i = 0; i < 3; i++)
        (void)message_add_recipient(message, "a@x.test");
    translate_recipients(message, &request);
    request.values[ATTRIBUTE_RECIPIENT_COUNT] = "1";
    request.values[ATTRIBUTE_RECIPIENT] = "b@x.test";
    translate_recipients(message, &request);
    assert_int_equal(message->nrecipients, 1);
    assert_int_equal(message->nrecipients_total, 1);
    assert_string_equal(message->recipients[0].address.text, "b@x.test");
    message_free(&message);
}

static void test_fingerprint(void **state)
{
    struct protocol_request a = request_with(ATTRIBUTE_SENDER, "ab");
    struct protocol_request b = request_with(ATTRIBUTE_SENDER, "a");
    struct protocol_request c = request_with(ATTRIBUTE_SENDER, "ab");

    (void)state;
    b.values[ATTRIBUTE_SASL_USERNAME] = "b";
    c.values[ATTRIBUTE_RECIPIENT] = "x@example.net";
    assert_true(translate_fingerprint(&a) != translate_fingerprint(&b));
    assert_true(translate_fingerprint(&a) == translate_fingerprint(&c));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_stages),      cmocka_unit_test(test_client),
        cmocka_unit_test(test_certificate), cmocka_unit_test(test_unknown_client),
        cmocka_unit_test(test_size),        cmocka_unit_test(test_progress),
        cmocka_unit_test(test_recipients),  cmocka_unit_test(test_ever_fewer_recipients),
        cmocka_unit_test(test_fingerprint),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
