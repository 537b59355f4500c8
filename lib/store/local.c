/* SPDX-License-Identifier: BSD-2-Clause */
/* The local store. */
#include "lib/store/local.h"

#include "lib/base/mem.h"
#include "lib/store/local_disk.h"
#include "lib/store/local_server.h"

#include <stdlib.h>

struct local {
    struct memory *memory;
    struct local_disk *disk;
    struct local_server *server;
    const struct clock *wall;
    struct backend_owner owner;
    char *address;
};

static int64_t now_ms(const struct local *local)
{
    return clock_now_us(local->wall) / 1000;
}

static void run(void *context, struct call *call)
{
    struct local *local = context;

    memory_run(local->memory, call, now_ms(local));
    if (local->disk != NULL)
        local_disk_changed(local->disk, call);
}

static void local_submit(void *backend, struct call *call)
{
    struct local *local = backend;

    run(local, call);
    local->owner.done(local->owner.context, call, BACKEND_ANSWERED);
}

static void local_free(void *backend)
{
    struct local *local = backend;

    local_server_free(&local->server);
    local_disk_close(&local->disk);
    free(local->address);
    free(local);
}

static const char *local_address(const void *backend)
{
    const struct local *local = backend;

    return local->address;
}

static const char *local_server_name(const void *backend)
{
    (void)backend;
    return "sluice-policyd " SLUICE_VERSION;
}

static const struct backend_kind local_kind = {
    .submit = local_submit,
    .free = local_free,
    .address = local_address,
    .server = local_server_name,
};

const char *backend_local_problem(const struct backend *backend)
{
    const struct local *local = backend->object;

    return backend->kind == &local_kind && local->disk != NULL ? local_disk_problem(local->disk)
                                                               : NULL;
}

struct backend backend_local(struct loop *loop, struct memory *memory,
                             const struct local_settings *settings,
                             const struct backend_owner *owner, char **problem_r)
{
    struct local *local = mem_new(1, sizeof(*local));

    *problem_r = NULL;
    local->memory = memory;
    local->wall = settings->wall;
    local->owner = *owner;
    local->address = mem_copy(settings->address);
    if (settings->path != NULL && *settings->path != '\0')
        local->disk = local_disk_open(loop, settings->path, memory, now_ms(local), problem_r);
    if (*problem_r == NULL) {
        local->server = local_server_new(loop, settings->socket, run, local);
        if (local->server == NULL)
            *problem_r = mem_copy("no descriptor for the store's socket");
    }
    if (*problem_r == NULL)
        return (struct backend){&local_kind, local};
    local_free(local);
    return (struct backend){NULL, NULL};
}
