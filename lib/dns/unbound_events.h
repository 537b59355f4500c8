/* SPDX-License-Identifier: BSD-2-Clause */
/* libunbound's pluggable events, made of libevent's. */
#pragma once

#include <event2/event.h>

struct ub_event_base;

/* ub_ctx_create_event() would do this for us, but only where libunbound was built with the very
 * libevent that we are linked with.  The events borrow base; free(3) it after the context. */
struct ub_event_base *unbound_events_new(struct event_base *base);
