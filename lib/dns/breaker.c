/* SPDX-License-Identifier: BSD-2-Clause */
/* Not waiting for those who do not answer. */
#include "lib/dns/breaker.h"

bool dns_breaker_is_open(const struct dns_breaker *breaker)
{
    return breaker->timeouts >= DNS_BREAKER_TIMEOUTS;
}

bool dns_breaker_is_sure(const struct dns_breaker *breaker)
{
    return dns_breaker_is_open(breaker) && breaker->tried;
}

bool dns_breaker_allows(struct dns_breaker *breaker, int64_t now_us)
{
    if (!dns_breaker_is_open(breaker))
        return true;
    if (now_us < breaker->probe_us)
        return false;
    breaker->probe_us = now_us + DNS_BREAKER_PROBE_US;
    breaker->tried = true;
    return true;
}

void dns_breaker_timed_out(struct dns_breaker *breaker)
{
    /* The first try is due at once. */
    if (!dns_breaker_is_open(breaker) && ++breaker->timeouts == DNS_BREAKER_TIMEOUTS)
        breaker->probe_us = INT64_MIN;
}

bool dns_breaker_answered(struct dns_breaker *breaker)
{
    bool was_open = dns_breaker_is_open(breaker);

    breaker->timeouts = 0;
    breaker->tried = false;
    return was_open;
}
