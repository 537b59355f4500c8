/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether it is worth a wait to ask: after a row of time-outs with no answer between them, one try
 * a second.  Whoever makes the first try may wait for it, since the time-outs may have been of
 * names whose own servers are dead; until there is an answer, nobody else waits, and nobody for a
 * later try. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#define DNS_BREAKER_TIMEOUTS 8
#define DNS_BREAKER_PROBE_US 1000000

struct dns_breaker {
    unsigned timeouts; /* in a row */
    int64_t probe_us; /* when the next try is due */
    bool tried; /* since it opened */
};

/* While it is open: true once a second. */
bool dns_breaker_allows(struct dns_breaker *breaker, int64_t now_us);
bool dns_breaker_is_open(const struct dns_breaker *breaker);
/* Open, and the one try that may be waited for was made. */
bool dns_breaker_is_sure(const struct dns_breaker *breaker);
void dns_breaker_timed_out(struct dns_breaker *breaker);
/* true: it was open. */
bool dns_breaker_answered(struct dns_breaker *breaker);
