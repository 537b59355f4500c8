/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/limits.h"

#include "lib/base/count.h"
#include "lib/base/text.h"
#include "lib/decide/check_functions.h"
#include "tests/support/conf_text.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Alice, logged in, to two recipients outside and one inside, 1,000 bytes. */
static struct message *alice(const struct conf *conf)
{
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

    message->stage = STAGE_END_OF_MESSAGE;
    message->direction = DIRECTION_OUT;
    message->size = 1000;
    message_set_user(message, "Alice+work@Example.TEST");
    message_set_sender(message, "Alice+news@Example.TEST");
    ip_parse("192.0.2.77", &message->client);
    message_set(&message->queue_id, "4XkP2q1Zz");
    message_add_recipient(message, "bob@one.test");
    message_add_recipient(message, "carol@one.test");
    message_add_recipient(message, "dave@example.test");
    for (size_t i = 0; i < message->nrecipients; i++)
        message->recipients[i].local =
            conf_is_local_domain(conf, message->recipients[i].address.domain);
    return message;
}

static void test_subjects_and_amounts(void **state)
{
    static const struct {
        const char *subject, *count, *want;
    } cases[] = {
        {"user", "messages", "user:alice@example.test=1"},
        {"user", "recipients", "user:alice@example.test=3"},
        {"user", "external-recipients", "user:alice@example.test=2"},
        {"user", "bytes", "user:alice@example.test=1000"},
        {"sender", "messages", "sender:alice@example.test=1"},
        {"sender-domain", "messages", "sender-domain:example.test=1"},
        {"client", "recipients", "client:192.0.2.77=3"},
        {"client-network", "messages", "client-network:192.0.2.0/24=1"},
        {"recipient-domain", "messages",
         "recipient-domain:one.test=1 recipient-domain:example.test=1"},
        {"recipient-domain", "recipients",
         "recipient-domain:one.test=2 recipient-domain:example.test=1"},
        {"host", "messages", NULL},
        {"all", "messages", "all:*=1"},
        {"everything", "messages", "all:*=1"},
        {"Client-Network", "messages", "client-network:192.0.2.0/24=1"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text conf_words = TEXT_EMPTY, got = TEXT_EMPTY;

        text_print(&conf_words,
                   "hostname = mx.example.test\nlocal-domains = {\"example.test\"}\n"
                   "limit l { subject = %s count = %s max = 5 per = 1h }",
                   cases[i].subject, cases[i].count);

        struct conf *conf = conf_of(text_string(&conf_words));
        struct message *message = alice(conf);

        limits_plan(conf, message);
        for (size_t n = 0; n < message->facts.nlimits; n++)
            text_print(&got, "%s%s=%" PRId64, n > 0 ? " " : "", message->facts.limits[n].subject,
                       message->facts.limits[n].amount);

        const char *want = cases[i].want ? cases[i].want : "host:mx.example.test=1";

        if (strcmp(text_string(&got), want) != 0)
            fail_msg("%s %s: \"%s\" in place of \"%s\"", cases[i].subject, cases[i].count,
                     text_string(&got), want);
        text_free(&conf_words);
        text_free(&got);
        message_free(&message);
        conf_release(&conf);
    }
}

static void test_mail_from_outside_is_not_counted(void **state)
{
    struct conf *conf = conf_of("limit l { subject = sender count = messages max = 5 per = 1h }");
    struct message *message = alice(conf);

    (void)state;
    message->direction = DIRECTION_IN;
    limits_plan(conf, message);
    assert_int_equal(message->facts.nlimits, 0);
    message_free(&message);
    conf_release(&conf);
}

static void test_bounce_has_no_sender_subject(void **state)
{
    struct conf *conf =
        conf_of("limit a { subject = sender count = messages max = 5 per = 1h }\n"
                "limit b { subject = sender-domain count = messages max = 5 per = 1h }");
    struct message *message = alice(conf);

    (void)state;
    message_set_sender(message, "<>");
    limits_plan(conf, message);
    assert_int_equal(message->facts.nlimits, 0);
    message_free(&message);
    conf_release(&conf);
}

/* Each recipient once, whatever its subaddress; at RCPT the last one alone. */
static void test_by_recipient_and_helo(void **state)
{
    struct conf *conf =
        conf_of("limit a { subject = recipient count = recipients max = 5 per = 1h }\n"
                "limit b { subject = helo count = messages max = 5 per = 1h }");
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");
    const struct limit_fact *facts;

    (void)state;
    message->direction = DIRECTION_OUT;
    message->stage = STAGE_END_OF_MESSAGE;
    message_set_user(message, "alice@example.test");
    message_set(&message->helo, "PC.Example.test");
    (void)message_add_recipient(message, "Bob+a@one.test");
    (void)message_add_recipient(message, "carol@one.test");
    (void)message_add_recipient(message, "bob+b@one.test");
    limits_plan(conf, message);
    facts = message->facts.limits;
    assert_int_equal(message->facts.nlimits, 3);
    assert_string_equal(facts[0].subject, "recipient:bob@one.test");
    assert_int_equal(facts[0].amount, 2);
    assert_string_equal(facts[1].subject, "recipient:carol@one.test");
    assert_string_equal(facts[2].subject, "helo:pc.example.test");
    message->stage = STAGE_RCPT;
    limits_plan(conf, message);
    assert_int_equal(message->facts.nlimits, 2);
    assert_string_equal(message->facts.limits[0].subject, "recipient:bob@one.test");
    message_free(&message);
    conf_release(&conf);
}

/* Nobody gets round a limit with more recipients than are counted at once. */
static void test_more_than_the_store_takes(void **state)
{
    struct conf *conf =
        conf_of("limit a { subject = recipient count = messages max = 5 per = 1h }\n"
                "limit b { subject = recipient-domain count = messages max = 5 per = 1h }\n"
                "limit c { count = messages max = 5 per = 1h }");
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

    (void)state;
    message->direction = DIRECTION_OUT;
    message->stage = STAGE_RCPT;
    message_set_user(message, "alice@example.test");
    for (int i = 0; i < STORE_LIMITS_MAX - 2; i++) {
        char address[64];

        (void)snprintf(address, sizeof address, "user%d@one.test", i);
        (void)message_add_recipient(message, address);
    }
    (void)message_add_recipient(message, "user0@one.test");
    limits_plan(conf, message);
    assert_false(message->facts.limits_cut);
    message->stage = STAGE_END_OF_MESSAGE;
    limits_plan(conf, message);
    assert_false(message->facts.limits_cut);
    assert_int_equal(message->facts.nlimits, STORE_LIMITS_MAX);
    (void)message_add_recipient(message, "one.more@one.test");
    message->stage = STAGE_RCPT;
    limits_plan(conf, message);
    assert_true(message->facts.limits_cut);
    message_free(&message);
    conf_release(&conf);
}

static void test_per_message_needs_no_store(void **state)
{
    struct conf *conf =
        conf_of("mode = enforce\nlimit fanout { count = recipients max = 2 per = message }");
    struct message *message = alice(conf);
    struct store_limit limits[STORE_LIMITS_MAX];
    struct store_request request;
    char *identity;

    (void)state;
    limits_plan(conf, message);
    assert_int_equal(message->facts.nlimits, 1);
    assert_true(message->facts.limits[0].over);
    assert_int_equal(message->facts.limits[0].used, 3);
    assert_int_equal(limits_cause(message->facts.limits[0].limit), CAUSE_LIMIT_MESSAGE_RECIPIENTS);
    limits_request(conf, message, limits, &identity, &request);
    assert_int_equal(request.nlimits, 0);
    free(identity);
    message_free(&message);
    conf_release(&conf);
}

/* Whether an over limit refuses is known before the store is asked: only then must it not charge.
 */
static void test_request_enforces_what_would_refuse(void **state)
{
    static const struct {
        const char *name, *mode, *over, *sender;
        bool enforce;
    } cases[] = {
        {"default is defer", "enforce", "", "alice@example.test", true},
        {"reject", "enforce", "over = reject", "alice@example.test", true},
        {"hold goes into the queue and counts", "enforce", "over = hold", "alice@example.test",
         false},
        {"warn", "enforce", "over = warn", "alice@example.test", false},
        {"observe", "observe", "over = reject", "alice@example.test", false},
        {"a login without a sender", "enforce", "over = reject", "<>", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text words = TEXT_EMPTY;
        struct store_limit limits[STORE_LIMITS_MAX];
        struct store_request request;
        char *identity;

        text_print(&words,
                   "mode = %s\nlimit l { subject = user count = messages max = 7 per = 1h %s }",
                   cases[i].mode, cases[i].over);

        struct conf *conf = conf_of(text_string(&words));
        struct message *message = alice(conf);

        message_set_sender(message, cases[i].sender);
        limits_plan(conf, message);
        limits_request(conf, message, limits, &identity, &request);
        assert_int_equal(request.nlimits, 1);
        if (limits[0].enforce != cases[i].enforce)
            fail_msg("%s", cases[i].name);
        assert_string_equal(identity, "mx.example.test/4XkP2q1Zz");
        assert_int_equal(limits[0].near, 6);
        assert_int_equal(limits[0].count, 'm');
        free(identity);
        text_free(&words);
        message_free(&message);
        conf_release(&conf);
    }
}

static uint64_t fingerprint_of(const struct conf *conf, struct message *message)
{
    struct store_limit limits[STORE_LIMITS_MAX];
    struct store_request request;
    char *identity;

    limits_plan(conf, message);
    limits_request(conf, message, limits, &identity, &request);
    free(identity);
    return request.fingerprint;
}

static void test_fingerprint_tells_senders_apart(void **state)
{
    struct conf *conf = conf_of("limit l { subject = user count = messages max = 5 per = 1h }");
    struct message *one = alice(conf), *same = alice(conf), *other = alice(conf);

    (void)state;
    message_set_sender(other, "bob@example.test");
    assert_true(fingerprint_of(conf, one) == fingerprint_of(conf, same));
    assert_false(fingerprint_of(conf, one) == fingerprint_of(conf, other));
    message_free(&one);
    message_free(&same);
    message_free(&other);
    conf_release(&conf);
}

static void test_answer_lands_on_the_right_limits(void **state)
{
    struct conf *conf = conf_of("limit fanout { count = recipients max = 500 per = message }\n"
                                "limit a { subject = user count = messages max = 5 per = 1h }\n"
                                "limit b { subject = user count = messages max = 9 per = 24h }");
    struct message *message = alice(conf);
    const struct store_limit_answer answers[] = {
        {.used = 5, .over = true, .retry_after_us = 1500000}, {.used = 8, .near = true}};
    const struct store_answer answer = {
        .outcome = STORE_OUTCOME_OVER, .limits = answers, .nlimits = 2};

    (void)state;
    limits_plan(conf, message);
    assert_int_equal(message->facts.nlimits, 3);
    limits_answered(message, &answer);
    assert_int_equal(message->facts.store, STORE_ANSWERED);
    assert_false(message->facts.limits[0].over);
    assert_true(message->facts.limits[1].over);
    assert_int_equal(message->facts.limits[1].retry_after_sec, 2);
    assert_true(message->facts.limits[2].near);
    assert_int_equal(message->facts.limits[2].used, 8);
    message_free(&message);
    conf_release(&conf);
}

/* At RCPT: what a person reads of the recipient who is one too many. */
static void test_one_recipient_too_many(void **state)
{
    static const struct {
        const char *name, *limit, *want;
        int64_t used, retry_after_us;
    } cases[] = {
        {"alone more than the maximum", "subject = recipient-domain count = recipients max = 3",
         "Mail to one.test has used 3 of 3 recipients in 1 hour, with the recipients of this "
         "message "
         "so far. It can go out in 1 hour.",
         0, -1},
        {"of a user", "subject = user count = recipients max = 5",
         "Your account has used 5 of 5 recipients in 1 hour, with the recipients of this message "
         "so "
         "far. It can go out in 2 minutes.",
         2, 120000000},
        {"different ones that are known in part",
         "subject = user count = distinct-recipients max = 4",
         "Your account has used 4 of 4 different recipients in 1 hour, with the recipients of this "
         "message so far. It can go out in 1 hour.",
         3, -1},
        {"messages", "subject = recipient-domain count = messages max = 2",
         "Mail to one.test has used 2 of 2 messages in 1 hour. It can go out in 10 minutes.", 2,
         600000000},
        {"nothing at all", "subject = recipient-domain count = recipients max = 0",
         "Mail to one.test has used 3 of 0 recipients in 1 hour, with the recipients of this "
         "message "
         "so far. This message alone is more than that.",
         0, -1},
        {"too large", "subject = user count = bytes max = 10",
         "Your account has used 7 of 10 bytes in 1 hour, and this message adds 1000. This message "
         "alone is more than that.",
         7, -1},
        {"goes out all the same", "subject = user count = messages max = 5 over = warn",
         "Your account has used 5 of 5 messages in 1 hour, and this message adds 1.", 5, 60000000},
        {"more than the maximum goes out", "subject = user count = bytes max = 10 over = warn",
         "Your account has used 7 of 10 bytes in 1 hour, and this message adds 1000.", 7, -1},
        {"other recipients, which go out", "subject = user count = recipients max = 5 over = warn",
         "Your account has used 5 of 5 recipients in 1 hour, with the recipients of this message "
         "so far.",
         2, 120000000},
        {"held: time does not let it go", "subject = user count = messages max = 5 over = hold",
         "Your account has used 5 of 5 messages in 1 hour, and this message adds 1. It is held "
         "until somebody has looked at it; there is room again in 2 minutes.",
         5, 120000000},
        {"held, and alone more than the maximum",
         "subject = user count = bytes max = 10 over = hold",
         "Your account has used 7 of 10 bytes in 1 hour, and this message adds 1000. It is held "
         "until somebody has looked at it.",
         7, -1},
        {"held and counted", "subject = user count = messages max = 5 over = hold",
         "Your account has used 6 of 5 messages in 1 hour, this message included. It is held "
         "until somebody has looked at it; there is room again in 2 minutes.",
         6, 120000000},
        {"out and counted", "subject = user count = messages max = 5 over = warn",
         "Your account has used 6 of 5 messages in 1 hour, this message included.", 6, 120000000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text words = TEXT_EMPTY;

        text_print(&words, "mode = enforce\nlimit l { %s per = 1h near = 0 }", cases[i].limit);

        struct conf *conf = conf_of(text_string(&words));
        struct message *message = alice(conf);
        const struct store_limit_answer said = {
            .used = cases[i].used, .over = true, .retry_after_us = cases[i].retry_after_us};
        const struct store_answer answer = {
            .outcome = STORE_OUTCOME_OVER, .limits = &said, .nlimits = 1};

        message_drop_recipient(message);
        message_add_recipient(message, "dave@one.test");
        message_add_recipient(message, "erin@one.test");
        message->stage = STAGE_RCPT;
        limits_plan(conf, message);
        assert_int_equal(message->facts.nlimits, 1);
        limits_answered(message, &answer);
        message->facts.charged = strstr(cases[i].want, "included") != NULL;
        check_limits(conf, message);
        assert_int_equal(message->findings.count, 1);
        if (strcmp(message->findings.items[0].sentence, cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].name, message->findings.items[0].sentence);
        text_free(&words);
        message_free(&message);
        conf_release(&conf);
    }
}

/* A plan that grows lets the message out tomorrow, if not sooner. */
static void test_warmup_grows(void **state)
{
    static const struct {
        const char *name;
        int64_t used, retry_after_us, want_sec;
    } cases[] = {
        {"tomorrow's allowance is larger", 10, INT64_C(86400000000), 3601},
        {"what was sent leaves the window sooner", 10, INT64_C(60000000), 60},
        {"tomorrow's is used up, too", 20, INT64_C(86400000000), 86400},
    };
    struct conf *conf = conf_of("mode = enforce\nwarmup example.test { start = 2026-11-20  "
                                "first = 10  growth = 2  ceiling = 1000 }");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = alice(conf);
        const struct store_limit_answer said = {
            .used = cases[i].used, .over = true, .retry_after_us = cases[i].retry_after_us};
        const struct store_limit_answer all[] = {said, said, said, said}; /* built-in ones first */
        const struct store_answer answer = {
            .outcome = STORE_OUTCOME_OVER, .limits = all, .nlimits = 4};
        const struct limit_fact *fact;

        message->sent_us = INT64_C(1795215600000000); /* the first day's last hour begins */
        limits_plan(conf, message);
        fact = &message->facts.limits[message->facts.nlimits - 1];
        assert_ptr_equal(fact->limit->warmup, &conf->warmups[0]);
        limits_answered(message, &answer);
        if (fact->retry_after_sec != cases[i].want_sec)
            fail_msg("%s: in %" PRId64 " s, at most %" PRId64, cases[i].name, fact->retry_after_sec,
                     fact->max);
        message_free(&message);
    }
    conf_release(&conf);
}

/* What is to be changed, and where, for each kind of subject. */
static void test_hints_name_the_line(void **state)
{
    static const struct {
        const char *subject, *want;
    } cases[] = {
        {"user", "sluicectl limits user:alice@example.test shows the use; to allow more, raise max "
                 "(now 5) of limit l (test.conf:2) for all, or for alice@example.test alone with a "
                 "class that has it as a member"},
        {"sender-domain",
         "sluicectl limits sender-domain:example.test shows the use; to allow more, "
         "raise max (now 5) of limit l (test.conf:2) for all, or for @example.test "
         "alone with a class that has it as a member"},
        {"client-network", "sluicectl limits client-network:192.0.2.0/24 shows the use; to allow "
                           "more, raise max (now 5) of limit l (test.conf:2) for all, or for "
                           "192.0.2.0/24 alone with a class that has it as a member"},
        {"helo", "sluicectl limits 'helo:pc;rm' shows the use; to allow more, raise max (now 5) of "
                 "limit l (test.conf:2)"},
        {"recipient", "sluicectl limits recipient:bob@one.test shows the use; to allow more, raise "
                      "max (now 5) of limit l (test.conf:2)"},
        {"recipient-domain", "sluicectl limits recipient-domain:one.test shows the use; to allow "
                             "more, raise max (now 5) of limit l (test.conf:2)"},
        {"all",
         "sluicectl limits 'all:*' shows the use; to allow more, raise max (now 5) of limit l "
         "(test.conf:2)"},
        {"host",
         "sluicectl limits host:mx.example.test shows the use; to allow more, raise max (now "
         "7) of limit l in class c (test.conf:3)"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct text words = TEXT_EMPTY;

        text_print(&words,
                   "hostname = mx.example.test\n"
                   "limit l { subject = %s count = messages max = 5 per = 1h }\n"
                   "class c { members = {\"%s\"} limit l { max = 7 } }",
                   cases[i].subject,
                   strcmp(cases[i].subject, "host") == 0 ? "192.0.2.77" : "x@y.test");

        struct conf *conf = conf_of(text_string(&words));
        struct message *message = alice(conf);
        struct store_limit_answer said[STORE_LIMITS_MAX] = {
            {.used = 5, .over = true, .retry_after_us = 1}};
        const struct store_answer answer = {
            .outcome = STORE_OUTCOME_OVER, .limits = said, .nlimits = STORE_LIMITS_MAX};

        message_set(&message->helo, "pc;rm");
        limits_plan(conf, message);
        limits_answered(message, &answer);
        check_limits(conf, message);
        assert_int_equal(message->findings.count, 1);
        if (strcmp(message->findings.items[0].hint, cases[i].want) != 0)
            fail_msg("%s: \"%s\"", cases[i].subject, message->findings.items[0].hint);
        text_free(&words);
        message_free(&message);
        conf_release(&conf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_subjects_and_amounts),
        cmocka_unit_test(test_mail_from_outside_is_not_counted),
        cmocka_unit_test(test_bounce_has_no_sender_subject),
        cmocka_unit_test(test_by_recipient_and_helo),
        cmocka_unit_test(test_more_than_the_store_takes),
        cmocka_unit_test(test_per_message_needs_no_store),
        cmocka_unit_test(test_request_enforces_what_would_refuse),
        cmocka_unit_test(test_fingerprint_tells_senders_apart),
        cmocka_unit_test(test_answer_lands_on_the_right_limits),
        cmocka_unit_test(test_one_recipient_too_many),
        cmocka_unit_test(test_warmup_grows),
        cmocka_unit_test(test_hints_name_the_line),
    };

    return cmocka_run_group_tests_name("limits", tests, NULL, NULL);
}
