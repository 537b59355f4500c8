/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, passed in so that tests can set them. */
#include "lib/base/clock.h"

#include <stddef.h>
#include <time.h>

static int64_t clock_read(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int64_t clock_wall_now(void *context)
{
    (void)context;
    return clock_read(CLOCK_REALTIME);
}

static int64_t clock_steady_now(void *context)
{
    (void)context;
    return clock_read(CLOCK_MONOTONIC);
}

const struct clock clock_wall = {clock_wall_now, NULL};
const struct clock clock_steady = {clock_steady_now, NULL};

int64_t clock_now_us(const struct clock *clock)
{
    return clock->now_us(clock->context);
}
