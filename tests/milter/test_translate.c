/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "milter/translate.h"
#include "tests/milter/fake_libmilter.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define MACROS_MAX 6

static struct session session;

static int set_up(void **state)
{
    (void)state;
    session = (struct session){.message = message_new(PROGRAM_MILTER, "mx.example.test")};
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    message_free(&session.message);
    fake_macros(NULL);
    return 0;
}

/* "192.0.2.1", "::1", "unix", or NULL for no address. */
static const struct sockaddr *make_client(const char *address, uint16_t port,
                                          struct sockaddr_storage *storage)
{
    struct sockaddr_in *v4 = (struct sockaddr_in *)storage;
    struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)storage;

    memset(storage, 0, sizeof(*storage));
    if (address == NULL)
        return NULL;
    if (strcmp(address, "unix") == 0) {
        storage->ss_family = AF_UNIX;
    } else if (inet_pton(AF_INET, address, &v4->sin_addr) == 1) {
        v4->sin_family = AF_INET;
        v4->sin_port = htons(port);
    } else {
        assert_int_equal(inet_pton(AF_INET6, address, &v6->sin6_addr), 1);
        v6->sin6_family = AF_INET6;
        v6->sin6_port = htons(port);
    }
    return (const struct sockaddr *)storage;
}

static const struct {
    const char *name, *hostname, *address;
    uint16_t port;
    struct fake_macro macros[MACROS_MAX];
    const char *client, *client_name;
    uint16_t server_port;
    bool local, postfix;
} connections[] = {
    {"Postfix, SMTP",
     "mail.example.net",
     "192.0.2.1",
     4711,
     {{"v", "Postfix 3.7.11"}, {"{daemon_port}", "25"}, {"{client_resolve}", "OK"}},
     "192.0.2.1",
     "mail.example.net",
     25,
     false,
     true},
    {"Postfix, no name",
     "unknown",
     "2001:db8::1",
     4711,
     {{"v", "Postfix 3.7.11"}, {"{daemon_port}", "587"}, {"{client_resolve}", "FAIL"}},
     "2001:db8::1",
     "",
     587,
     false,
     true},
    {"Postfix, from this host",
     "localhost",
     "127.0.0.1",
     4711,
     {{"v", "Postfix 3.7.11"}, {"{daemon_port}", "25"}},
     "127.0.0.1",
     "localhost",
     25,
     false,
     true},
    {"Postfix, sendmail(1)",
     "localhost",
     "127.0.0.1",
     0,
     {{"v", "Postfix 3.7.11"}, {"{daemon_port}", "0"}},
     "127.0.0.1",
     "localhost",
     0,
     true,
     true},
    {"Postfix, sendmail(1), IPv6",
     "localhost",
     "::1",
     0,
     {{"v", "Postfix 3.7.11"}, {"{daemon_port}", "0"}},
     "::1",
     "localhost",
     0,
     true,
     true},
    {"Postfix before 3.2, sendmail(1)",
     "localhost",
     "127.0.0.1",
     0,
     {{"v", "Postfix 3.1"}},
     "127.0.0.1",
     "localhost",
     0,
     true,
     true},
    {"Postfix, XCLIENT without a port",
     "x.example.net",
     "127.0.0.1",
     0,
     {{"v", "Postfix 3.7.11"}, {"{daemon_port}", "25"}},
     "127.0.0.1",
     "x.example.net",
     25,
     false,
     true},
    {"a client that has no port",
     "x.example.net",
     "192.0.2.1",
     0,
     {{NULL, NULL}},
     "192.0.2.1",
     "x.example.net",
     0,
     false,
     false},
    {"Sendmail, SMTP",
     "mail.example.net",
     "192.0.2.1",
     4711,
     {{"v", "8.17.1"}, {"{daemon_port}", "25"}, {"{client_resolve}", "OK"}},
     "192.0.2.1",
     "mail.example.net",
     25,
     false,
     false},
    {"Sendmail, no name",
     "[192.0.2.1]",
     "192.0.2.1",
     4711,
     {{"v", "8.17.1"}},
     "192.0.2.1",
     "",
     0,
     false,
     false},
    {"Sendmail, forged name",
     "bank.example",
     "192.0.2.1",
     4711,
     {{"{client_resolve}", "FORGED"}},
     "192.0.2.1",
     "",
     0,
     false,
     false},
    {"Sendmail -bs",
     "root@localhost",
     NULL,
     0,
     {{"v", "8.17.1"}},
     "",
     "root@localhost",
     0,
     true,
     false},
    {"by a unix socket", "localhost", "unix", 0, {{NULL, NULL}}, "", "localhost", 0, true, false},
    {"no macros",
     "mail.example.net",
     "192.0.2.1",
     4711,
     {{NULL, NULL}},
     "192.0.2.1",
     "mail.example.net",
     0,
     false,
     false},
    {"port that is none",
     "mail.example.net",
     "192.0.2.1",
     4711,
     {{"{daemon_port}", "99999"}},
     "192.0.2.1",
     "mail.example.net",
     0,
     false,
     false},
};

static void test_translate_connection(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(connections); i++) {
        const struct message *message = session.message;
        struct sockaddr_storage storage;
        char client[IP_TEXT_MAX];

        fake_macros(connections[i].macros);
        translate_connection(NULL, &session, connections[i].hostname,
                             make_client(connections[i].address, connections[i].port, &storage));
        ip_format(&message->client, client);
        if (strcmp(client, connections[i].client) != 0 ||
            strcmp(message->client_name, connections[i].client_name) != 0 ||
            message->server_port != connections[i].server_port ||
            message->local_submission != connections[i].local ||
            session.is_postfix != connections[i].postfix)
            fail_msg("%s: %s %s %d local %d Postfix %d", connections[i].name, client,
                     message->client_name, message->server_port, message->local_submission,
                     session.is_postfix);
    }
}

static const struct {
    const char *name;
    const char *arguments[4];
    struct fake_macro macros[MACROS_MAX];
    bool postfix, local;
    const char *sender, *user, *queue_id;
    int64_t size;
    bool by_smtp;
} senders[] = {
    {"Postfix",
     {"<Alice@Example.TEST>", "SIZE=1234"},
     {{"{auth_authen}", "Alice@example.test"}},
     true,
     false,
     "Alice@example.test",
     "alice@example.test",
     "",
     1234,
     true},
    {"Postfix, from its queue",
     {"<a@example.test>"},
     {{"i", "4XkP"}},
     true,
     false,
     "a@example.test",
     "",
     "4XkP",
     0,
     false},
    {"Postfix, sendmail(1)", {"<root>"}, {{"i", "4XkP"}}, true, true, "root", "", "4XkP", 0, false},
    {"Sendmail",
     {"<a@example.test>", "BODY=8BITMIME", "SIZE=7"},
     {{"i", "6AL1"}},
     false,
     false,
     "a@example.test",
     "",
     "6AL1",
     7,
     true},
    {"a bounce", {"<>"}, {{NULL, NULL}}, false, false, "", "", "", 0, true},
    {"sizes that are none", {"<>", "SIZE=-5"}, {{NULL, NULL}}, false, false, "", "", "", 0, true},
    {"a size beyond all",
     {"<>", "SIZE=99999999999999999999"},
     {{NULL, NULL}},
     false,
     false,
     "",
     "",
     "",
     0,
     true},
};

static void test_translate_sender(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(senders); i++) {
        struct message *message = session.message;

        message_reset(message);
        session.is_postfix = senders[i].postfix;
        message->local_submission = senders[i].local;
        fake_macros(senders[i].macros);
        translate_sender(NULL, &session, (char *const *)(uintptr_t)senders[i].arguments);
        if (strcmp(message->sender.text, senders[i].sender) != 0 ||
            strcmp(message->user, senders[i].user) != 0 ||
            strcmp(message->queue_id, senders[i].queue_id) != 0 ||
            message->size != senders[i].size || session.by_smtp != senders[i].by_smtp)
            fail_msg("%s: %s %s %s %lld by SMTP %d", senders[i].name, message->sender.text,
                     message->user, message->queue_id, (long long)message->size, session.by_smtp);
    }
}

/* Anybody can write any name into a certificate of their own making. */
static void test_translate_certificate(void **state)
{
    static const struct {
        const char *name;
        struct fake_macro macros[MACROS_MAX];
        const char *want;
    } cases[] = {
        {"none", {{NULL, NULL}}, ""},
        {"Postfix",
         {{"{cert_subject}", "phone"}, {"{cert_issuer}", "Example CA"}},
         "phone, issued by Example CA"},
        {"Sendmail", {{"{cert_subject}", "/CN=phone"}, {"{verify}", "OK"}}, "/CN=phone"},
        {"Sendmail, no trust",
         {{"{cert_subject}", "/CN=phone"}, {"{cert_issuer}", "/CN=phone"}, {"{verify}", "FAIL"}},
         ""},
        {"Sendmail, no certificate", {{"{verify}", "NO"}}, ""},
    };
    const char *arguments[] = {"<a@example.test>", NULL};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        fake_macros(cases[i].macros);
        translate_sender(NULL, &session, (char *const *)(uintptr_t)arguments);
        if (strcmp(session.message->tls_certificate, cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].name, session.message->tls_certificate);
    }
}

/* The login of the connection's last message is gone; a queue id that comes late replaces none. */
static void test_translate_late_macros(void **state)
{
    static const struct fake_macro login[] = {{"{auth_authen}", "alice@example.test"},
                                              {NULL, NULL}};
    static const struct fake_macro queue_id[] = {{"i", "4XkP"}, {NULL, NULL}};
    static const struct fake_macro none[] = {{NULL, NULL}};
    const char *arguments[] = {"<a@example.test>", NULL};

    (void)state;
    fake_macros(login);
    translate_sender(NULL, &session, (char *const *)(uintptr_t)arguments);
    assert_string_equal(session.message->user, "alice@example.test");
    fake_macros(queue_id);
    translate_late_macros(NULL, &session);
    assert_string_equal(session.message->user, "alice@example.test");
    assert_string_equal(session.message->queue_id, "4XkP");
    fake_macros(none);
    translate_late_macros(NULL, &session);
    assert_string_equal(session.message->queue_id, "4XkP");
    message_reset(session.message);
    translate_sender(NULL, &session, (char *const *)(uintptr_t)arguments);
    assert_string_equal(session.message->user, "");
    assert_string_equal(session.message->queue_id, "");
}

/* Octets are those on the wire: "Subject: a" CRLF, TAB "b" CRLF. */
static void test_translate_header(void **state)
{
    static const struct {
        const char *name, *value;
        unsigned long protocol;
        int64_t octets;
    } cases[] = {
        {"leading space kept", " a\n\tb", SMFIP_HDR_LEADSPC, 16},
        {"leading space lost", "a\n\tb", 0, 16},
        {"CRLF in it", " a\r\n\tb", SMFIP_HDR_LEADSPC, 16},
        {"empty", "", SMFIP_HDR_LEADSPC, 10},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        session.octets = 0;
        session.protocol = cases[i].protocol;
        translate_header(&session, "Subject", cases[i].value);
        if (session.octets != cases[i].octets)
            fail_msg("%s: %lld", cases[i].name, (long long)session.octets);
    }
    assert_string_equal(message_header(session.message, "subject", 0)->value, " a\n\tb");
}

static void test_translate_is_refused(void **state)
{
    static const struct fake_macro refused[] = {{"{rcpt_mailer}", "error"}, {NULL, NULL}};
    static const struct fake_macro fine[] = {{"{rcpt_mailer}", "smtp"}, {NULL, NULL}};

    (void)state;
    fake_macros(refused);
    assert_true(translate_is_refused(NULL));
    fake_macros(fine);
    assert_false(translate_is_refused(NULL));
    fake_macros(NULL);
    assert_false(translate_is_refused(NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_translate_connection, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_translate_sender, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_translate_certificate, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_translate_late_macros, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_translate_header, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_translate_is_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("translate", tests, NULL, NULL);
}
