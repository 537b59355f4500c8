/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Sentinels: who they are, and what they say of where the primary is.
 *
 * One of them is asked at a time, and then listened to: it announces a failover (+switch-master).
 * When it is lost, or what it said was of no use, the next one is asked.  They get the same user
 * and password as Redis; one that wants none does without.
 */
#pragma once

#include "lib/store/redis.h"

struct redis;
struct redis_sentinel;

/* Takes over the settings' addresses.  What is found is told to the connection: redis_link_found()
 * when asked and whenever it changes, redis_link_not_found() when asked. */
struct redis_sentinel *redis_sentinel_new(struct redis *primary,
                                          const struct redis_settings *settings);
void redis_sentinel_free(struct redis_sentinel **sentinel);

void redis_sentinel_ask(struct redis_sentinel *sentinel);
