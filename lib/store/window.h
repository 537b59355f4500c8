/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A sliding window: what was used in each sixtieth (slice) of a limit's window.
 *
 * The slice that now lies in and the 60 before it are counted together.  Any interval of the
 * window's length that ends now begins inside the oldest of them, so it holds no more than they do;
 * what they hold beyond it is at most one slice old, so a refusal is early by at most one slice.
 *
 * The packed form is what the store keeps, in Redis and in memory alike; charge.lua reads and
 * writes the same bytes (test_script compares them):
 *
 *   newest slice 5 octets, its count 6, the total 6, distance of the oldest slice 1; then for each
 *   used slice from the oldest to the one before the newest: one octet (kind << 6 | gap), where gap
 *   is the distance to the next used slice, and the count: kind 0 is 1, kinds 1 to 3 say that it
 *   follows in 1, 3 or 6 octets.  All numbers little-endian.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WINDOW_SLICES 60
#define WINDOW_SEC_MAX INT64_C(0xffffffff)
#define WINDOW_COUNT_MAX                                                                           \
    (INT64_C(1) << 47) /* of a window's total: use beyond it is not counted                        \
                        */
#define WINDOW_HEADER_SIZE 18
#define WINDOW_PACKED_MAX (WINDOW_HEADER_SIZE + WINDOW_SLICES * 7)

struct window {
    int64_t newest; /* number of the newest slice since the epoch */
    int64_t total;
    int64_t counts[WINDOW_SLICES + 1]; /* counts[k] is that of slice newest - k */
};

/* The slice of a window of window_sec that a time (ms since the epoch) lies in. */
int64_t window_slice(int64_t window_sec, int64_t at_ms);

/* The first millisecond in which a slice counts no more. */
int64_t window_slice_forgotten_ms(int64_t window_sec, int64_t slice);

/* false: these bytes are not a packed window; it is empty then. */
bool window_unpack(const uint8_t *bytes, size_t length, struct window *window_r);
size_t window_pack(const struct window *window, uint8_t bytes_r[WINDOW_PACKED_MAX]);

/*
 * Makes the slice the newest one and forgets what is too old.  A slice before the newest changes
 * nothing, for a clock that goes back must not let more through; but when the newest lies more
 * than a window ahead, a clock was wrong when it was written, and all use becomes the slice's.
 */
void window_advance(struct window *window, int64_t slice);

/* Adds to a slice, which may be older than the newest one; one that is too old is not counted. */
void window_add(struct window *window, int64_t slice, int64_t amount);

/* Takes away from a slice; never more than it holds. */
void window_take(struct window *window, int64_t slice, int64_t amount);

/* Makes the total what it is known to be: more is put into the newest slice, less is taken from the
 * oldest ones. */
void window_settle(struct window *window, int64_t total);

/* The slice after whose end at least need is free again; need is at most the total. */
int64_t window_frees(const struct window *window, int64_t need);
