/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/verdict.h"

#include "lib/base/count.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_one_finding(void **state)
{
    static const struct {
        const char *name, *conf, *sender;
        enum cause_id cause;
        int asked;
        enum action action, would;
    } cases[] = {
        {"catalogue's default", "mode = enforce", "a@b.test", CAUSE_DNS_RECIPIENT_DOMAIN, -1,
         ACTION_REJECT, ACTION_REJECT},
        {"section wins over default",
         "mode = enforce\ncause dns.recipient-domain { action = warn }", "a@b.test",
         CAUSE_DNS_RECIPIENT_DOMAIN, -1, ACTION_WARN, ACTION_WARN},
        {"a section can ignore", "mode = enforce\ncause dns.recipient-domain { action = ignore }",
         "a@b.test", CAUSE_DNS_RECIPIENT_DOMAIN, -1, ACTION_IGNORE, ACTION_IGNORE},
        {"what the limit asks wins over its cause",
         "mode = enforce\ncause limit.messages { action = reject }", "a@b.test",
         CAUSE_LIMIT_MESSAGES, ACTION_HOLD, ACTION_HOLD, ACTION_HOLD},
        {"observe refuses nothing", "mode = observe", "a@b.test", CAUSE_DNS_RECIPIENT_DOMAIN, -1,
         ACTION_LOG, ACTION_REJECT},
        {"observe holds nothing", "mode = observe", "a@b.test", CAUSE_LIMIT_MESSAGES, ACTION_HOLD,
         ACTION_LOG, ACTION_HOLD},
        {"observe still warns", "mode = observe", "a@b.test", CAUSE_LIMIT_MESSAGES, ACTION_WARN,
         ACTION_WARN, ACTION_WARN},
        {"observe, but for this cause", "mode = observe\ncause limit.messages { mode = enforce }",
         "a@b.test", CAUSE_LIMIT_MESSAGES, -1, ACTION_DEFER, ACTION_DEFER},
        {"observe, and enforce another", "mode = observe\ncause limit.messages { mode = enforce }",
         "a@b.test", CAUSE_DNS_RECIPIENT_DOMAIN, -1, ACTION_LOG, ACTION_REJECT},
        {"enforce, but for this cause", "mode = enforce\ncause limit.messages { mode = observe }",
         "a@b.test", CAUSE_LIMIT_MESSAGES, -1, ACTION_LOG, ACTION_DEFER},
        {"a mode keeps the action that is written before",
         "mode = observe\ncause limit.messages { action = reject }\n"
         "cause limit.messages { mode = enforce }",
         "a@b.test", CAUSE_LIMIT_MESSAGES, -1, ACTION_REJECT, ACTION_REJECT},
        {"a bounce is never refused", "mode = enforce", "<>", CAUSE_DNS_RECIPIENT_DOMAIN, -1,
         ACTION_WARN, ACTION_WARN},
        {"a bounce is never held", "mode = enforce", "<>", CAUSE_LIMIT_MESSAGES, ACTION_HOLD,
         ACTION_WARN, ACTION_WARN},
        {"a bounce's log stays log", "mode = enforce", "<>", CAUSE_DNS_FAILURE, -1, ACTION_LOG,
         ACTION_LOG},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct conf *conf = conf_of(cases[i].conf);
        struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

        message_set_sender(message, cases[i].sender);
        findings_add(&message->findings, cause_get(cases[i].cause))->action_asked = cases[i].asked;
        verdict_set(conf, message);
        if (message->verdict.action != (int)cases[i].action ||
            message->verdict.would != (int)cases[i].would)
            fail_msg("%s: action %s would %s", cases[i].name,
                     action_name((enum action)message->verdict.action),
                     action_name((enum action)message->verdict.would));
        message_free(&message);
        conf_release(&conf);
    }
}

static void test_a_login_is_no_bounce(void **state)
{
    struct conf *conf = conf_of("mode = enforce");
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

    (void)state;
    message_set_sender(message, "<>");
    message_set_user(message, "alice@example.test");
    findings_add(&message->findings, cause_get(CAUSE_LIMIT_MESSAGES));
    verdict_set(conf, message);
    assert_int_equal(message->verdict.action, ACTION_DEFER);
    message_free(&message);
    conf_release(&conf);
}

static void test_strongest_wins_and_first_of_equals_decides(void **state)
{
    struct conf *conf = conf_of("mode = enforce");
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

    (void)state;
    message_set_sender(message, "a@b.test");
    findings_add(&message->findings, cause_get(CAUSE_DNS_FAILURE));
    findings_add(&message->findings, cause_get(CAUSE_CONTENT_SIZE));
    findings_add(&message->findings, cause_get(CAUSE_DNS_RECIPIENT_DOMAIN));
    findings_add(&message->findings, cause_get(CAUSE_LIMIT_MESSAGES));
    verdict_set(conf, message);
    assert_int_equal(message->verdict.action, ACTION_REJECT);
    assert_string_equal(message->verdict.decisive->cause->id, "content.size");
    assert_true(verdict_refuses(&message->verdict));
    message_free(&message);
    conf_release(&conf);
}

static void test_local_mail_is_not_refused_for_one_recipient_of_many(void **state)
{
    struct conf *conf = conf_of("mode = enforce");
    struct message *message = message_new(PROGRAM_MILTER, "mx.example.test");

    (void)state;
    message_set_sender(message, "cron@example.test");
    message_add_recipient(message, "a@no-such.test");
    findings_add(&message->findings, cause_get(CAUSE_DNS_RECIPIENT_DOMAIN))->recipient = 0;
    message->local_submission = true;
    verdict_set(conf, message);
    assert_int_equal(message->verdict.action, ACTION_REJECT);
    message_add_recipient(message, "b@example.test");
    verdict_set(conf, message);
    assert_int_equal(message->verdict.action, ACTION_LOG);
    message->local_submission = false;
    verdict_set(conf, message);
    assert_int_equal(message->verdict.action, ACTION_REJECT);
    message_free(&message);
    conf_release(&conf);
}

static void test_no_findings(void **state)
{
    struct conf *conf = conf_of("mode = enforce");
    struct message *message = message_new(PROGRAM_MILTER, "mx.example.test");

    (void)state;
    verdict_set(conf, message);
    assert_int_equal(message->verdict.action, ACTION_IGNORE);
    assert_null(message->verdict.decisive);
    assert_false(verdict_refuses(&message->verdict));
    message_free(&message);
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_finding),
        cmocka_unit_test(test_a_login_is_no_bounce),
        cmocka_unit_test(test_strongest_wins_and_first_of_equals_decides),
        cmocka_unit_test(test_local_mail_is_not_refused_for_one_recipient_of_many),
        cmocka_unit_test(test_no_findings),
    };

    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
