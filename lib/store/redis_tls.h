/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * TLS to Redis, where hiredis has it (1.0 and newer); elsewhere redis_tls_none.c stands for it.
 *
 * The server's certificate is always checked, its name included.  Files that have changed are read
 * again at the next connection.  The loop's thread only.
 */
#pragma once

#include "lib/store/store.h"

#include <hiredis/async.h>
#include <stdbool.h>

#define REDIS_TLS_PROBLEM_SIZE 160

struct redis_tls;

/* The settings are copied.  NULL: problem_r says which file is wrong, or that this build has no TLS
 * (the caller frees it). */
struct redis_tls *redis_tls_new(const struct store_tls *settings, char **problem_r);
/* Shared: everybody who holds it releases it.  NULL is passed through. */
struct redis_tls *redis_tls_hold(struct redis_tls *tls);
void redis_tls_release(struct redis_tls **tls);

/* Begins TLS on a connection that is made; the handshake goes on with what hiredis reads and
 * writes.  host: a name or an address, which the certificate has to be for unless the settings name
 * another.  problem says from now on what is wrong with the certificates, or is "".  false: it
 * could not begin. */
bool redis_tls_begin(struct redis_tls *tls, redisAsyncContext *connection, const char *host,
                     char problem[REDIS_TLS_PROBLEM_SIZE]);
