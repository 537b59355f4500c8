/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The resolver: asynchronous questions on the loop, answered from a cache where it can.
 *
 * Found, absent, no data, failed and bogus are different answers, and a failure is never cached as
 * an absence.  All functions belong to the loop's thread; none blocks.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/base/ip.h"
#include "lib/base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dns_type { DNS_A = 1, DNS_PTR = 12, DNS_MX = 15, DNS_TXT = 16, DNS_AAAA = 28 };

const char *dns_type_name(enum dns_type type); /* "AAAA" */

enum dns_status {
    DNS_FOUND, /* at least one record */
    DNS_NO_DATA, /* the name exists, without that type */
    DNS_ABSENT, /* NXDOMAIN */
    DNS_FAILED, /* SERVFAIL, REFUSED, no answer in time, too many questions in flight, a name that
                   is none */
    DNS_BOGUS, /* DNSSEC says forged */
};

struct dns_record {
    uint16_t preference; /* MX */
    struct ip_address address; /* A, AAAA */
    char *text; /* MX, PTR: the name, lower case, no trailing dot ("" is the root: null MX); TXT:
                   the strings joined */
    size_t length; /* of text: a TXT may hold NUL */
};

/* An answer is borrowed for the time of the callback. */
struct dns_answer {
    enum dns_status status;
    enum dns_type type;
    const char *name; /* as asked */
    const struct dns_record *records; /* MX sorted by preference */
    size_t count;
    int64_t ttl_sec;
    const char *problem; /* DNS_FAILED, DNS_BOGUS: "timed out", "SERVFAIL", ... */
    bool timed_out;
    bool from_cache;
    bool alias; /* the name is a CNAME: what is answered is of another name */
};

typedef void dns_callback(const struct dns_answer *answer, void *context);

struct dns_settings {
    const char *resolver; /* "system", or "ADDRESS[@PORT]" with ',' between several */
    int64_t timeout_ms; /* the default deadline of a question */
    size_t max_inflight;
    size_t cache_size; /* answers */
    const struct clock *clock; /* steady; NULL: clock_steady */
    const char
        *trust_anchor; /* file of DS or DNSKEY records to validate by; NULL: no DNSSEC validation */
};

struct dns;
struct dns_question;

/* NULL: problem_r says why (the caller frees it). */
struct dns *dns_new(struct loop *loop, const struct dns_settings *settings, char **problem_r);
/* Questions still open are answered DNS_FAILED first.  Not from within a callback. */
void dns_free(struct dns **dns);

/* Asks.  callback is called exactly once: from within dns_ask() when the answer is known at once
 * (from the cache, or a failure; NULL is returned then), else later, and then the question is gone.
 * timeout_ms 0: the default. While the resolver is known to be dead (every question of late timed
 * out), questions fail at once.  One a second or so is asked all the same and finds out whether it
 * is back, without anybody waiting for it. */
struct dns_question *dns_ask(struct dns *dns, const char *name, enum dns_type type,
                             int64_t timeout_ms, dns_callback *callback, void *context);
/* The callback will not be called, and the question is gone.  One that has had its time by then
 * counts as timed out.  Does nothing on NULL. */
void dns_cancel(struct dns_question *question);

/* The reverse name of an address ("9.100.51.198.in-addr.arpa"); the caller frees it. */
char *dns_reverse_name(const struct ip_address *address);

/* Shows every answer that is given from now on to trace as well; NULL: no more. */
void dns_trace(struct dns *dns, dns_callback *trace, void *context);

/* For status, metrics and self.dns-slow: totals since the start. */
struct dns_counts {
    uint64_t asked, cached, found, absent, no_data, failed, bogus, timed_out, refused_inflight;
    size_t inflight, kept; /* now */
};
void dns_counts(const struct dns *dns, struct dns_counts *counts_r);
