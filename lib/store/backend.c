/* SPDX-License-Identifier: BSD-2-Clause */
/* The two backends that need no server. */
#include "lib/store/backend.h"

#include "lib/base/mem.h"
#include "lib/store/memory.h"

#include <stdlib.h>

struct simple {
    struct memory *memory;
    const struct clock *wall;
    struct backend_owner owner;
};

static void memory_submit(void *backend, struct call *call)
{
    const struct simple *simple = backend;

    memory_run(simple->memory, call, clock_now_us(simple->wall) / 1000);
    simple->owner.done(simple->owner.context, call, BACKEND_ANSWERED);
}

static void broken_submit(void *backend, struct call *call)
{
    const struct simple *simple = backend;

    simple->owner.done(simple->owner.context, call, BACKEND_UNSENT);
}

static const char *memory_address(const void *backend)
{
    (void)backend;
    return "memory:";
}

static const char *broken_address(const void *backend)
{
    (void)backend;
    return "broken:";
}

static const char *no_server(const void *backend)
{
    (void)backend;
    return "";
}

static const struct backend_kind memory_kind = {
    .submit = memory_submit,
    .free = free,
    .address = memory_address,
    .server = no_server,
};

static const struct backend_kind broken_kind = {
    .submit = broken_submit,
    .free = free,
    .address = broken_address,
    .server = no_server,
};

static struct simple *simple_new(const struct backend_owner *owner)
{
    struct simple *simple = mem_new(1, sizeof(*simple));

    simple->owner = *owner;
    return simple;
}

struct backend backend_memory(struct memory *memory, const struct clock *wall,
                              const struct backend_owner *owner)
{
    struct simple *simple = simple_new(owner);

    simple->memory = memory;
    simple->wall = wall;
    return (struct backend){&memory_kind, simple};
}

struct backend backend_broken(const struct backend_owner *owner)
{
    return (struct backend){&broken_kind, simple_new(owner)};
}
