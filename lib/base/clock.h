/* SPDX-License-Identifier: BSD-2-Clause */
/* Clocks, passed in so that tests can set them. */
#pragma once

#include <stdint.h>

/* A source of time.  now_us is microseconds since the epoch (wall) or since some start (steady). */
struct clock {
    int64_t (*now_us)(void *context);
    void *context;
};

extern const struct clock clock_wall; /* CLOCK_REALTIME */
extern const struct clock clock_steady; /* CLOCK_MONOTONIC: for time-outs and durations */

int64_t clock_now_us(const struct clock *clock);
