/* SPDX-License-Identifier: BSD-2-Clause */
/* What load generators share: sockets, time, percentiles.  Failures end the program. */
#pragma once

#include <stdint.h>

_Noreturn void bench_die(const char *what);
uint64_t bench_now_us(void);
void bench_raise_descriptors(void);

/* "unix:PATH" or "inet:ADDRESS:PORT", a loopback address.  Connected, and not blocking from then
 * on. */
int bench_connect(const char *server);
/* The same, listening. */
int bench_listen(const char *server);

/* Durations in buckets of about 1.5 %. */
#define BENCH_TIMES_BUCKETS 2048
struct bench_times {
    uint64_t buckets[BENCH_TIMES_BUCKETS];
    uint64_t count, max_us;
};
void bench_times_add(struct bench_times *times, uint64_t us);
uint64_t bench_times_at(const struct bench_times *times,
                        double share); /* 0.99: p99, in microseconds */
void bench_times_print(const struct bench_times *times); /* " p50=.. p95=.. p99=.. max=.." */
