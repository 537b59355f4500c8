/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is behind the store's front: something that carries out calls.
 *
 * A backend lives in the loop's thread.  It tells its owner what became of each call exactly once,
 * which may be before submit() returns.
 */
#pragma once

#include "lib/store/call.h"

#include <stdint.h>

enum backend_result {
    BACKEND_ANSWERED, /* the answer is in the call */
    BACKEND_UNSENT, /* away: it was certainly not carried out */
    BACKEND_UNCERTAIN, /* away: it may have been carried out, or may still be */
    BACKEND_FAILED, /* the store cannot carry out this call, and has not */
};

struct backend_owner {
    void *context;
    void (*done)(void *context, struct call *call, enum backend_result result);
    /* It can be reached; store_now_ms is its time, 0 where it has none. */
    void (*up)(void *context, int64_t store_now_ms);
    /* It cannot be reached; said again only when the problem has changed. */
    void (*down)(void *context, const char *problem);
};

struct backend_kind {
    void (*submit)(void *backend, struct call *call);
    /* Calls under way become UNCERTAIN. */
    void (*free)(void *backend);
    /* For status: where it is, and what it is ("redis 7.0.15"). */
    const char *(*address)(const void *backend);
    const char *(*server)(const void *backend);
};

struct backend {
    const struct backend_kind *kind;
    void *object;
};

struct memory;

/* The memory's own counters; and one that is always away. */
struct backend backend_memory(struct memory *memory, const struct clock *wall,
                              const struct backend_owner *owner);
struct backend backend_broken(const struct backend_owner *owner);
