/* SPDX-License-Identifier: BSD-2-Clause */
/* Questions to the resolver of a name server that does as it is told, and what was answered. */
#pragma once

#include "lib/dns/dns.h"
#include "tests/support/responder.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ASKING_SLACK_MS 5000 /* of a busy machine */

/* What one question was told. */
struct told {
    unsigned times;
    enum dns_status status;
    size_t count;
    int64_t ttl_sec;
    bool timed_out;
    bool from_cache;
    char name[64];
    char problem[64];
    int64_t order; /* the how-manieth callback it was */
};

struct fixture {
    struct loop *loop;
    struct responder *responder;
    struct dns *dns;
};

/* For each test: a loop, a name server on loopback that answers, and a resolver that asks it. */
int asking_start(void **state);
int asking_stop(void **state);

/* A resolver with a time-out of 400 ms. */
struct dns *asking_make(struct loop *loop, const char *resolver, size_t max_inflight);

/* The callback of a question whose context is a struct told. */
void asking_told(const struct dns_answer *answer, void *context);

/* Runs the loop until all were told. */
void asking_wait(const struct fixture *fixture, const struct told *told, size_t count);

/* Asks, waits, and gives what was told. */
struct told asking_ask(const struct fixture *fixture, const char *name, enum dns_type type);

int64_t asking_now_ms(void);
