/* SPDX-License-Identifier: BSD-2-Clause */
/* libunbound's pluggable events, made of libevent's. */
#include "lib/dns/unbound_events.h"

#include "lib/base/mem.h"

#include <stdlib.h>
#include <unbound-event.h>

_Static_assert(UB_EV_TIMEOUT == EV_TIMEOUT && UB_EV_READ == EV_READ && UB_EV_WRITE == EV_WRITE &&
                   UB_EV_PERSIST == EV_PERSIST,
               "the bits are libevent's, as is the callback");

/* The public part comes first: a pointer to one is a pointer to the other. */
struct events {
    struct ub_event_base public;
    struct event_base *base;
};

struct pluggable_event {
    struct ub_event public;
    struct event *event;
};

static struct pluggable_event *of(struct ub_event *event)
{
    return (struct pluggable_event *)event;
}

/* Gives the event, which libunbound has made inactive, new terms. */
static void assign(struct ub_event *event, evutil_socket_t fd, short bits,
                   event_callback_fn callback, void *argument)
{
    struct event *native = of(event)->event;

    (void)event_assign(native, event_get_base(native), fd, bits, callback, argument);
}

static void add_bits(struct ub_event *event, short bits)
{
    struct event *native = of(event)->event;

    assign(event, event_get_fd(native), (short)(event_get_events(native) | bits),
           event_get_callback(native), event_get_callback_arg(native));
}

static void del_bits(struct ub_event *event, short bits)
{
    struct event *native = of(event)->event;

    assign(event, event_get_fd(native), (short)(event_get_events(native) & ~bits),
           event_get_callback(native), event_get_callback_arg(native));
}

static void set_fd(struct ub_event *event, int fd)
{
    struct event *native = of(event)->event;

    assign(event, fd, event_get_events(native), event_get_callback(native),
           event_get_callback_arg(native));
}

static void free_event(struct ub_event *event)
{
    event_free(of(event)->event);
    free(event);
}

static int add(struct ub_event *event, struct timeval *timeout)
{
    return event_add(of(event)->event, timeout);
}

static int del(struct ub_event *event)
{
    return event_del(of(event)->event);
}

static int add_timer(struct ub_event *event, struct ub_event_base *base,
                     void (*callback)(int, short, void *), void *argument, struct timeval *timeout)
{
    (void)base;
    assign(event, -1, EV_TIMEOUT, callback, argument);
    return event_add(of(event)->event, timeout);
}

static struct ub_event *new_event(struct ub_event_base *base, int fd, short bits,
                                  void (*callback)(int, short, void *), void *argument)
{
    /* What is not here is for signals and Windows, and for a loop that libunbound runs itself. */
    static struct ub_event_vmt table = {
        .add_bits = add_bits,
        .del_bits = del_bits,
        .set_fd = set_fd,
        .free = free_event,
        .add = add,
        .del = del,
        .add_timer = add_timer,
        .del_timer = del,
    };
    struct events *events = (struct events *)base;
    struct pluggable_event *event = mem_new(1, sizeof(*event));

    event->public.magic = UB_EVENT_MAGIC;
    event->public.vmt = &table;
    event->event = event_new(events->base, fd, bits, callback, argument);
    if (event->event == NULL) {
        free(event);
        return NULL;
    }
    return &event->public;
}

struct ub_event_base *unbound_events_new(struct event_base *base)
{
    static struct ub_event_base_vmt table = {.new_event = new_event};
    struct events *events = mem_new(1, sizeof(*events));

    events->public.magic = UB_EVENT_MAGIC;
    events->public.vmt = &table;
    events->base = base;
    return &events->public;
}
