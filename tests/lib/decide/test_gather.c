/* SPDX-License-Identifier: BSD-2-Clause */
/* What DNS says of a mail domain, from a name server that says what we want. */
#include "lib/decide/gather.h"

#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/decide/checks.h"
#include "tests/support/conf_text.h"
#include "tests/support/responder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define DEADLINE_US (60 * INT64_C(1000000))

struct fixture {
    struct loop *loop;
    struct responder *responder;
    struct dns *dns;
    struct conf *conf;
};

static int set_up(void **state)
{
    static struct fixture fixture;
    char *problem = NULL;

    fixture.loop = loop_new();
    fixture.responder = responder_new(fixture.loop, 0);
    fixture.conf = conf_of("dns-timeout = 500ms");
    fixture.dns = dns_new(fixture.loop,
                          &(struct dns_settings){.resolver = responder_address(fixture.responder),
                                                 .timeout_ms = 500,
                                                 .max_inflight = 64,
                                                 .cache_size = 64},
                          &problem);
    assert_non_null(fixture.dns);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    dns_free(&fixture->dns);
    responder_free(&fixture->responder);
    loop_free(&fixture->loop);
    conf_release(&fixture->conf);
    return 0;
}

static void gathered(void *context)
{
    *(bool *)context = true;
}

static void run(struct fixture *fixture, struct message *message, unsigned needs)
{
    int64_t end_us = clock_now_us(&clock_steady) + DEADLINE_US;
    struct services services = {.loop = fixture->loop, .dns = fixture->dns};
    bool done = false;

    gather(&services, fixture->conf, message, needs, gathered, &done);
    while (!done && clock_now_us(&clock_steady) < end_us)
        loop_run_once(fixture->loop, 100);
    assert_true(done);
}

static void test_states(void **state)
{
    static const struct {
        const char *sender;
        enum mail_domain_state want;
    } cases[] = {
        {"a@mail.example", MAIL_DOMAIN_MX},
        {"a@null.example", MAIL_DOMAIN_NULL_MX},
        {"a@plain.example", MAIL_DOMAIN_ADDRESS},
        {"a@half.example", MAIL_DOMAIN_ADDRESS},
        {"a@bare.example", MAIL_DOMAIN_NO_MAIL},
        {"a@half.bare.example", MAIL_DOMAIN_FAILED},
        {"a@absent.example", MAIL_DOMAIN_ABSENT},
        {"a@[192.0.2.1]", MAIL_DOMAIN_UNASKED},
        {"<>", MAIL_DOMAIN_UNASKED},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

        message_set_sender(message, cases[i].sender);
        run(*state, message, NEED_SENDER_DOMAIN);
        if (message->facts.sender_domain.state != cases[i].want)
            fail_msg("%s: %d in place of %d", cases[i].sender,
                     (int)message->facts.sender_domain.state, (int)cases[i].want);
        message_free(&message);
    }
}

static void test_failure_says_why_and_is_asked_again(void **state)
{
    struct fixture *fixture = *state;
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

    responder_set(fixture->responder, RESPONDER_SERVFAIL);
    message_set_sender(message, "a@plain.example");
    run(fixture, message, NEED_SENDER_DOMAIN);
    assert_int_equal(message->facts.sender_domain.state, MAIL_DOMAIN_FAILED);
    assert_string_equal(message->facts.sender_domain.problem, "SERVFAIL");
    run(fixture, message, NEED_SENDER_DOMAIN);
    assert_int_equal(message->facts.sender_domain.state, MAIL_DOMAIN_FAILED);
    message_free(&message);
}

static void test_asks_for_what_is_needed(void **state)
{
    struct fixture *fixture = *state;
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

    message_set_sender(message, "a@sender.mail.example");
    message->stage = STAGE_END_OF_MESSAGE;
    message_add_recipient(message, "a@ours.mail.example")->local = true;
    message_add_recipient(message, "b@theirs.mail.example");
    message_add_recipient(message, "c@theirs.mail.example");
    run(fixture, message, 0);
    assert_int_equal(responder_questions(fixture->responder), 0);
    run(fixture, message, NEED_RECIPIENT_DOMAINS);
    assert_int_equal(responder_questions(fixture->responder), 1);
    assert_int_equal(message->facts.sender_domain.state, MAIL_DOMAIN_UNASKED);
    assert_int_equal(message->recipients[0].domain.state, MAIL_DOMAIN_UNASKED);
    assert_int_equal(message->recipients[1].domain.state, MAIL_DOMAIN_MX);
    assert_int_equal(message->recipients[2].domain.state, MAIL_DOMAIN_MX);
    message_free(&message);
}

static void test_silence_ends_in_time(void **state)
{
    struct fixture *fixture = *state;
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");
    int64_t started_us = clock_now_us(&clock_steady);

    responder_set(fixture->responder, RESPONDER_SILENT);
    message_set_sender(message, "a@plain.example");
    run(fixture, message, NEED_SENDER_DOMAIN);
    assert_int_equal(message->facts.sender_domain.state, MAIL_DOMAIN_FAILED);
    assert_in_range(clock_now_us(&clock_steady) - started_us, 400000, 5000000);
    message_free(&message);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_failure_says_why_and_is_asked_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(test_asks_for_what_is_needed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_silence_ends_in_time, set_up, tear_down),
    };

    return cmocka_run_group_tests_name("gather", tests, NULL, NULL);
}
