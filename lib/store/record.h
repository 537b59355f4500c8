/* SPDX-License-Identifier: BSD-2-Clause */
/* What was charged for a message: the memory backend's twin of the record that charge.lua keeps. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define RECORD_LIFE_MS INT64_C(3600000)

struct record_entry {
    uint64_t tag;
    int64_t slice;
    int64_t amount;
    int64_t seen; /* used in the window then, this charge included */
};

struct record {
    uint64_t fingerprint;
    int64_t at_ms; /* of the last charge */
    int64_t given_back_ms; /* when there are no charges left */
    size_t count;
    struct record_entry *entries; /* in the order of charging */
};

void record_free(struct record *record);
void record_clear(struct record *record, uint64_t fingerprint);

/* All that was charged under the tag. */
int64_t record_charged(const struct record *record, uint64_t tag);

/* What had been used when the tag was last charged; 0 when it was not. */
int64_t record_seen(const struct record *record, uint64_t tag);

/* Adds a charge; it joins the tag's last one when that is of the same slice, or when the record has
 * become long. */
void record_add(struct record *record, uint64_t tag, int64_t slice, int64_t amount, int64_t seen);

/* Takes up to excess out of the tag's last charge and returns how much, with its slice; 0: none is
 * left. */
int64_t record_take(struct record *record, uint64_t tag, int64_t excess, int64_t *slice_r);
