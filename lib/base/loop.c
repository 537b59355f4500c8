/* SPDX-License-Identifier: BSD-2-Clause */
/* One event loop per process, and the door through which other threads enter it. */
#include "lib/base/loop.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct loop_call {
    struct loop_call *next;
    void (*call)(void *context);
    void *context;
};

struct loop {
    struct event_base *base;
    struct event *wake;
    struct event *limit; /* loop_run_once()'s time-out */
    int wake_fd;
    bool stopping;
    pthread_mutex_t lock; /* guards what follows */
    struct loop_call *first;
    struct loop_call **last;
};

struct loop_timer {
    struct event *event;
    int64_t due_us; /* on clock_steady */
    void (*call)(void *context);
    void *context;
};

static struct loop_call *take_calls(struct loop *loop)
{
    struct loop_call *calls;

    pthread_mutex_lock(&loop->lock);
    calls = loop->first;
    loop->first = NULL;
    loop->last = &loop->first;
    pthread_mutex_unlock(&loop->lock);
    return calls;
}

static bool run_calls(struct loop *loop)
{
    struct loop_call *call = take_calls(loop);
    bool any = call != NULL;

    while (call != NULL) {
        struct loop_call *next = call->next;

        call->call(call->context);
        free(call);
        call = next;
    }
    return any;
}

static void on_wake(evutil_socket_t fd, short events, void *context)
{
    uint64_t count;

    (void)events;
    /* Emptied first: a call posted from here on wakes the loop again. */
    while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
        continue;
    (void)run_calls(context);
}

static void on_limit(evutil_socket_t fd, short events, void *context)
{
    (void)fd;
    (void)events;
    (void)context; /* being called is all: it ends the wait */
}

struct loop *loop_new(void)
{
    struct loop *loop = mem_new(1, sizeof(*loop));
    int problem;

    loop->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (loop->wake_fd < 0)
        goto failed;
    loop->base = event_base_new();
    if (loop->base == NULL)
        goto failed;
    loop->wake = event_new(loop->base, loop->wake_fd, EV_READ | EV_PERSIST, on_wake, loop);
    loop->limit = event_new(loop->base, -1, 0, on_limit, NULL);
    if (loop->wake == NULL || loop->limit == NULL || event_add(loop->wake, NULL) != 0)
        goto failed;
    pthread_mutex_init(&loop->lock, NULL);
    loop->last = &loop->first;
    return loop;
failed:
    problem = errno;
    if (loop->limit != NULL)
        event_free(loop->limit);
    if (loop->wake != NULL)
        event_free(loop->wake);
    if (loop->base != NULL)
        event_base_free(loop->base);
    if (loop->wake_fd >= 0)
        close(loop->wake_fd);
    free(loop);
    errno = problem != 0 ? problem : ENOMEM;
    return NULL;
}

void loop_free(struct loop **loop)
{
    struct loop *old = *loop;

    if (old == NULL)
        return;
    while (run_calls(old))
        continue;
    event_free(old->limit);
    event_free(old->wake);
    event_base_free(old->base);
    close(old->wake_fd);
    pthread_mutex_destroy(&old->lock);
    free(old);
    *loop = NULL;
}

struct event_base *loop_base(struct loop *loop)
{
    return loop->base;
}

void loop_run(struct loop *loop)
{
    /* libevent forgets a break asked for between two runs; this flag does not. */
    while (!loop->stopping)
        if (event_base_loop(loop->base, EVLOOP_ONCE) < 0)
            break;
    loop->stopping = false;
}

static struct timeval timeval_of(int64_t microseconds)
{
    struct timeval value = {0};

    if (microseconds > 0) {
        value.tv_sec = microseconds / 1000000;
        value.tv_usec = microseconds % 1000000;
    }
    return value;
}

void loop_run_once(struct loop *loop, int64_t timeout_ms)
{
    struct timeval limit = timeval_of(timeout_ms * 1000);

    if (timeout_ms <= 0) {
        (void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
        return;
    }
    (void)event_add(loop->limit, &limit);
    (void)event_base_loop(loop->base, EVLOOP_ONCE);
    (void)event_del(loop->limit);
}

void loop_stop(struct loop *loop)
{
    loop->stopping = true;
    (void)event_base_loopbreak(loop->base);
}

void loop_post(struct loop *loop, void (*call)(void *context), void *context)
{
    static const uint64_t one = 1;
    struct loop_call *posted = mem_new(1, sizeof(*posted));
    bool asleep;

    posted->call = call;
    posted->context = context;
    pthread_mutex_lock(&loop->lock);
    asleep = loop->first == NULL;
    *loop->last = posted;
    loop->last = &posted->next;
    /* Under the lock: a loop freed after its last call must not close the descriptor first. */
    while (asleep && write(loop->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
    pthread_mutex_unlock(&loop->lock);
}

static void on_timer(evutil_socket_t fd, short events, void *context)
{
    struct loop_timer *timer = context;
    int64_t left_us = timer->due_us - clock_now_us(&clock_steady);
    struct timeval left = timeval_of(left_us);

    (void)fd;
    (void)events;
    /* libevent counts from the time it read before the last callbacks, with a coarse clock: it can
     * be early. */
    if (left_us > 0)
        (void)event_add(timer->event, &left);
    else
        timer->call(timer->context);
}

struct loop_timer *loop_timer_new(struct loop *loop, void (*call)(void *context), void *context)
{
    struct loop_timer *timer = mem_new(1, sizeof(*timer));

    timer->call = call;
    timer->context = context;
    timer->event = event_new(loop->base, -1, 0, on_timer, timer);
    if (timer->event == NULL)
        abort();
    return timer;
}

void loop_timer_start(struct loop_timer *timer, int64_t delay_ms)
{
    struct timeval delay = timeval_of(delay_ms * 1000);

    timer->due_us = clock_now_us(&clock_steady) + (delay_ms > 0 ? delay_ms * 1000 : 0);
    (void)event_add(timer->event, &delay);
}

void loop_timer_stop(struct loop_timer *timer)
{
    (void)event_del(timer->event);
}

void loop_timer_free(struct loop_timer **timer)
{
    if (*timer == NULL)
        return;
    event_free((*timer)->event);
    free(*timer);
    *timer = NULL;
}
