/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of whole transactions: what is answered, and what they have to do with each other. */
#include "tests/policy/site.h"

#include "lib/base/count.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* --- answers -------------------------------------------------------------------------- */

static void test_nothing_to_judge(void **state)
{
    static const char *const states[] = {"CONNECT", "EHLO", "HELO", "VRFY", "ETRN", "", "junk"};
    struct site site;
    char lines[128];

    (void)state;
    site_open(&site, CONF LIMITS);
    for (size_t i = 0; i < COUNT_OF(states); i++) {
        snprintf(lines, sizeof(lines), "protocol_state=%s\ninstance=1\n", states[i]);
        site_expect(&site, lines, "DUNNO$");
    }
    assert_int_equal(transactions_count(site.judge.transactions), 0);
    assert_int_equal(site_logged(&site, "event="), 0);
    site_close(&site);
}

static void test_observe_refuses_nothing(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS "mode = observe\n");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example..net\n",
                "DUNNO$");
    assert_int_equal(site_logged(&site, "event="), 0);
    site_expect(&site,
                LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=1\n"
                      "recipient=b@example..net\n",
                "DUNNO$");
    assert_int_equal(site_used(&site, 'm'), 1);
    assert_int_equal(site_logged(&site, "would=reject"), 2);
    site_close(&site);
}

/* A header can be prepended until the message is there, and must not be there twice. */
static void test_warn(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS "cause recipient.syntax { action = warn }\n");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example..net\n",
                "PREPEND X-Sluice-Warning: [recipient.syntax] ");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=c@example..net\n",
                "DUNNO$");
    site_expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient_count=2\n",
                "DUNNO$");
    assert_int_equal(site_used(&site, 'r'), 2);
    site_expect(&site,
                LOGIN "protocol_state=END-OF-MESSAGE\ninstance=2\nrecipient=b@example..net\n",
                "DUNNO$");
    site_expect(&site,
                LOGIN "protocol_state=DATA\ninstance=3\nrecipient=b@example..net\n"
                      "recipient_count=1\n",
                "PREPEND X-Sluice-Warning: [recipient.syntax] ");
    site_close(&site);
}

static void test_hold(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS "cause recipient.syntax { action = hold }\n");
    site_expect(&site,
                LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=1\n"
                      "recipient=b@example..net\n",
                "HOLD ");
    assert_int_equal(site_used(&site, 'm'), 1);
    assert_int_equal(site_logged(&site, "verdict=hold"), 1);
    site_close(&site);
}

static void test_mail_is_judged(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    site_expect(&site,
                "protocol_state=MAIL\ninstance=1\nsasl_username=alice@example.test\n"
                "sender=bob@example.test\n",
                "553 5.7.1 ");
    site_expect(&site, LOGIN "protocol_state=MAIL\ninstance=2\n", "DUNNO$");
    assert_int_equal(site_used(&site, 'm'), 0);
    site_close(&site);
}

/* --- transactions --------------------------------------------------------------------- */

static void test_another_sender_is_another_transaction(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n",
                "DUNNO$");
    site_expect(
        &site,
        "sasl_username=bob@example.test\nsender=bob@example.test\nprotocol_state=RCPT\ninstance=1\n"
        "recipient=b@example.net\n",
        "DUNNO$");
    site_expect(&site,
                LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient=c@example.net\n",
                "DUNNO$");
    assert_int_equal(site_used(&site, 'r'), 1);
    site_close(&site);
}

/* A client that never comes to the end of a message does not push out the messages of others. */
static void test_what_a_client_leaves_behind_goes_first(void **state)
{
    struct site site;
    struct judge_client slow;
    char lines[256];

    (void)state;
    site_open(&site, CONF LIMITS);
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=slow\nrecipient=a@example.net\n",
                "DUNNO$");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=slow\nrecipient=b@example.net\n",
                "DUNNO$");
    slow = site.client;
    site.client = (struct judge_client){""};
    for (int i = 0; i < 300; i++) {
        snprintf(lines, sizeof(lines),
                 LOGIN "protocol_state=RCPT\ninstance=%d\nrecipient=a@example.net\n", i);
        site_expect(&site, lines, "DUNNO$");
    }
    site.client = slow;
    assert_int_equal(transactions_count(site.judge.transactions), 12);
    site_expect(&site, LOGIN "protocol_state=DATA\ninstance=slow\nqueue_id=Q1\n", "DUNNO$");
    assert_int_equal(site_used(&site, 'r'), 2);
    site_close(&site);
}

static void test_a_reload_does_not_change_a_message_in_hand(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n",
                "DUNNO$");
    conf_slot_set(site.judge.conf, conf_of(CONF LIMITS "mode = observe\n"));
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example..net\n", "501 ");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=2\nrecipient=b@example..net\n",
                "DUNNO$");
    site_close(&site);
}

static void test_more_recipients_after_a_refused_data(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n",
                "DUNNO$");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example.net\n",
                "DUNNO$");
    site_expect(
        &site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient_count=1\nsize=2000\n",
        "552 ");
    site_expect(&site,
                LOGIN "protocol_state=RCPT\ninstance=1\nqueue_id=Q1\nrecipient=c@example..net\n"
                      "size=10\n",
                "501 ");
    site_expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nsize=10\n", "DUNNO$");
    assert_int_equal(site_used(&site, 'r'), 2);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_to_judge),
        cmocka_unit_test(test_observe_refuses_nothing),
        cmocka_unit_test(test_warn),
        cmocka_unit_test(test_hold),
        cmocka_unit_test(test_mail_is_judged),
        cmocka_unit_test(test_another_sender_is_another_transaction),
        cmocka_unit_test(test_what_a_client_leaves_behind_goes_first),
        cmocka_unit_test(test_a_reload_does_not_change_a_message_in_hand),
        cmocka_unit_test(test_more_recipients_after_a_refused_data),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
