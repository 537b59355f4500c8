/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Outlooks that are kept as long as the records they were made from, so that a busy sender costs no
 * lookup, and no evaluation, per message.
 *
 * The loop's thread only.
 */
#pragma once

#include "lib/auth/outlook.h"
#include "lib/auth/spf_engine.h"
#include "lib/base/loop.h"
#include "lib/dns/dns.h"

#define OUTLOOKS_MAX 4096 /* kept */

struct outlooks;

struct outlooks *outlooks_new(void);
/* Nothing is being asked any more: the resolver went first. */
void outlooks_free(struct outlooks **outlooks);

/* outlook is the callee's, with one reference. */
typedef void outlooks_callback(struct outlook *outlook, void *context);

/* Calls back once, maybe before it returns; the query stays until then. */
void outlooks_find(struct outlooks *outlooks, struct loop *loop, struct dns *dns,
                   struct spf_engine *engine, int64_t timeout_ms, const struct outlook_query *query,
                   outlooks_callback *callback, void *context);
