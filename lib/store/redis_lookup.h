/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The addresses of a host's name, from the system, without making the loop wait: getaddrinfo(3)
 * runs in a thread.
 *
 * A thread that is no longer wanted is left to finish alone; it shares nothing with the process but
 * a socket.
 */
#pragma once

#include "lib/base/ip.h"
#include "lib/base/loop.h"

#include <stddef.h>

#define REDIS_LOOKUP_MAX 8 /* addresses of one name */

struct redis_lookup;

/* problem is NULL, or why there are none. */
typedef void redis_lookup_callback(void *context, const char (*addresses)[IP_TEXT_MAX],
                                   size_t count, const char *problem);

/* Calls back once, from the loop, unless freed before (or NULL is returned: no thread or no
 * descriptor). */
struct redis_lookup *redis_lookup_new(struct loop *loop, const char *host,
                                      redis_lookup_callback *callback, void *context);
void redis_lookup_free(struct redis_lookup **lookup);
