/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Redis Cluster backend: a connection to each primary, and each subject's part of a call sent
 * to the one that has its slot.
 *
 * Parts go out side by side; where several subjects can refuse, what the parts charge is reserved
 * first and kept when all have taken it (reserve.lua).  Nodes that come, go or take over slots are
 * followed.  The cluster counts as away while any slot has nobody who answers; calls about others
 * are answered all the same.
 */
#pragma once

#include "lib/store/backend.h"
#include "lib/store/redis.h"

struct backend backend_cluster(struct loop *loop, const struct redis_settings *settings,
                               const struct backend_owner *owner);
