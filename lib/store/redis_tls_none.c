/* SPDX-License-Identifier: BSD-2-Clause */
/* No TLS to Redis: hiredis is older than 1.0. */
#include "lib/store/redis_tls.h"

#include "lib/base/mem.h"

#include <stdio.h>

struct redis_tls *redis_tls_new(const struct store_tls *settings, char **problem_r)
{
    (void)settings;
    *problem_r = mem_copy("this build does not speak TLS to Redis itself: let stunnel do it "
                          "(contrib/stunnel)");
    return NULL;
}

struct redis_tls *redis_tls_hold(struct redis_tls *tls)
{
    return tls;
}

void redis_tls_release(struct redis_tls **tls)
{
    *tls = NULL;
}

bool redis_tls_begin(struct redis_tls *tls, redisAsyncContext *connection, const char *host,
                     char problem[REDIS_TLS_PROBLEM_SIZE])
{
    (void)tls;
    (void)connection;
    (void)host;
    (void)snprintf(problem, REDIS_TLS_PROBLEM_SIZE, "this build does not speak TLS");
    return false;
}
