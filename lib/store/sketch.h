/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How many different ones there were in a sliding window: a HyperLogLog whose registers remember
 * when.
 *
 * Of each register those values are kept that are, or will be once newer ones are all that is left,
 * its largest: so any window that ends now can be estimated, in a few thousand octets however many
 * there were.  The standard error is 2.3 %, and less below a thousand.  What was added cannot be
 * taken out again.  Slices are those of window.h.
 *
 * The packed form is what the store keeps (distinct.lua reads and writes it): newest slice 5
 * octets, then 3 for each value: code 2 (a register and a rank), age in slices 1.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SKETCH_REGISTERS 2048
#define SKETCH_RANKS 32
#define SKETCH_PACKED_MAX (5 + 3 * SKETCH_REGISTERS * SKETCH_RANKS)

/* What a member of the set is to a sketch: its register, and how rare its hash is. */
uint16_t sketch_code(uint64_t hash);

struct sketch;

/* From octets (none: empty), as it is in the slice current; what is too old is forgotten, and a
 * clock that goes back treated as window_advance() does. */
struct sketch *sketch_new(const uint8_t *bytes, size_t length, int64_t current);
void sketch_free(struct sketch **sketch);

/* The slice that it ends with: current, or a newer one that it was written in. */
int64_t sketch_newest(const struct sketch *sketch);

void sketch_add(struct sketch *sketch, const uint16_t *codes, size_t count, int64_t slice);

/* How many different ones there were. */
int64_t sketch_estimate(const struct sketch *sketch);

/* The slice after whose end there are at most max. */
int64_t sketch_frees(const struct sketch *sketch, int64_t max);

/* The octets, which the caller frees. */
uint8_t *sketch_pack(const struct sketch *sketch, size_t *length_r);
