/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/reply.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/decide/verdict.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static struct message *message_with(const struct conf *conf, enum cause_id cause,
                                    const char *sentence)
{
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");
    struct finding *finding;

    message_set_sender(message, "a@b.test");
    finding = findings_add(&message->findings, cause_get(cause));
    if (sentence)
        finding_sentence(finding, "%s", sentence);
    verdict_set(conf, message);
    return message;
}

static void test_codes_follow_the_action(void **state)
{
    static const struct {
        const char *conf;
        enum cause_id cause;
        unsigned code;
        const char *enhanced;
    } cases[] = {
        {"mode = enforce", CAUSE_LIMIT_MESSAGES, 450, "4.7.28"},
        {"mode = enforce\ncause limit.messages { action = reject }", CAUSE_LIMIT_MESSAGES, 550,
         "5.7.28"},
        {"mode = enforce", CAUSE_DNS_RECIPIENT_NO_MAIL, 556, "5.1.10"},
        {"mode = enforce", CAUSE_CONTENT_SIZE, 552, "5.3.4"},
        {"mode = enforce\ncause content.size { action = defer }", CAUSE_CONTENT_SIZE, 452, "4.3.4"},
        {"mode = enforce\ncause dns.failure { action = defer }", CAUSE_DNS_FAILURE, 450, "4.7.1"},
        {"mode = enforce\ncause content.size { action = hold }", CAUSE_CONTENT_SIZE, 0, ""},
        {"mode = observe", CAUSE_CONTENT_SIZE, 0, ""},
    };
    struct reply reply;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct conf *conf = conf_of(cases[i].conf);
        struct message *message = message_with(conf, cases[i].cause, NULL);

        reply_make(conf, message, &reply);
        if (reply.code != cases[i].code || strcmp(reply.enhanced, cases[i].enhanced) != 0)
            fail_msg("%s, %s: %u %s", cases[i].conf, cause_get(cases[i].cause)->id, reply.code,
                     reply.enhanced);
        message_free(&message);
        conf_release(&conf);
    }
}

static void test_text(void **state)
{
    struct conf *conf = conf_of("mode = enforce\ncontact = \"postmaster@example.test\"");
    struct message *message =
        message_with(conf, CAUSE_LIMIT_MESSAGES, "You sent 5 of 5.\r\n250 2.0.0 forged \xc3\xa9");
    struct reply reply;

    (void)state;
    reply_make(conf, message, &reply);
    assert_string_equal(reply.text, "You sent 5 of 5.??250 2.0.0 forged ?? Questions: "
                                    "postmaster@example.test [limit.messages]");
    message_free(&message);
    conf_release(&conf);
}

static void test_long_sentence_keeps_the_id(void **state)
{
    struct conf *conf = conf_of("mode = enforce");
    char words[2000];
    struct message *message;
    struct reply reply;
    char warning[REPLY_TEXT_MAX];

    (void)state;
    memset(words, 'x', sizeof words - 1);
    words[sizeof words - 1] = '\0';
    message = message_with(conf, CAUSE_LIMIT_MESSAGES, words);
    reply_make(conf, message, &reply);
    assert_int_equal(strlen(reply.text), REPLY_TEXT_MAX - 1);
    assert_string_equal(reply.text + strlen(reply.text) - strlen(" [limit.messages]"),
                        " [limit.messages]");
    reply_warning(conf, message, &message->findings.items[0], warning);
    assert_int_equal(strncmp(warning, "[limit.messages] xxx", 20), 0);
    assert_int_equal(strlen(warning), REPLY_TEXT_MAX - 1);
    message_free(&message);
    conf_release(&conf);
}

static void test_finding_has_its_own_code(void **state)
{
    struct conf *conf = conf_of("mode = enforce");
    struct message *message = message_with(conf, CAUSE_DNS_RECIPIENT_NO_MAIL, NULL);
    struct reply reply;

    (void)state;
    message->findings.items[0].reply_code = 550;
    message->findings.items[0].enhanced = mem_copy("5.1.2");
    reply_make(conf, message, &reply);
    assert_int_equal(reply.code, 550);
    assert_string_equal(reply.enhanced, "5.1.2");
    message_free(&message);
    conf_release(&conf);
}

/* The IANA registry of enhanced status codes: for each subject (x.S.d) the largest detail. */
static bool is_registered(unsigned code, const char *enhanced)
{
    static const unsigned largest[] = {0, 10, 4, 6, 8, 6, 10, 30};
    unsigned class, subject, detail;
    char rest;

    return sscanf(enhanced, "%u.%u.%u%c", &class, &subject, &detail, &rest) == 3 &&
           class == code / 100 && (class == 4 || class == 5) && subject < COUNT_OF(largest) &&
           detail <= largest[subject];
}

static void check_reply(const struct conf *conf, enum cause_id cause, const char *sentence)
{
    const char *id = cause_get(cause)->id;
    struct message *message = message_with(conf, cause, sentence);
    struct reply reply;
    char line[600], tail[64];
    size_t length;

    reply_make(conf, message, &reply);
    length =
        (size_t)snprintf(line, sizeof line, "%u %s %s\r\n", reply.code, reply.enhanced, reply.text);
    (void)snprintf(tail, sizeof tail, " [%s]\r\n", id);
    if (length > 512)
        fail_msg("%s: %zu octets", id, length);
    if (length < strlen(tail) || strcmp(line + length - strlen(tail), tail) != 0)
        fail_msg("%s: the id is not at the end: %s", id, line);
    if (!is_registered(reply.code, reply.enhanced))
        fail_msg("%s: %u %s", id, reply.code, reply.enhanced);
    for (const char *at = line; *at != '\r'; at++)
        if (*at < ' ' || *at > '~')
            fail_msg("%s: %s", id, line);
    message_free(&message);
}

/* Any cause can be made to refuse; names come from strangers, and may be as long as they like. */
static void test_every_reply_fits(void **state)
{
    char sentence[3000] = "Mail to \xc3\xa9\r\n\t\x7f\x01";
    char contact[200];

    (void)state;
    memset(sentence + strlen(sentence), 'n', sizeof sentence - strlen(sentence) - 1);
    sentence[sizeof sentence - 1] = '\0';
    memset(contact, 'c', sizeof contact - 1);
    for (size_t length = 0; length < sizeof contact; length += 33)
        for (int cause = 0; cause < CAUSE_COUNT; cause++)
            for (int action = ACTION_DEFER; action <= ACTION_REJECT; action++) {
                char text[600];
                struct conf *conf;

                if ((cause_get((enum cause_id)cause)->found & (FOUND_POLICY | FOUND_MILTER)) == 0)
                    continue;
                (void)snprintf(text, sizeof text,
                               "mode = enforce\ncontact = \"%.*s\"\ncause %s { action = %s }",
                               (int)length, contact, cause_get((enum cause_id)cause)->id,
                               action_name((enum action)action));
                conf = conf_of(text);
                check_reply(conf, (enum cause_id)cause, sentence);
                check_reply(conf, (enum cause_id)cause, NULL);
                conf_release(&conf);
            }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codes_follow_the_action),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_long_sentence_keeps_the_id),
        cmocka_unit_test(test_finding_has_its_own_code),
        cmocka_unit_test(test_every_reply_fits),
    };

    return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
