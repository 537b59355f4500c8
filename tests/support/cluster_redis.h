/* SPDX-License-Identifier: BSD-2-Clause */
/* A private Redis Cluster for tests: some primaries without replicas, each with an equal share of
 * the slots. */
#pragma once

#include "tests/support/server_redis.h"

#include <stddef.h>

#define CLUSTER_REDIS_MAX 6

struct cluster_redis {
    struct server_redis nodes[CLUSTER_REDIS_MAX];
    size_t count;
    char *url; /* names the first two */
};

/* Starts it and waits until all nodes say that it is whole.  The test fails when it does not. */
void cluster_redis_start(struct cluster_redis *cluster, size_t count);
void cluster_redis_stop(struct cluster_redis *cluster);
