/* SPDX-License-Identifier: BSD-2-Clause */
/* What redis-benchmark makes of the same script: the ceiling of the store's benchmark. */
#pragma once

#include "tests/bench/store_load.h"
#include "tests/support/server_redis.h"

/* Charges a second, as many under way. */
double redis_rate(const struct server_redis *server, const struct store_load *load, size_t charges);
