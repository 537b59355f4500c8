/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Running an evaluation (lib/auth/lookup.h) with the resolver.
 *
 * All questions that are open at a time are asked at once, each at most once, all under one
 * deadline.  After the deadline every answer that is missing is DNS_FAILED, with timed_out.  The
 * loop's thread only; never blocks.
 */
#pragma once

#include "lib/auth/lookup.h"
#include "lib/auth/spf_engine.h"
#include "lib/base/loop.h"

#include <stdbool.h>
#include <stdint.h>

#define LOOKUPS_MAX 250 /* questions of one evaluation; more are answered DNS_FAILED */

struct lookups;

/* One run.  false: pending. */
typedef bool lookups_evaluate(const struct lookup *lookup, void *context);
/* The last run has ended; ttl_sec is the shortest life of the answers that were used.  The lookups
 * free themselves afterwards. */
typedef void lookups_done(int64_t ttl_sec, void *context);

/* Runs evaluate(context) until it is not pending, then calls done(context): within this call where
 * everything is in the resolver's cache (NULL is returned then). */
struct lookups *lookups_start(struct loop *loop, struct dns *dns, int64_t timeout_ms,
                              lookups_evaluate *evaluate, lookups_done *done, void *context);
/* The same with a second SPF engine; NULL: there is none. */
struct lookups *lookups_start_with(struct loop *loop, struct dns *dns, struct spf_engine *engine,
                                   int64_t timeout_ms, lookups_evaluate *evaluate,
                                   lookups_done *done, void *context);
/* Neither function will be called any more. */
void lookups_cancel(struct lookups **lookups);
