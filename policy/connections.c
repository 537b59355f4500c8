/* SPDX-License-Identifier: BSD-2-Clause */
/* The list of connections, the youngest activity last. */
#include "policy/connections.h"

#include "lib/base/clock.h"
#include "lib/base/loop.h"
#include "lib/base/mem.h"
#include "policy/connection.h"

#include <stdlib.h>
#include <unistd.h>

#define SWEEP_MS_MIN 20
#define SWEEP_MS_MAX 1000

static void list_add(struct connection *connection)
{
    struct connections *all = connection->all;

    connection->older = all->youngest;
    connection->younger = NULL;
    if (all->youngest != NULL)
        all->youngest->younger = connection;
    else
        all->oldest = connection;
    all->youngest = connection;
}

static void list_remove(struct connection *connection)
{
    struct connections *all = connection->all;

    if (connection->older != NULL)
        connection->older->younger = connection->younger;
    else
        all->oldest = connection->younger;
    if (connection->younger != NULL)
        connection->younger->older = connection->older;
    else
        all->youngest = connection->older;
}

void connections_touch(struct connection *connection)
{
    connection->active_us = clock_now_us(connection->all->judge->services->steady);
    if (connection->younger == NULL)
        return;
    list_remove(connection);
    list_add(connection);
}

static void release(struct connections *all)
{
    loop_timer_free(&all->sweep);
    free(all->scratch);
    free(all);
}

static void last_is_gone(struct connections *all)
{
    void (*gone)(void *context) = all->gone;
    void *context = all->gone_context;

    all->gone = NULL;
    if (all->freed)
        release(all);
    if (gone != NULL)
        gone(context);
}

void connections_remove(struct connection *connection)
{
    struct connections *all = connection->all;

    list_remove(connection);
    free(connection);
    if (--all->count == 0)
        last_is_gone(all);
}

/* --- time ----------------------------------------------------------------------------- */

static void start_sweep(struct connections *all)
{
    int64_t delay_ms = all->settings.idle_timeout_ms / 8;

    delay_ms = delay_ms < SWEEP_MS_MIN ? SWEEP_MS_MIN : delay_ms;
    loop_timer_start(all->sweep, delay_ms > SWEEP_MS_MAX ? SWEEP_MS_MAX : delay_ms);
}

/* One timer for all: the list is in the order in which they become due.  What is being judged has
 * deadlines of its own. */
static void on_sweep(void *context)
{
    struct connections *all = context;
    const int64_t due_us =
        clock_now_us(all->judge->services->steady) - all->settings.idle_timeout_ms * 1000;
    struct connection *younger;

    for (struct connection *each = all->oldest; each != NULL && each->active_us <= due_us;
         each = younger) {
        younger = each->younger;
        if (each->busy)
            continue;
        connection_stop(each, each->output_length > 0 ? "the client does not take its answer"
                              : each->length > 0      ? "the request is not complete in time"
                                                      : NULL);
        connection_settle(each);
    }
    start_sweep(all);
}

/* --- from outside --------------------------------------------------------------------- */

struct connections *connections_new(struct judge *judge,
                                    const struct connections_settings *settings)
{
    struct connections *all = mem_new(1, sizeof(*all));

    all->judge = judge;
    all->settings = *settings;
    all->scratch = mem_new(CONNECTION_SCRATCH, 1);
    all->sweep = loop_timer_new(judge->services->loop, on_sweep, all);
    start_sweep(all);
    return all;
}

bool connections_add(struct connections *all, int fd)
{
    struct connection *connection = NULL;

    if (all->count < all->settings.max && !all->draining)
        connection = connection_new(all, fd);
    if (connection == NULL) {
        close(fd);
        return false;
    }
    list_add(connection);
    connections_touch(connection);
    all->count++;
    return true;
}

size_t connections_count(const struct connections *all)
{
    return all->count;
}

void connections_set(struct connections *all, const struct connections_settings *settings)
{
    all->settings = *settings;
    start_sweep(all);
}

void connections_drain(struct connections *all, void (*drained)(void *context), void *context)
{
    struct connection *younger;

    all->draining = true;
    if (all->count == 0) {
        drained(context);
        return;
    }
    all->gone = drained;
    all->gone_context = context;
    /* The last one to settle may be the end of all of them. */
    for (struct connection *each = all->oldest; each != NULL; each = younger) {
        younger = each->younger;
        connection_settle(each);
    }
}

void connections_free(struct connections **connections, void (*released)(void *context),
                      void *context)
{
    struct connections *all = *connections;
    struct connection *younger;

    *connections = NULL;
    all->freed = true;
    all->draining = true;
    all->gone = released;
    all->gone_context = context;
    if (all->count == 0) {
        last_is_gone(all);
        return;
    }
    loop_timer_stop(all->sweep);
    for (struct connection *each = all->oldest; each != NULL; each = younger) {
        younger = each->younger;
        connection_stop(each, NULL);
        connection_settle(each);
    }
}
