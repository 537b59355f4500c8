/* SPDX-License-Identifier: BSD-2-Clause */
/* A hiredis connection on our loop. */
#include "lib/store/redis_events.h"

#include "lib/base/mem.h"

#include <stdlib.h>

struct redis_events {
    redisAsyncContext *connection;
    struct event *readable;
    struct event *writable; /* while connecting, and while the socket is full */
    struct event *flush; /* at the end of this turn */
    bool flushing;
};

static void on_readable(evutil_socket_t socket, short what, void *context)
{
    struct redis_events *events = context;

    (void)socket;
    (void)what;
    redisAsyncHandleRead(events->connection);
}

static void on_writable(evutil_socket_t socket, short what, void *context)
{
    struct redis_events *events = context;

    (void)socket;
    (void)what;
    redisAsyncHandleWrite(events->connection);
}

static void on_flush(evutil_socket_t socket, short what, void *context)
{
    struct redis_events *events = context;

    (void)socket;
    (void)what;
    /* Asked for again from in here means that the socket is full. */
    events->flushing = true;
    redisAsyncHandleWrite(events->connection);
}

static void add_read(void *context)
{
    struct redis_events *events = context;

    if (!event_pending(events->readable, EV_READ, NULL))
        (void)event_add(events->readable, NULL);
}

static void delete_read(void *context)
{
    struct redis_events *events = context;

    (void)event_del(events->readable);
}

static void add_write(void *context)
{
    struct redis_events *events = context;

    if (events->flushing || (events->connection->c.flags & REDIS_CONNECTED) == 0)
        (void)event_add(events->writable, NULL);
    else
        event_active(events->flush, EV_WRITE, 0);
}

static void delete_write(void *context)
{
    struct redis_events *events = context;

    events->flushing = false;
    if (event_pending(events->writable, EV_WRITE, NULL))
        (void)event_del(events->writable);
}

static void clean_up(void *context)
{
    struct redis_events *events = context;

    if (events->readable != NULL)
        event_free(events->readable);
    if (events->writable != NULL)
        event_free(events->writable);
    if (events->flush != NULL)
        event_free(events->flush);
    free(events);
}

bool redis_events_attach(redisAsyncContext *connection, struct loop *loop)
{
    struct event_base *base = loop_base(loop);
    struct redis_events *events = mem_new(1, sizeof(*events));

    events->connection = connection;
    events->readable = event_new(base, connection->c.fd, EV_READ | EV_PERSIST, on_readable, events);
    events->writable =
        event_new(base, connection->c.fd, EV_WRITE | EV_PERSIST, on_writable, events);
    events->flush = event_new(base, -1, 0, on_flush, events);
    connection->ev.addRead = add_read;
    connection->ev.delRead = delete_read;
    connection->ev.addWrite = add_write;
    connection->ev.delWrite = delete_write;
    connection->ev.cleanup = clean_up;
    connection->ev.data = events;
    /* Writable is how a connection says that it is made. */
    return events->readable != NULL && events->writable != NULL && events->flush != NULL &&
           event_add(events->readable, NULL) == 0 && event_add(events->writable, NULL) == 0;
}
