/* SPDX-License-Identifier: BSD-2-Clause */
/* What users cost in Redis' memory. */
#pragma once

#include "tests/bench/store_load.h"
#include "tests/support/server_redis.h"

struct store_memory {
    long long median, most; /* octets of a user's keys, of a sample */
    long long mean; /* of all that Redis uses more than before, by users */
};

/* used_memory, in octets. */
long long store_memory_used(const struct server_redis *server);

/* Looks at the users that were charged; before: what was used without them. */
void store_memory_measure(const struct server_redis *server, size_t users, long long before,
                          struct store_memory *memory_r);

/* Makes users who wrote so many messages a day for three days, at any time of them. */
void store_memory_fill(const struct server_redis *server, const struct store_load *load, int a_day);
