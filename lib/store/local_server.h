/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The local store's socket: other programs on this host ask through it as they would ask Redis.
 *
 * It takes what redis.h's connection sends, and no other command.  A connection that sends anything
 * else, or too much of it, is closed.
 */
#pragma once

#include "lib/base/loop.h"
#include "lib/store/call.h"

struct local_server;

/* Carries out a call and puts the answer into it. */
typedef void local_server_run(void *context, struct call *call);

/* socket listens, does not block and stays the caller's.  NULL: no descriptors. */
struct local_server *local_server_new(struct loop *loop, int socket, local_server_run *run,
                                      void *context);
void local_server_free(struct local_server **server);
