/* SPDX-License-Identifier: BSD-2-Clause */
/* The whole of gather and decide, with the memory store and a resolver that nobody answers. */
#include "lib/decide/assess.h"

#include "lib/base/text.h"
#include "lib/decide/verdict.h"
#include "tests/support/conf_text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define DEADLINE_US (60 * INT64_C(1000000))

struct site {
    struct services services;
    struct conf *conf;
    int silent; /* a socket that takes questions and answers none */
};

static void site_open(struct site *site, const char *conf_text)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    char *problem = NULL;
    struct text resolver = TEXT_EMPTY;

    site->silent = socket(AF_INET, SOCK_DGRAM, 0);
    assert_int_equal(bind(site->silent, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(site->silent, (struct sockaddr *)&address, &length), 0);
    text_print(&resolver, "127.0.0.1@%u", (unsigned)ntohs(address.sin_port));
    site->conf = conf_of(conf_text);
    site->services = (struct services){.loop = loop_new(), .steady = &clock_steady};
    site->services.store =
        store_open(site->services.loop,
                   &(struct store_settings){.url = "memory:", .timeout_ms = 200}, &problem);
    assert_non_null(site->services.store);
    site->services.dns = dns_new(site->services.loop,
                                 &(struct dns_settings){.resolver = text_string(&resolver),
                                                        .timeout_ms = 100,
                                                        .max_inflight = 16,
                                                        .cache_size = 16},
                                 &problem);
    assert_non_null(site->services.dns);
    text_free(&resolver);
}

static void site_close(struct site *site)
{
    store_close(&site->services.store);
    dns_free(&site->services.dns);
    loop_free(&site->services.loop);
    conf_release(&site->conf);
    close(site->silent);
}

static const char conf_text[] =
    "mode = enforce\nlocal-domains = {\"example.test\"}\ndns-timeout = 100ms\n"
    "max-message-size = 1000\n"
    "limit daily { subject = user count = messages max = 2 per = 24h }";

static struct message *alice(const char *queue_id)
{
    struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");

    message->stage = STAGE_END_OF_MESSAGE;
    message_set_user(message, "alice@example.test");
    message_set_sender(message, "alice@example.test");
    message_set(&message->queue_id, queue_id);
    message_add_recipient(message, "bob@example.test");
    return message;
}

static void assessed(struct message *message, void *context)
{
    (void)message;
    *(bool *)context = true;
}

static void judge(struct site *site, struct message *message, enum assess_charge charge)
{
    int64_t end_us = clock_now_us(&clock_steady) + DEADLINE_US;
    bool done = false;

    assess(&site->services, site->conf, message, charge, assessed, &done);
    while (!done && clock_now_us(&clock_steady) < end_us)
        loop_run_once(site->services.loop, 100);
    assert_true(done);
}

static int64_t used_by_alice(struct site *site)
{
    struct message *message = alice("");
    int64_t used;

    judge(site, message, ASSESS_LOOK);
    used = message->facts.limits[0].used;
    message_free(&message);
    return used;
}

static void test_charges_once_and_looks_for_free(void **state)
{
    struct site site;
    struct message *message = alice("Q1");

    (void)state;
    site_open(&site, conf_text);
    judge(&site, message, ASSESS_LOOK);
    assert_int_equal(used_by_alice(&site), 0);
    judge(&site, message, ASSESS_CHARGE);
    assert_true(message->facts.charged && message->facts.charged_by_us);
    assert_int_equal(message->direction, DIRECTION_OUT);
    judge(&site, message, ASSESS_CHARGE);
    assert_true(message->facts.charged && !message->facts.charged_by_us);
    assert_int_equal(used_by_alice(&site), 1);
    message_free(&message);
    site_close(&site);
}

static void test_over_is_refused_and_not_charged(void **state)
{
    struct site site;
    struct message *first = alice("Q1"), *second = alice("Q2"), *third = alice("Q3");

    (void)state;
    site_open(&site, conf_text);
    judge(&site, first, ASSESS_CHARGE);
    judge(&site, second, ASSESS_CHARGE);
    judge(&site, third, ASSESS_CHARGE);
    assert_false(verdict_refuses(&second->verdict));
    assert_int_equal(third->verdict.action, ACTION_DEFER);
    assert_string_equal(third->verdict.decisive->cause->id, "limit.messages");
    assert_false(third->facts.charged);
    assert_int_equal(used_by_alice(&site), 2);
    message_free(&first);
    message_free(&second);
    message_free(&third);
    site_close(&site);
}

/* The policy daemon charged it; then the milter sees that it is too large. */
static void test_refused_later_is_given_back(void **state)
{
    struct site site;
    struct message *message = alice("Q1");

    (void)state;
    site_open(&site, conf_text);
    judge(&site, message, ASSESS_CHARGE);
    assert_int_equal(used_by_alice(&site), 1);
    message->size = 1001;
    judge(&site, message, ASSESS_CHARGE);
    assert_int_equal(message->verdict.action, ACTION_REJECT);
    assert_int_equal(used_by_alice(&site), 0);
    message_free(&message);
    site_close(&site);
}

/* Who only asks, and who is told that one recipient is too many, leaves what was charged. */
static void test_what_lives_on_is_not_given_back(void **state)
{
    struct site site;
    struct message *message = alice("Q1");

    (void)state;
    site_open(&site, conf_text);
    judge(&site, message, ASSESS_CHARGE);
    message->size = 1001;
    judge(&site, message, ASSESS_LOOK);
    assert_int_equal(message->verdict.action, ACTION_REJECT);
    assert_int_equal(used_by_alice(&site), 1);
    message->stage = STAGE_RCPT;
    judge(&site, message, ASSESS_CHARGE);
    assert_int_equal(message->verdict.action, ACTION_REJECT);
    assert_int_equal(used_by_alice(&site), 1);
    message_free(&message);
    site_close(&site);
}

static void test_refused_for_another_reason_costs_nothing(void **state)
{
    struct site site;
    struct message *message = alice("Q1");

    (void)state;
    site_open(&site, conf_text);
    message_set_sender(message, "ceo@example.test");
    judge(&site, message, ASSESS_CHARGE);
    assert_int_equal(message->verdict.action, ACTION_REJECT);
    assert_int_equal(used_by_alice(&site), 0);
    message_free(&message);
    site_close(&site);
}

static void test_dead_resolver_refuses_nobody(void **state)
{
    struct site site;
    struct message *message = alice("Q1");

    (void)state;
    site_open(&site, conf_text);
    message_add_recipient(message, "carol@one.test");
    judge(&site, message, ASSESS_CHARGE);
    assert_int_equal(message->recipients[0].domain.state, MAIL_DOMAIN_UNASKED);
    assert_int_equal(message->recipients[1].domain.state, MAIL_DOMAIN_FAILED);
    assert_false(verdict_refuses(&message->verdict));
    assert_int_equal(message->verdict.action, ACTION_LOG);
    assert_true(message->facts.charged);
    message_free(&message);
    site_close(&site);
}

struct caller {
    struct site *site;
    struct message *message;
};

static void stop(void *context)
{
    loop_stop(context);
}

static void *milter_thread(void *context)
{
    struct caller *caller = context;
    struct site *site = caller->site;

    assess_wait(&site->services, site->conf, caller->message, ASSESS_CHARGE, NULL, NULL);
    assess_give_back(&site->services, site->conf, caller->message);
    loop_post(site->services.loop, stop, site->services.loop);
    return NULL;
}

static void test_other_threads_wait_for_the_loop(void **state)
{
    struct site site;
    struct message *message = alice("Q1");
    struct caller caller = {&site, message};
    pthread_t thread;

    (void)state;
    site_open(&site, conf_text);
    assert_int_equal(pthread_create(&thread, NULL, milter_thread, &caller), 0);
    loop_run(site.services.loop);
    pthread_join(thread, NULL);
    assert_true(message->facts.charged_by_us);
    assert_int_equal(used_by_alice(&site), 0);
    message_free(&message);
    site_close(&site);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_charges_once_and_looks_for_free),
        cmocka_unit_test(test_over_is_refused_and_not_charged),
        cmocka_unit_test(test_refused_later_is_given_back),
        cmocka_unit_test(test_what_lives_on_is_not_given_back),
        cmocka_unit_test(test_refused_for_another_reason_costs_nothing),
        cmocka_unit_test(test_dead_resolver_refuses_nobody),
        cmocka_unit_test(test_other_threads_wait_for_the_loop),
    };

    return cmocka_run_group_tests_name("assess", tests, NULL, NULL);
}
