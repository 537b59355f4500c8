/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * libunbound on our loop: it forwards questions to one name server, retries, follows aliases, falls
 * back to TCP, and validates where there is a trust anchor.
 *
 * It runs in the loop's thread through its pluggable events, without a thread or a process of its
 * own. A question that was asked cannot be taken back (libunbound's own cancelling is for its
 * threads): it is answered in the end, within about the time of its retransmissions.
 */
#pragma once

#include "lib/base/loop.h"
#include "lib/dns/dns.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct dns_reply {
    unsigned rcode; /* not 0: there is no packet */
    const uint8_t *packet; /* borrowed for the time of the callback */
    size_t length;
    bool bogus;
    const char *why_bogus; /* or NULL */
};

/* Called once for each question, perhaps from within dns_upstream_ask() or dns_upstream_free().
 * It must not ask again: libunbound is in the middle of its work. */
typedef void dns_upstream_callback(const struct dns_reply *reply, void *context);

struct dns_upstream;

/* server: "ADDRESS@PORT".  trust_anchor_file: DS or DNSKEY records, or NULL for no validation.
 * NULL: problem_r says why (the caller frees it). */
struct dns_upstream *dns_upstream_new(struct loop *loop, const char *server,
                                      const char *trust_anchor_file, char **problem_r);
void dns_upstream_free(struct dns_upstream **upstream);

/* false: it was not asked, and callback is not called. */
bool dns_upstream_ask(struct dns_upstream *upstream, const char *name, enum dns_type type,
                      dns_upstream_callback *callback, void *context);
