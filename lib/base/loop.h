/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One event loop per process, and the door through which other threads enter it.
 *
 * Everything asynchronous (store, resolver, listeners, timers) belongs to the thread that runs the
 * loop.  Only loop_post() may be called from other threads.
 */
#pragma once

#include <event2/event.h>
#include <stdbool.h>
#include <stdint.h>

struct loop;

struct loop *loop_new(void); /* NULL: no descriptors or no epoll; errno says */
void loop_free(struct loop **loop);

/* The libevent base, for hiredis, listeners and timers; borrowed. */
struct event_base *loop_base(struct loop *loop);

/* Runs until loop_stop(); loop_run_once() handles what is ready, waiting at most timeout_ms for
 * something to be. */
void loop_run(struct loop *loop);
void loop_run_once(struct loop *loop, int64_t timeout_ms);
void loop_stop(struct loop *loop); /* from the loop's thread, or posted */

/* Has call(context) run in the loop's thread, soon, in the order of posting.  Any thread.
 * The calls still waiting when the loop is freed are run by loop_free(). */
void loop_post(struct loop *loop, void (*call)(void *context), void *context);

/* A timer: call(context) once after delay_ms, unless freed before.  The loop's thread only. */
struct loop_timer;
struct loop_timer *loop_timer_new(struct loop *loop, void (*call)(void *context), void *context);
void loop_timer_start(struct loop_timer *timer, int64_t delay_ms); /* again: starts anew */
void loop_timer_stop(struct loop_timer *timer);
void loop_timer_free(struct loop_timer **timer);
