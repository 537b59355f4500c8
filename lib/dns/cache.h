/* SPDX-License-Identifier: BSD-2-Clause */
/* Answers that are kept for as long as they are good, the ones used longest ago dropped first. */
#pragma once

#include "lib/dns/records.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* RFC 2181 section 8 leaves the cap to us, RFC 2308 sections 5 and 7 those for absences and
 * failures. */
#define DNS_CACHE_LEAST_SEC 1
#define DNS_CACHE_FOUND_SEC (24 * 60 * 60)
#define DNS_CACHE_ABSENT_SEC (60 * 60)
#define DNS_CACHE_FAILED_SEC 5

/* An answer that the cache and those who are being told it share. */
struct dns_result {
    size_t references;
    struct dns_records records;
    char *problem; /* DNS_FAILED, DNS_BOGUS */
    int64_t expires_us;
    int64_t waited_ms; /* timed out: for how long; else 0 */
};

/* Takes what is in records and leaves it empty; ttl_sec becomes what it is kept for.  One
 * reference. */
struct dns_result *dns_result_new(struct dns_records *records, const char *problem, int64_t now_us);
struct dns_result *dns_result_hold(struct dns_result *result);
void dns_result_release(struct dns_result *result);

/* A question as the key of a table. */
struct dns_key {
    uint8_t octets[2 + DNS_NAME_MAX];
    size_t length;
};
void dns_key_make(const struct dns_name *name, enum dns_type type, struct dns_key *key_r);

struct dns_cache;
struct dns_cache *dns_cache_new(size_t size); /* 0 keeps nothing */
void dns_cache_free(struct dns_cache **cache);

/* NULL: not known (any more).  A time-out is known to those only who would not wait much longer (by
 * an eighth) than was waited then: what is left of a message's time is never quite the same at its
 * next stage.  Borrowed until the next dns_cache_put(). */
struct dns_result *dns_cache_get(struct dns_cache *cache, const struct dns_key *key, int64_t now_us,
                                 int64_t timeout_ms);
void dns_cache_put(struct dns_cache *cache, const struct dns_key *key, struct dns_result *result);

/* Forgets all time-outs: the resolver is back. */
void dns_cache_forget_timeouts(struct dns_cache *cache);
size_t dns_cache_count(const struct dns_cache *cache);
