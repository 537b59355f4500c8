/* SPDX-License-Identifier: BSD-2-Clause */
/* config.*: how a client connects, and what is wrong with that. */
#include "lib/decide/checks.h"

#include "lib/base/count.h"
#include "lib/base/text.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char conf_words[] = "hostname = mx.example.test\n"
                                 "local-domains = {\"example.test\"}\n"
                                 "internal-networks = {\"10.0.0.0/8\"}\n"
                                 "outgoing-addresses = {\"198.51.100.9\", \"2001:db8::9\"}\n";

#define ALICE "alice@example.test"

/* What is not said: 203.0.113.7 on port 25, in clear, as "client.example.net". */
struct sample {
    const char *name;
    const char *user, *client, *helo;
    uint16_t port;
    const char *tls, *cipher;
    int bits;
    bool local;
    bool untold;
    const char *want; /* "cause,cause" */
    const char *problem;
};

#define GOOD_TLS .tls = "TLSv1.3", .cipher = "TLS_AES_256_GCM_SHA384", .bits = 256

static const struct sample samples[] = {
    {.name = "a mail server", .want = ""},
    {.name = "a login on submission", .user = ALICE, .port = 587, GOOD_TLS, .want = ""},
    {.name = "a login on submissions", .user = ALICE, .port = 465, GOOD_TLS, .want = ""},
    {.name = "a login on another port", .user = ALICE, .port = 2525, GOOD_TLS, .want = ""},
    {.name = "sendmail(1)", .client = "127.0.0.1", .local = true, .helo = "", .want = ""},

    {.name = "a login on 25", .user = ALICE, GOOD_TLS, .want = "config.port"},
    {.name = "no login on 587", .port = 587, GOOD_TLS, .want = "config.port"},
    {.name = "no login on 465", .port = 465, GOOD_TLS, .want = "config.port"},

    {.name = "a login in clear", .user = ALICE, .port = 2525, .want = "config.plaintext"},
    {.name = "an internal login in clear",
     .user = ALICE,
     .client = "10.1.1.1",
     .port = 2525,
     .want = "config.plaintext"},
    {.name = "an MTA that does not tell", .user = ALICE, .port = 2525, .untold = true, .want = ""},
    {.name = "web mail on this host",
     .user = ALICE,
     .client = "127.0.0.1",
     .port = 587,
     .want = ""},
    {.name = "... by IPv6", .user = ALICE, .client = "::1", .port = 587, .want = ""},
    {.name = "submission in clear", .port = 587, .want = "config.plaintext,config.port"},

    {.name = "TLSv1",
     .tls = "TLSv1",
     .cipher = "ECDHE-RSA-AES256-SHA",
     .bits = 256,
     .want = "config.weak-tls",
     .problem = "it is older than TLSv1.2"},
    {.name = "TLSv1.1",
     .tls = "TLSv1.1",
     .cipher = "AES256-SHA",
     .bits = 256,
     .want = "config.weak-tls"},
    {.name = "SSLv3", .tls = "SSLv3", .cipher = "AES256-SHA", .want = "config.weak-tls"},
    {.name = "TLSv1.2",
     .tls = "TLSv1.2",
     .cipher = "ECDHE-RSA-AES128-GCM-SHA256",
     .bits = 128,
     .want = ""},
    {.name = "an anonymous cipher, as mail servers use",
     .tls = "TLSv1.2",
     .cipher = "ADH-AES256-GCM-SHA384",
     .bits = 256,
     .want = ""},
    {.name = "RC4",
     .tls = "TLSv1.2",
     .cipher = "ECDHE-RSA-RC4-SHA",
     .bits = 128,
     .want = "config.weak-tls",
     .problem = "RC4 is broken"},
    {.name = "triple DES",
     .tls = "TLSv1.2",
     .cipher = "DES-CBC3-SHA",
     .bits = 168,
     .want = "config.weak-tls"},
    {.name = "a short key",
     .tls = "TLSv1.2",
     .cipher = "X-SHA",
     .bits = 56,
     .want = "config.weak-tls",
     .problem = "its key is shorter than 128 bits"},
    {.name = "no encryption", .tls = "TLSv1.2", .cipher = "NULL-SHA256", .want = "config.weak-tls"},

    {.name = "a bare name",
     .helo = "pc",
     .want = "config.helo",
     .problem = "it is not a full host name"},
    {.name = "a bare name of a login",
     .user = ALICE,
     .port = 587,
     GOOD_TLS,
     .helo = "pc",
     .want = ""},
    {.name = "an underscore", .helo = "my_pc.example.net", .want = "config.helo"},
    {.name = "an underscore of a login",
     .user = ALICE,
     .port = 587,
     GOOD_TLS,
     .helo = "my_pc",
     .want = "config.helo",
     .problem = "it is not a host name"},
    {.name = "an empty label", .helo = "a..example.net", .want = "config.helo"},
    {.name = "words", .helo = "hello world", .want = "config.helo"},
    {.name = "a literal", .helo = "[203.0.113.7]", .want = ""},
    {.name = "a literal behind a translator", .helo = "[192.168.1.5]", .want = ""},
    {.name = "an IPv6 literal", .helo = "[IPv6:2001:db8::7]", .want = ""},
    {.name = "an IPv6 literal without its tag", .helo = "[2001:db8::7]", .want = "config.helo"},
    {.name = "a bare address",
     .helo = "203.0.113.7",
     .want = "config.helo",
     .problem = "an address stands in brackets"},
    {.name = "this machine", .helo = "localhost", .want = "config.helo"},
    {.name = "loopback", .helo = "[127.0.0.1]", .want = "config.helo"},
    {.name = "our name",
     .helo = "MX.Example.Test",
     .want = "config.helo",
     .problem = "it is our own name"},
    {.name = "our domain",
     .helo = "example.test",
     .want = "config.helo",
     .problem = "it is our own name"},
    {.name = "a host of our domain", .helo = "www.example.test", .want = ""},
    {.name = "our address",
     .helo = "[198.51.100.9]",
     .want = "config.helo",
     .problem = "it is our own address"},
    {.name = "our address, bare",
     .helo = "198.51.100.9",
     .want = "config.helo",
     .problem = "it is our own address"},
    {.name = "our IPv6 address", .helo = "[IPv6:2001:db8::9]", .want = "config.helo"},
    {.name = "our address from there",
     .client = "198.51.100.9",
     .helo = "[198.51.100.9]",
     .want = ""},
    {.name = "our name from inside", .client = "10.1.1.1", .helo = "mx.example.test", .want = ""},
    {.name = "no HELO", .helo = "", .want = ""},
};

static struct message *message_of(const struct sample *sample, enum message_program program)
{
    struct message *message = message_new(program, "mx.example.test");

    assert_true(
        ip_parse(sample->client != NULL ? sample->client : "203.0.113.7", &message->client));
    message->stage = STAGE_END_OF_MESSAGE;
    message->server_port = sample->port != 0 ? sample->port : 25;
    message->local_submission = sample->local;
    message->tls_told = !sample->untold;
    message->tls_bits = sample->bits;
    message->direction = sample->user != NULL ? DIRECTION_OUT : DIRECTION_IN;
    message_set_user(message, sample->user);
    message_set(&message->helo, sample->helo != NULL ? sample->helo : "client.example.net");
    message_set(&message->tls_protocol, sample->tls);
    message_set(&message->tls_cipher, sample->cipher);
    message_set_sender(message, sample->user != NULL ? sample->user : "");
    return message;
}

static const char *field_of(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->nfields; i++)
        if (strcmp(finding->fields[i].name, name) == 0)
            return finding->fields[i].value;
    return NULL;
}

static void check_sample(const struct conf *conf, const struct sample *sample,
                         enum message_program program)
{
    struct message *message = message_of(sample, program);
    struct text found = TEXT_EMPTY;

    checks_run(conf, message);
    for (size_t i = 0; i < message->findings.count; i++) {
        const struct finding *finding = &message->findings.items[i];

        if (strncmp(finding->cause->id, "config.", 7) != 0)
            continue;
        text_print(&found, "%s%s", found.length > 0 ? "," : "", finding->cause->id);
        if (finding->hint == NULL || finding->nfields == 0)
            fail_msg("%s: no hint or no facts", sample->name);
    }
    if (strcmp(text_string(&found), sample->want) != 0)
        fail_msg("%s: found \"%s\", want \"%s\"", sample->name, text_string(&found), sample->want);
    if (sample->problem != NULL &&
        strcmp(field_of(&message->findings.items[0], "problem"), sample->problem) != 0)
        fail_msg("%s: problem %s", sample->name, field_of(&message->findings.items[0], "problem"));
    text_free(&found);
    message_free(&message);
}

static void test_samples(void **state)
{
    struct conf *conf = conf_of(conf_words);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        check_sample(conf, &samples[i], PROGRAM_POLICY);
        check_sample(conf, &samples[i], PROGRAM_MILTER);
    }
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
