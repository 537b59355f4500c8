/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The connections of policy clients: read, judged and answered one request at a time, in order.
 *
 * A connection that waits for its client keeps no buffers.  One that says nothing, does not finish
 * its request or does not take its answer for the idle time is closed; so is, without an answer,
 * one that sends what cannot be understood: Postfix then does what its default_action= says.
 *
 * All of it belongs to the loop's thread.
 */
#pragma once

#include "policy/judge.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct connections_settings {
    size_t max;
    size_t max_request; /* octets */
    int64_t idle_timeout_ms;
};

struct connections;

/* judge is borrowed until released() is called. */
struct connections *connections_new(struct judge *judge,
                                    const struct connections_settings *settings);

/* Takes over a connected descriptor that does not block.  false: there are too many connections,
 * and it is closed. */
bool connections_add(struct connections *connections, int fd);

size_t connections_count(const struct connections *connections);
void connections_set(struct connections *connections, const struct connections_settings *settings);

/* Closes each connection as soon as it has nothing in hand; drained(context) is called when none is
 * left. */
void connections_drain(struct connections *connections, void (*drained)(void *context),
                       void *context);

/* Closes all and frees all, at once but for those whose request is still being judged.
 * released(context) is called when the last one is gone, maybe before this returns. */
void connections_free(struct connections **connections, void (*released)(void *context),
                      void *context);
