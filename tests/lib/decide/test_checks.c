/* SPDX-License-Identifier: BSD-2-Clause */
/* Each check on a literal: what it finds, and the near miss that it must not. */
#include "lib/decide/checks.h"

#include "lib/base/count.h"
#include "lib/base/text.h"
#include "lib/decide/limits.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const char conf_text[] =
    "mode = enforce\n"
    "hostname = mx.example.test\n"
    "local-domains = {\"example.test\"}\n"
    "internal-networks = {\"10.0.0.0/8\"}\n"
    "max-message-size = 1000\n"
    "store-failure = defer\n"
    "sender-login = {\"equal\"}\n"
    "limit daily { subject = user count = messages max = 10 per = 24h }\n"
    "limit fanout { count = recipients max = 2 per = message }\n";

/* One message, as much of it as a case needs; what is not said is harmless. */
struct sample {
    const char *name;
    const char *user, *sender, *client, *from, *recipients[4];
    enum message_program program;
    enum stage stage;
    int64_t size;
    enum mail_domain_state sender_domain, recipient_domain; /* the last recipient's */
    enum store_state store;
    bool over, near;
    const char *want; /* "cause,cause" */
    const char *field, *value; /* of the first finding */
    const char *sentence; /* a part of it */
    const char *hint; /* a part of it */
};

static const struct sample samples[] = {
    {.name = "harmless",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .from = "alice@example.test",
     .recipients = {"bob@one.test"},
     .want = ""},

    {.name = "envelope sender of another",
     .user = "alice@example.test",
     .sender = "ceo@example.test",
     .recipients = {"bob@one.test"},
     .want = "account.sender-mismatch",
     .field = "from",
     .value = "ceo@example.test",
     .sentence = "logged in as alice@example.test"},
    {.name = "From of another",
     .program = PROGRAM_MILTER,
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .from = "Boss <ceo@example.test>",
     .recipients = {"bob@one.test"},
     .want = "account.sender-mismatch",
     .field = "in",
     .value = "header"},
    {.name = "second From address of another",
     .program = PROGRAM_MILTER,
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .from = "alice@example.test, ceo@example.test",
     .recipients = {"bob@one.test"},
     .want = "account.sender-mismatch",
     .field = "from",
     .value = "ceo@example.test"},
    {.name = "own From with a name and another case",
     .program = PROGRAM_MILTER,
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .from = "\"ceo@example.test\" <Alice@Example.TEST>",
     .recipients = {"bob@one.test"},
     .want = ""},
    {.name = "own subaddress",
     .user = "alice@example.test",
     .sender = "alice+list@example.test",
     .recipients = {"bob@one.test"},
     .want = ""},
    {.name = "bounce by a login",
     .user = "alice@example.test",
     .sender = "<>",
     .recipients = {"bob@one.test"},
     .want = ""},
    {.name = "no login, no mismatch",
     .client = "10.1.2.3",
     .sender = "ceo@example.test",
     .recipients = {"bob@one.test"},
     .want = ""},

    {.name = "our domain from outside",
     .client = "192.0.2.9",
     .sender = "alice@example.test",
     .recipients = {"bob@example.test"},
     .want = "account.unauthenticated",
     .field = "client",
     .value = "192.0.2.9"},
    {.name = "our domain from inside",
     .client = "10.0.0.9",
     .sender = "alice@example.test",
     .recipients = {"bob@example.test"},
     .want = ""},
    {.name = "another's domain from outside",
     .client = "192.0.2.9",
     .sender = "alice@one.test",
     .recipients = {"bob@example.test"},
     .want = ""},

    {.name = "sender's domain absent",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test"},
     .sender_domain = MAIL_DOMAIN_ABSENT,
     .want = "dns.sender-domain",
     .field = "domain",
     .value = "example.test"},
    {.name = "sender's domain takes no mail",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test"},
     .sender_domain = MAIL_DOMAIN_NULL_MX,
     .want = "dns.sender-no-mail"},
    {.name = "sender's domain unknown",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test"},
     .sender_domain = MAIL_DOMAIN_FAILED,
     .want = "dns.failure",
     .field = "problem",
     .value = "no answer"},
    {.name = "sender's domain has only an address",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test"},
     .sender_domain = MAIL_DOMAIN_ADDRESS,
     .want = ""},

    {.name = "recipient's domain absent",
     .stage = STAGE_RCPT,
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test", "x@no.test"},
     .recipient_domain = MAIL_DOMAIN_ABSENT,
     .want = "dns.recipient-domain",
     .field = "rcpt",
     .value = "x@no.test",
     .sentence = "does not exist"},
    {.name = "our own domain takes no mail",
     .stage = STAGE_RCPT,
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test"},
     .sender_domain = MAIL_DOMAIN_NULL_MX,
     .want = "dns.sender-no-mail",
     .field = "domain",
     .value = "example.test",
     .hint = "\"example.test. MX 10 mx.example.test.\" in place of its null MX"},
    {.name = "recipient's domain has a null MX",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"x@no.test"},
     .recipient_domain = MAIL_DOMAIN_NULL_MX,
     .want = "dns.recipient-no-mail",
     .field = "record",
     .value = "MX 0 ."},
    {.name = "recipient's domain has nothing",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"x@no.test"},
     .recipient_domain = MAIL_DOMAIN_NO_MAIL,
     .want = "dns.recipient-no-mail",
     .field = "record",
     .value = "no MX, A or AAAA"},
    {.name = "recipient's domain has an MX",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"x@one.test"},
     .recipient_domain = MAIL_DOMAIN_MX,
     .want = ""},

    {.name = "each of them at the end",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"x@no.test", "y@no.test"},
     .recipient_domain = MAIL_DOMAIN_ABSENT,
     .want = "dns.recipient-domain,dns.recipient-domain"},
    {.name = "at RCPT only the last",
     .stage = STAGE_RCPT,
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"x@no.test", "y@no.test"},
     .recipient_domain = MAIL_DOMAIN_ABSENT,
     .want = "dns.recipient-domain",
     .field = "rcpt",
     .value = "y@no.test"},

    {.name = "recipient with two at signs",
     .stage = STAGE_RCPT,
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"a@b@one.test"},
     .want = "recipient.syntax",
     .sentence = "is not a mail address"},
    {.name = "recipient with a trailing dot",
     .stage = STAGE_RCPT,
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"a@one.test."},
     .want = "recipient.syntax"},
    {.name = "the milter leaves syntax to the MTA",
     .program = PROGRAM_MILTER,
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"a@one.test."},
     .want = ""},

    {.name = "too large",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test"},
     .size = 1001,
     .want = "content.size",
     .field = "max",
     .value = "1000",
     .sentence = "1001 bytes"},
    {.name = "just fits",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test"},
     .size = 1000,
     .want = ""},

    {.name = "one recipient too many",
     .stage = STAGE_RCPT,
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"a@one.test", "b@one.test", "c@one.test"},
     .want = "limit.message-recipients",
     .field = "used",
     .value = "3",
     .sentence = "has 3 recipients and at most 2"},
    {.name = "over the limit",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test"},
     .store = STORE_ANSWERED,
     .over = true,
     .want = "limit.messages",
     .field = "limit",
     .value = "daily",
     .sentence = "Your account has used 10 of 10 messages in 24 hours. It can go out in 1 hour."},
    {.name = "near the limit",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test"},
     .store = STORE_ANSWERED,
     .near = true,
     .want = "limit.near",
     .field = "subject",
     .value = "user:alice@example.test"},
    {.name = "store away where that defers",
     .user = "alice@example.test",
     .sender = "alice@example.test",
     .recipients = {"bob@one.test"},
     .store = STORE_NO_ANSWER,
     .want = "self.store-down"},
};

static struct message *message_from(const struct conf *conf, const struct sample *sample)
{
    struct message *message =
        message_new(sample->program ? sample->program : PROGRAM_POLICY, conf->hostname);

    message->stage = sample->stage ? sample->stage : STAGE_END_OF_MESSAGE;
    message->size = sample->size;
    message_set_user(message, sample->user);
    message_set_sender(message, sample->sender);
    ip_parse(sample->client ? sample->client : "192.0.2.1", &message->client);
    message->direction =
        sample->user || conf_is_internal(conf, &message->client) ? DIRECTION_OUT : DIRECTION_IN;
    for (size_t i = 0; i < 4 && sample->recipients[i]; i++)
        message_add_recipient(message, sample->recipients[i])->domain.state =
            sample->recipient_domain;
    if (sample->from)
        message_add_header(message, "From", sample->from);
    message->facts.sender_domain.state = sample->sender_domain;
    limits_plan(conf, message);
    message->facts.store = sample->store;
    for (size_t i = 0; i < message->facts.nlimits; i++) {
        struct limit_fact *fact = &message->facts.limits[i];

        if (fact->limit->window_sec == 0)
            continue;
        fact->used = sample->over ? 10 : 8;
        fact->over = sample->over;
        fact->near = sample->near;
        fact->retry_after_sec = sample->over ? 3600 : 0;
    }
    return message;
}

static const char *field_of(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->nfields; i++)
        if (strcmp(finding->fields[i].name, name) == 0)
            return finding->fields[i].value;
    return "(none)";
}

static void verify_texts(const struct sample *sample, const struct finding *finding)
{
    if (sample->field && strcmp(field_of(finding, sample->field), sample->value) != 0)
        fail_msg("%s: %s=\"%s\" in place of \"%s\"", sample->name, sample->field,
                 field_of(finding, sample->field), sample->value);
    if (sample->sentence && (!finding->sentence || !strstr(finding->sentence, sample->sentence)))
        fail_msg("%s: the sentence is \"%s\"", sample->name,
                 finding->sentence ? finding->sentence : "");
    if (!finding->hint || finding->hint[0] == '\0')
        fail_msg("%s: no hint", sample->name);
    else if (sample->hint && !strstr(finding->hint, sample->hint))
        fail_msg("%s: the hint is \"%s\"", sample->name, finding->hint);
}

static void test_samples(void **state)
{
    struct conf *conf = conf_of(conf_text);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        const struct sample *sample = &samples[i];
        struct message *message = message_from(conf, sample);
        struct text got = TEXT_EMPTY;

        checks_run(conf, message);
        for (size_t n = 0; n < message->findings.count; n++)
            text_print(&got, "%s%s", n > 0 ? "," : "", message->findings.items[n].cause->id);
        if (strcmp(text_string(&got), sample->want) != 0)
            fail_msg("%s: found \"%s\" in place of \"%s\"", sample->name, text_string(&got),
                     sample->want);
        if (message->findings.count > 0)
            verify_texts(sample, &message->findings.items[0]);
        text_free(&got);
        message_free(&message);
    }
    conf_release(&conf);
}

/* The table says which causes a check can find, for needs and documentation: every one that a
 * sample found has to stand in some row. */
static void test_table_names_what_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT_OF(samples); i++) {
        bool listed = samples[i].want[0] == '\0';

        for (size_t c = 0; c < checks_count && !listed; c++)
            for (size_t n = 0; n < checks[c].ncauses; n++) {
                const char *id = cause_get(checks[c].causes[n])->id;

                listed |= strncmp(samples[i].want, id, strlen(id)) == 0;
            }
        if (!listed)
            fail_msg("%s is in no row of the table", samples[i].want);
    }
    for (size_t c = 0; c < checks_count; c++)
        for (size_t d = c + 1; d < checks_count; d++)
            assert_string_not_equal(checks[c].name, checks[d].name);
}

static void test_needs(void **state)
{
    struct conf *all = conf_of("mode = enforce");
    struct conf *none = conf_of("mode = enforce\n"
                                "cause dns.recipient-domain { action = ignore }\n"
                                "cause dns.recipient-no-mail { action = ignore }\n"
                                "cause dns.mx-broken { action = ignore }\n"
                                "cause dns.failure { action = ignore }\n");
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

    (void)state;
    message->stage = STAGE_RCPT;
    message->direction = DIRECTION_OUT;
    assert_int_equal(checks_needs(all, message), NEED_LIMITS | NEED_NOTES | NEED_SENDER_DOMAIN |
                                                     NEED_RECIPIENT_DOMAINS | NEED_RECIPIENT_MX);
    assert_int_equal(checks_needs(none, message), NEED_LIMITS | NEED_NOTES | NEED_SENDER_DOMAIN);
    message->direction = DIRECTION_IN;
    assert_int_equal(checks_needs(all, message), NEED_SENDER_DOMAIN);
    message->direction = DIRECTION_OUT;
    message->stage = STAGE_MAIL;
    assert_int_equal(checks_needs(all, message), NEED_SENDER_DOMAIN);
    message_free(&message);
    conf_release(&all);
    conf_release(&none);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_table_names_what_is_found),
        cmocka_unit_test(test_needs),
    };

    return cmocka_run_group_tests_name("checks", tests, NULL, NULL);
}
