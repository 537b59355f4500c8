/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Redis backend: one connection on which everything is pipelined.
 *
 * A call waits for its answer no longer than the time-out.  Until the first attempt to connect has
 * an end, calls wait for it; afterwards, while Redis is known to be away, none does.  SIGPIPE is
 * ignored from then on, unless the process has a handler for it.
 */
#pragma once

#include "lib/store/backend.h"
#include "lib/store/redis_address.h"
#include "lib/store/redis_tls.h"

struct redis_settings {
    struct redis_addresses addresses; /* taken over */
    const char *user, *password; /* "" or NULL: none */
    int database;
    const char *client_name; /* "" or NULL: none */
    int64_t timeout_ms;
    struct redis_tls *tls; /* NULL: none; held by who needs it longer */
};

struct backend backend_redis(struct loop *loop, const struct redis_settings *settings,
                             const struct backend_owner *owner);
