/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Asking the name servers: the one that answered last, and the next one where it does not answer
 * soon or fails.  The first answer that is one counts.
 */
#pragma once

#include "lib/base/loop.h"
#include "lib/base/strings.h"
#include "lib/dns/name.h"
#include "lib/dns/records.h"

#define DNS_NEXT_SERVER_MS 400

struct dns_forward;

/* Called once for each question, from the loop, never from within dns_forward_ask(); it may ask
 * again. What it leaves in records is freed.  problem: DNS_FAILED and DNS_BOGUS, borrowed. */
typedef void dns_forward_callback(struct dns_records *records, const char *problem, void *context);

/* NULL: problem_r says why (the caller frees it). */
struct dns_forward *dns_forward_new(struct loop *loop, const struct strings *servers,
                                    const char *trust_anchor_file, char **problem_r);
/* Questions still open are not answered any more. */
void dns_forward_free(struct dns_forward **forward);

void dns_forward_ask(struct dns_forward *forward, const struct dns_name *name, enum dns_type type,
                     dns_forward_callback *callback, void *context);
