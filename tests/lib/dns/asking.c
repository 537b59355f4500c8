/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/dns/asking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define PATIENCE_US (20 * 1000000)

static int64_t callbacks;

void asking_told(const struct dns_answer *answer, void *context)
{
    struct told *told = context;

    told->times++;
    told->status = answer->status;
    told->count = answer->count;
    told->ttl_sec = answer->ttl_sec;
    told->timed_out = answer->timed_out;
    told->from_cache = answer->from_cache;
    told->order = callbacks++;
    (void)snprintf(told->name, sizeof(told->name), "%s", answer->name);
    (void)snprintf(told->problem, sizeof(told->problem), "%s",
                   answer->problem != NULL ? answer->problem : "");
}

int64_t asking_now_ms(void)
{
    return clock_now_us(&clock_steady) / 1000;
}

struct dns *asking_make(struct loop *loop, const char *resolver, size_t max_inflight)
{
    const struct dns_settings settings = {
        .resolver = resolver,
        .timeout_ms = 400,
        .max_inflight = max_inflight,
        .cache_size = 5000,
    };
    char *problem = NULL;
    struct dns *dns = dns_new(loop, &settings, &problem);

    if (dns == NULL)
        fail_msg("%s", problem);
    return dns;
}

int asking_start(void **state)
{
    struct fixture *fixture = calloc(1, sizeof(*fixture));

    assert_non_null(fixture);
    fixture->loop = loop_new();
    assert_non_null(fixture->loop);
    fixture->responder = responder_new(fixture->loop, 0);
    fixture->dns = asking_make(fixture->loop, responder_address(fixture->responder), 2000);
    *state = fixture;
    return 0;
}

int asking_stop(void **state)
{
    struct fixture *fixture = *state;

    dns_free(&fixture->dns);
    responder_free(&fixture->responder);
    loop_free(&fixture->loop);
    free(fixture);
    return 0;
}

void asking_wait(const struct fixture *fixture, const struct told *told, size_t count)
{
    int64_t until_us = clock_now_us(&clock_steady) + PATIENCE_US;

    for (size_t i = 0; i < count;) {
        if (told[i].times > 0) {
            i++;
            continue;
        }
        if (clock_now_us(&clock_steady) > until_us)
            fail_msg("question %zu was never answered", i);
        loop_run_once(fixture->loop, 50);
    }
}

struct told asking_ask(const struct fixture *fixture, const char *name, enum dns_type type)
{
    struct told told = {0};

    (void)dns_ask(fixture->dns, name, type, 0, asking_told, &told);
    asking_wait(fixture, &told, 1);
    assert_int_equal(told.times, 1);
    return told;
}
