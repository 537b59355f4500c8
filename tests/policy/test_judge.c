/* SPDX-License-Identifier: BSD-2-Clause */
/* Requests of whole transactions: what is answered, what is counted, what is logged. */
#include "policy/judge.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define DEADLINE_US (10 * INT64_C(1000000))
#define REQUEST_MAX 4096
#define LOGIN "sasl_username=alice@example.test\nsender=alice@example.test\n"

struct site {
    struct services services;
    struct judge judge;
    struct judge_client client;
};

/* No check here needs DNS. */
#define CONF                                                                                       \
    "mode = enforce\nhostname = mx.example.test\nlocal-domains = {\"example.test\"}\n"             \
    "max-message-size = 1000\n"                                                                    \
    "cause dns.sender-domain { action = ignore }\ncause dns.sender-no-mail { action = ignore }\n"  \
    "cause dns.recipient-domain { action = ignore }\n"                                             \
    "cause dns.recipient-no-mail { action = ignore }\ncause dns.mx-broken { action = ignore }\n"   \
    "cause dns.failure { action = ignore }\ncause config.plaintext { action = ignore }\n"
#define LIMITS                                                                                     \
    "limit daily { subject = user count = messages max = 3 per = 24h near = 0% }\n"                \
    "limit rcpts { subject = user count = recipients max = 50 per = 24h near = 0% }\n"             \
    "limit fanout { count = recipients max = 20 per = message }\n"

static void site_open(struct site *site, const char *conf_text)
{
    char *problem = NULL;

    *site = (struct site){.services = {.loop = loop_new(), .steady = &clock_steady}};
    site->services.log = log_open_memory(LOG_FORMAT_TEXT);
    site->services.store =
        store_open(site->services.loop,
                   &(struct store_settings){.url = "memory:", .timeout_ms = 200}, &problem);
    assert_non_null(site->services.store);
    site->services.dns = dns_new(
        site->services.loop,
        &(struct dns_settings){
            .resolver = "127.0.0.1@9", .timeout_ms = 100, .max_inflight = 16, .cache_size = 16},
        &problem);
    assert_non_null(site->services.dns);
    site->judge = (struct judge){
        .services = &site->services,
        .conf = conf_slot_new(conf_of(conf_text)),
        .transactions =
            transactions_new(&(struct transactions_limits){100, 10, 1000, INT64_C(600000000)}),
    };
}

static void site_close(struct site *site)
{
    transactions_free(&site->judge.transactions);
    conf_slot_free(&site->judge.conf);
    dns_free(&site->services.dns);
    store_close(&site->services.store);
    log_close(&site->services.log);
    loop_free(&site->services.loop);
}

static void on_answer(const char *action, void *context)
{
    char **answer = context;

    assert_null(*answer);
    *answer = mem_copy(action);
}

/* Asks with these lines; the answer is the caller's to free. */
static char *ask(struct site *site, const char *lines)
{
    const int64_t end_us = clock_now_us(&clock_steady) + DEADLINE_US;
    struct protocol_parser parser;
    struct protocol_request request;
    const char *problem = NULL;
    char *answer = NULL;
    char text[REQUEST_MAX];
    size_t used;
    const int length = snprintf(text, sizeof(text), "request=smtpd_access_policy\n%s\n", lines);

    protocol_begin(&parser);
    if (protocol_parse(&parser, text, (size_t)length, sizeof(text), &used, &request, &problem) !=
        PROTOCOL_REQUEST)
        fail_msg("%s: %s", lines, problem);
    judge_request(&site->judge, &site->client, &request, on_answer, &answer);
    while (answer == NULL && clock_now_us(&clock_steady) < end_us)
        loop_run_once(site->services.loop, 100);
    assert_non_null(answer);
    return answer;
}

/* The answer has to begin with want, or to be just that where it ends with '$'. */
static void expect(struct site *site, const char *lines, const char *want)
{
    char *answer = ask(site, lines);
    const size_t length = strlen(want);
    const bool whole = want[length - 1] == '$';

    if (strncmp(answer, want, whole ? length - 1 : length) != 0 ||
        (whole && strlen(answer) != length - 1))
        fail_msg("%s-> \"%s\", want \"%s\"", lines, answer, want);
    assert_null(strchr(answer, '\n'));
    free(answer);
}

static void on_used(const struct store_answer *answer, void *context)
{
    *(int64_t *)context = answer->limits[0].used;
}

/* What alice has used of a count: 'm' or 'r'. */
static int64_t used(struct site *site, char count)
{
    const struct store_limit limit = {.subject = "user:alice@example.test",
                                      .count = count,
                                      .window_sec = 86400,
                                      .amount = 0,
                                      .max = 1000000};
    const struct store_request request = {.identity = "", .limits = &limit, .nlimits = 1};
    const int64_t end_us = clock_now_us(&clock_steady) + DEADLINE_US;
    int64_t result = -1;

    store_look(site->services.store, &request, on_used, &result);
    while (result < 0 && clock_now_us(&clock_steady) < end_us)
        loop_run_once(site->services.loop, 100);
    return result;
}

static size_t occurrences(const char *lines, const char *text)
{
    size_t count = 0;

    for (const char *at = strstr(lines, text); at != NULL; at = strstr(at + 1, text))
        count++;
    return count;
}

/* How often the text is in what was logged since the last call. */
static size_t logged(struct site *site, const char *text)
{
    char *lines = log_taken(site->services.log);
    const size_t count = occurrences(lines, text);

    free(lines);
    return count;
}

/* --- counting ------------------------------------------------------------------------- */

static void test_rcpt_looks_and_the_end_charges(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n", "DUNNO$");
    assert_int_equal(used(&site, 'm'), 0);
    assert_int_equal(logged(&site, "event=message"), 0);
    expect(&site,
           LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=1\n"
                 "recipient=a@example.net\nsize=900\n",
           "DUNNO$");
    assert_int_equal(used(&site, 'm'), 1);
    assert_int_equal(used(&site, 'r'), 1);
    assert_int_equal(logged(&site, "Q1: event=message"), 1);
    assert_int_equal(transactions_count(site.judge.transactions), 0);
    site_close(&site);
}

static void test_data_and_end_charge_once(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    for (int i = 0; i < 3; i++) {
        expect(&site,
               LOGIN "protocol_state=RCPT\ninstance=1\nqueue_id=Q1\nrecipient=a@example.net\n",
               "DUNNO$");
        expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient_count=1\n",
               "DUNNO$");
        expect(&site,
               LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=1\n",
               "DUNNO$");
        assert_int_equal(used(&site, 'm'), 1);
        assert_int_equal(used(&site, 'r'), 1);
        assert_int_equal(logged(&site, "event=message"), 1);
    }
    site_close(&site);
}

static void test_recipients_are_collected(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n", "DUNNO$");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=2\nrecipient=x@example.net\n", "DUNNO$");
    /* The service stands in two restriction lists. */
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n", "DUNNO$");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example.net\n", "DUNNO$");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=c@example.net\n", "DUNNO$");
    /* Not sent by Postfix, but what was collected is then what there is. */
    expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\n", "DUNNO$");
    assert_int_equal(used(&site, 'r'), 3);
    /* Postfix has refused one of them. */
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=2\nrecipient=y@example.net\n", "DUNNO$");
    expect(&site,
           LOGIN "protocol_state=END-OF-MESSAGE\ninstance=2\nqueue_id=Q2\nrecipient_count=1\n",
           "DUNNO$");
    assert_int_equal(used(&site, 'r'), 4);
    site_close(&site);
}

static void test_never_seen_at_rcpt(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    expect(&site,
           LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=20\n",
           "DUNNO$");
    assert_int_equal(used(&site, 'r'), 20);
    expect(&site,
           LOGIN "protocol_state=END-OF-MESSAGE\ninstance=2\nqueue_id=Q2\nrecipient_count=21\n",
           "550 5.5.3 ");
    assert_int_equal(used(&site, 'r'), 20);
    assert_int_equal(used(&site, 'm'), 1);
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
        expect(&site, lines, "DUNNO$");
    }
    free(log_taken(site.services.log));
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=9\nrecipient=a@example.net\n",
           "450 4.7.28 ");
    assert_int_equal(logged(&site, "NOQUEUE: event=message"), 1);
    expect(&site,
           LOGIN "protocol_state=END-OF-MESSAGE\ninstance=9\nqueue_id=Q9\nrecipient_count=1\n",
           "450 4.7.28 ");
    assert_int_equal(logged(&site, "Q9: event=message"), 1);
    assert_int_equal(used(&site, 'm'), 3);
    site_close(&site);
}

static void test_a_refused_recipient_is_not_counted(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n", "DUNNO$");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example..net\n",
           "501 5.1.3 ");
    assert_int_equal(logged(&site, "event=message"), 1);
    /* Asked about again it is refused again, and it does not stand in the way of the others. */
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example..net\n",
           "501 5.1.3 ");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=c@example.net\n", "DUNNO$");
    expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\n", "DUNNO$");
    assert_int_equal(used(&site, 'r'), 2);
    site_close(&site);
}

static void test_a_message_that_dies_is_given_back(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n", "DUNNO$");
    expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient_count=1\nsize=0\n",
           "DUNNO$");
    assert_int_equal(used(&site, 'm'), 1);
    assert_int_equal(logged(&site, "verdict=accept"), 1);
    expect(&site,
           LOGIN
           "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=1\nsize=1001\n",
           "552 5.3.4 ");
    assert_int_equal(used(&site, 'm'), 0);
    assert_int_equal(used(&site, 'r'), 0);
    assert_int_equal(logged(&site, "verdict=reject"), 1);
    site_close(&site);
}

/* --- charge-at = rcpt ----------------------------------------------------------------- */

static void test_charge_at_rcpt(void **state)
{
    struct site site;
    char *lines;

    (void)state;
    site_open(&site, CONF LIMITS "charge-at = rcpt\n");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n", "DUNNO$");
    assert_int_equal(used(&site, 'm'), 1);
    assert_int_equal(used(&site, 'r'), 1);
    /* Postfix has a queue id from the second recipient on; it is the same message. */
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nqueue_id=Q1\nrecipient=b@example.net\n",
           "DUNNO$");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nqueue_id=Q1\nrecipient=b@example..net\n",
           "501 5.1.3 ");
    assert_int_equal(used(&site, 'm'), 1);
    assert_int_equal(used(&site, 'r'), 2);
    expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient_count=2\n",
           "DUNNO$");
    expect(&site,
           LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=2\n",
           "DUNNO$");
    assert_int_equal(used(&site, 'm'), 1);
    assert_int_equal(used(&site, 'r'), 2);
    /* One line for the message, one for the recipient that was refused, with the queue id where
     * there is one. */
    lines = log_taken(site.services.log);
    assert_non_null(strstr(lines, "NOQUEUE: event=message"));
    assert_non_null(strstr(lines, "Q1: event=message"));
    assert_int_equal(occurrences(lines, "event=message"), 2);
    free(lines);
    site_close(&site);
}

/* --- answers -------------------------------------------------------------------------- */

static void test_nothing_to_judge(void **state)
{
    static const char *const states[] = {"CONNECT", "EHLO", "HELO", "VRFY", "ETRN", "", "junk"};
    struct site site;
    char lines[128];

    (void)state;
    site_open(&site, CONF LIMITS);
    for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
        snprintf(lines, sizeof(lines), "protocol_state=%s\ninstance=1\n", states[i]);
        expect(&site, lines, "DUNNO$");
    }
    assert_int_equal(transactions_count(site.judge.transactions), 0);
    assert_int_equal(logged(&site, "event="), 0);
    site_close(&site);
}

static void test_observe_refuses_nothing(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS "mode = observe\n");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example..net\n", "DUNNO$");
    assert_int_equal(logged(&site, "event="), 0);
    expect(&site,
           LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=1\n"
                 "recipient=b@example..net\n",
           "DUNNO$");
    assert_int_equal(used(&site, 'm'), 1);
    assert_int_equal(logged(&site, "would=reject"), 2);
    site_close(&site);
}

/* A header can be prepended until the message is there, and must not be there twice. */
static void test_warn(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS "cause recipient.syntax { action = warn }\n");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example..net\n",
           "PREPEND X-Sluice-Warning: [recipient.syntax] ");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=c@example..net\n", "DUNNO$");
    expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient_count=2\n",
           "DUNNO$");
    assert_int_equal(used(&site, 'r'), 2);
    expect(&site, LOGIN "protocol_state=END-OF-MESSAGE\ninstance=2\nrecipient=b@example..net\n",
           "DUNNO$");
    expect(&site,
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
    expect(&site,
           LOGIN "protocol_state=END-OF-MESSAGE\ninstance=1\nqueue_id=Q1\nrecipient_count=1\n"
                 "recipient=b@example..net\n",
           "HOLD ");
    assert_int_equal(used(&site, 'm'), 1);
    assert_int_equal(logged(&site, "verdict=hold"), 1);
    site_close(&site);
}

static void test_mail_is_judged(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    expect(&site,
           "protocol_state=MAIL\ninstance=1\nsasl_username=alice@example.test\n"
           "sender=bob@example.test\n",
           "553 5.7.1 ");
    expect(&site, LOGIN "protocol_state=MAIL\ninstance=2\n", "DUNNO$");
    assert_int_equal(used(&site, 'm'), 0);
    site_close(&site);
}

/* --- transactions --------------------------------------------------------------------- */

static void test_another_sender_is_another_transaction(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n", "DUNNO$");
    expect(
        &site,
        "sasl_username=bob@example.test\nsender=bob@example.test\nprotocol_state=RCPT\ninstance=1\n"
        "recipient=b@example.net\n",
        "DUNNO$");
    expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient=c@example.net\n",
           "DUNNO$");
    assert_int_equal(used(&site, 'r'), 1);
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
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=slow\nrecipient=a@example.net\n", "DUNNO$");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=slow\nrecipient=b@example.net\n", "DUNNO$");
    slow = site.client;
    site.client = (struct judge_client){""};
    for (int i = 0; i < 300; i++) {
        snprintf(lines, sizeof(lines),
                 LOGIN "protocol_state=RCPT\ninstance=%d\nrecipient=a@example.net\n", i);
        expect(&site, lines, "DUNNO$");
    }
    site.client = slow;
    assert_int_equal(transactions_count(site.judge.transactions), 12);
    expect(&site, LOGIN "protocol_state=DATA\ninstance=slow\nqueue_id=Q1\n", "DUNNO$");
    assert_int_equal(used(&site, 'r'), 2);
    site_close(&site);
}

static void test_a_reload_does_not_change_a_message_in_hand(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n", "DUNNO$");
    conf_slot_set(site.judge.conf, conf_of(CONF LIMITS "mode = observe\n"));
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example..net\n", "501 ");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=2\nrecipient=b@example..net\n", "DUNNO$");
    site_close(&site);
}

static void test_more_recipients_after_a_refused_data(void **state)
{
    struct site site;

    (void)state;
    site_open(&site, CONF LIMITS);
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=a@example.net\n", "DUNNO$");
    expect(&site, LOGIN "protocol_state=RCPT\ninstance=1\nrecipient=b@example.net\n", "DUNNO$");
    expect(&site,
           LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nrecipient_count=1\nsize=2000\n",
           "552 ");
    expect(&site,
           LOGIN "protocol_state=RCPT\ninstance=1\nqueue_id=Q1\nrecipient=c@example..net\n"
                 "size=10\n",
           "501 ");
    expect(&site, LOGIN "protocol_state=DATA\ninstance=1\nqueue_id=Q1\nsize=10\n", "DUNNO$");
    assert_int_equal(used(&site, 'r'), 2);
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
