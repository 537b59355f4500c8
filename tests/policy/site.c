/* SPDX-License-Identifier: BSD-2-Clause */
/* A judge with everything it needs in this process. */
#include "tests/policy/site.h"

#include "lib/base/mem.h"
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

void site_open(struct site *site, const char *conf_text)
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
            transactions_new(&(struct transactions_limits){100, 10, 10, 1000, INT64_C(600000000)}),
    };
}

void site_close(struct site *site)
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

void site_expect(struct site *site, const char *lines, const char *want)
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

int64_t site_used(struct site *site, char count)
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

size_t site_occurrences(const char *lines, const char *text)
{
    size_t count = 0;

    for (const char *at = strstr(lines, text); at != NULL; at = strstr(at + 1, text))
        count++;
    return count;
}

size_t site_logged(struct site *site, const char *text)
{
    char *lines = log_taken(site->services.log);
    const size_t count = site_occurrences(lines, text);

    free(lines);
    return count;
}
