/* SPDX-License-Identifier: BSD-2-Clause */
/* What a DNS packet answers to a question.  Every length in it is a stranger's.  Thread-safe. */
#pragma once

#include "lib/dns/dns.h"
#include "lib/dns/name.h"

#include <stddef.h>
#include <stdint.h>

#define DNS_RECORDS_MAX 1024 /* kept of one answer; what is behind them is not */
#define DNS_CHAIN_MAX 16 /* CNAMEs followed */

struct dns_records {
    enum dns_status status;
    struct dns_record *items;
    size_t count;
    int64_t ttl_sec; /* as answered: the least along the chain; for absences by the SOA (RFC 2308
                        section 5), 0 without */
    bool alias; /* a CNAME led to them, or to nothing */
    const char *problem; /* DNS_FAILED: a literal */
};

/* Reads the answer to a question for name and type.  A packet that is broken, cut, or the answer to
 * something else is DNS_FAILED, as is a response code that says neither yes nor no.
 * records_r is the caller's to dns_records_clear(). */
void dns_records_read(const uint8_t *packet, size_t length, const struct dns_name *name,
                      enum dns_type type, struct dns_records *records_r);
void dns_records_clear(struct dns_records *records);

/* "SERVFAIL" and the like: a literal. */
const char *dns_rcode_name(unsigned rcode);
