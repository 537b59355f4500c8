/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of whole transactions: what is counted and what is logged. */
#include "tests/policy/site.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* --- counting ------------------------------------------------------------------------- */

static void test_rcpt_looks_and_the_end_charges(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n",
                "DUNNO$");
    assert_int_equal(site_used(&site, 'm'), 0);
    assert_int_equal(site_logged(&site, "event=message"), 0);
    site_expect(&site,
                LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=1\n"
                      "recipient=a@example.net\nsize=900\n",
                "DUNNO$");
    assert_int_equal(site_used(&site, 'm'), 1);
    assert_int_equal(site_used(&site, 'r'), 1);
    assert_int_equal(site_logged(&site, "Q1: event=message"), 1);
    assert_int_equal(transactions_count(site.judge.transactions), 0);
    site_close(&site);
}

static void test_data_and_end_charge_once(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    for (int i = 0; i < 3; i++) {
        site_expect(&site,
                    LOGIN "protocol_state=RCPT\ninstance=1\nqueue_id=Q1\nrecipient=a@example.net\n",
                    "DUNNO$");
        site_expect(&site,
                    LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient_count=1\n",
                    "DUNNO$");
        site_expect(&site,
                    LOGIN
                    "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=1\n",
                    "DUNNO$");
        assert_int_equal(site_used(&site, 'm'), 1);
        assert_int_equal(site_used(&site, 'r'), 1);
        assert_int_equal(site_logged(&site, "event=message"), 1);
    }
    site_close(&site);
}

static void test_recipients_are_collected(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n",
                "DUNNO$");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=2\nrecipient=x@example.net\n",
                "DUNNO$");
    /* The service stands in two restriction lists. */
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n",
                "DUNNO$");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example.net\n",
                "DUNNO$");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=c@example.net\n",
                "DUNNO$");
    /* Not sent by Postfix, but what was collected is then what there is. */
    site_expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\n", "DUNNO$");
    assert_int_equal(site_used(&site, 'r'), 3);
    /* Postfix has refused one of them. */
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=2\nrecipient=y@example.net\n",
                "DUNNO$");
    site_expect(&site,
                LOGIN "protocol_state=END-OF-MESSAGE\ninstance=2\nqueue_id=Q2\nrecipient_count=1\n",
                "DUNNO$");
    assert_int_equal(site_used(&site, 'r'), 4);
    site_close(&site);
}

static void test_never_seen_at_rcpt(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    site_expect(
        &site, LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=20\n",
        "DUNNO$");
    assert_int_equal(site_used(&site, 'r'), 20);
    site_expect(
        &site, LOGIN "protocol_state=END-OF-MESSAGE\ninstance=2\nqueue_id=Q2\nrecipient_count=21\n",
        "550 5.5.3 ");
    assert_int_equal(site_used(&site, 'r'), 20);
    assert_int_equal(site_used(&site, 'm'), 1);
    site_close(&site);
}

static void test_over_the_limit(void **state)
{
    struct site site;
    char lines[256];

    (void)state;
    site_open(&site, CONF LIMITS);
    for (int i = 0; i < 3; i++) {
        snprintf(lines, sizeof(lines),
                 LOGIN
                 "protocol_state=END-OF-MESSAGE\ninstance=%d\nqueue_id=Q%d\nrecipient_count=1\n",
                 i, i);
        site_expect(&site, lines, "DUNNO$");
    }
    free(log_taken(site.services.log));
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=9\nrecipient=a@example.net\n",
                "450 4.7.28 ");
    assert_int_equal(site_logged(&site, "NOQUEUE: event=message"), 1);
    site_expect(&site,
                LOGIN "protocol_state=END-OF-MESSAGE\ninstance=9\nqueue_id=Q9\nrecipient_count=1\n",
                "450 4.7.28 ");
    assert_int_equal(site_logged(&site, "Q9: event=message"), 1);
    assert_int_equal(site_used(&site, 'm'), 3);
    site_close(&site);
}

static void test_a_refused_recipient_is_not_counted(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n",
                "DUNNO$");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example..net\n",
                "501 5.1.3 ");
    assert_int_equal(site_logged(&site, "event=message"), 1);
    /* Asked about again it is refused again, and it does not stand in the way of the others. */
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example..net\n",
                "501 5.1.3 ");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=c@example.net\n",
                "DUNNO$");
    site_expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\n", "DUNNO$");
    assert_int_equal(site_used(&site, 'r'), 2);
    site_close(&site);
}

static void test_a_message_that_dies_is_given_back(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n",
                "DUNNO$");
    site_expect(&site,
                LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient_count=1\nsize=0\n",
                "DUNNO$");
    assert_int_equal(site_used(&site, 'm'), 1);
    assert_int_equal(site_logged(&site, "verdict=accept"), 1);
    site_expect(
        &site,
        LOGIN
        "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=1\nsize=1001\n",
        "552 5.3.4 ");
    assert_int_equal(site_used(&site, 'm'), 0);
    assert_int_equal(site_used(&site, 'r'), 0);
    assert_int_equal(site_logged(&site, "verdict=reject"), 1);
    site_close(&site);
}

/* --- charge-at = rcpt ----------------------------------------------------------------- */

static void test_charge_at_rcpt(void **state)
{
    struct site site;
    char *lines;

    (void)state;
    site_open(&site, CONF LIMITS "charge-at = rcpt\n");
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n",
                "DUNNO$");
    assert_int_equal(site_used(&site, 'm'), 1);
    assert_int_equal(site_used(&site, 'r'), 1);
    /* Postfix has a queue id from the second recipient on; it is the same message. */
    site_expect(&site,
                LOGIN "protocol_state=RCPT\ninstance=1\nqueue_id=Q1\nrecipient=b@example.net\n",
                "DUNNO$");
    site_expect(&site,
                LOGIN "protocol_state=RCPT\ninstance=1\nqueue_id=Q1\nrecipient=b@example..net\n",
                "501 5.1.3 ");
    assert_int_equal(site_used(&site, 'm'), 1);
    assert_int_equal(site_used(&site, 'r'), 2);
    site_expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient_count=2\n",
                "DUNNO$");
    site_expect(&site,
                LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=2\n",
                "DUNNO$");
    assert_int_equal(site_used(&site, 'm'), 1);
    assert_int_equal(site_used(&site, 'r'), 2);
    /* One line for the message, one for the recipient that was refused, with the queue id where
     * there is one. */
    lines = log_taken(site.services.log);
    assert_non_null(strstr(lines, "NOQUEUE: event=message"));
    assert_non_null(strstr(lines, "Q1: event=message"));
    assert_int_equal(site_occurrences(lines, "event=message"), 2);
    free(lines);
    site_close(&site);
}

/* The service stands in two lists that are asked at the end: the second time, too, it is known who
 * of the recipients is our own. */
static void test_asked_twice_about_the_end(void **state)
{
    static const char *const recipients[] = {"a@example.net", "b@example.test", "c@example.test"};
    static const char end[] =
        LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=3\n";
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS "limit out { subject = user count = external-recipients max = 50 "
                                 "per = 24h near = 0% }\n");
    for (size_t i = 0; i < 3; i++) {
        char request[256];

        snprintf(request, sizeof(request), LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=%s\n",
                 recipients[i]);
        site_expect(&site, request, "DUNNO$");
    }
    for (size_t i = 0; i < 3; i++) {
        site_expect(&site, end, "DUNNO$");
        assert_int_equal(site_used(&site, 'm'), 1);
        assert_int_equal(site_used(&site, 'r'), 3);
        assert_int_equal(site_used(&site, 'e'), 1);
    }
    assert_int_equal(site_logged(&site, "event=message"), 1);
    /* Another message, whatever its instance says, has none of these recipients. */
    site_expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=d@example.net\n",
                "DUNNO$");
    site_expect(&site, LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q2\n", "DUNNO$");
    assert_int_equal(site_used(&site, 'r'), 4);
    assert_int_equal(site_used(&site, 'e'), 2);
    site_expect(&site,
                LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q3\n"
                      "recipient_count=2\n",
                "DUNNO$");
    assert_int_equal(site_used(&site, 'r'), 6);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rcpt_looks_and_the_end_charges),
        cmocka_unit_test(test_data_and_end_charge_once),
        cmocka_unit_test(test_recipients_are_collected),
        cmocka_unit_test(test_never_seen_at_rcpt),
        cmocka_unit_test(test_over_the_limit),
        cmocka_unit_test(test_a_refused_recipient_is_not_counted),
        cmocka_unit_test(test_a_message_that_dies_is_given_back),
        cmocka_unit_test(test_charge_at_rcpt),
        cmocka_unit_test(test_asked_twice_about_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
