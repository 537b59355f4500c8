/* SPDX-License-Identifier: BSD-2-Clause */
/* What was charged for a message. */
#include "lib/store/record.h"

#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define FINGERPRINT_SIZE 8
#define ENTRY_SIZE 23 /* packed, in charge.lua; so both join charges at the same length */
#define RECORD_MAX 4096

void record_free(struct record *record)
{
    if (record == NULL)
        return;
    free(record->entries);
    free(record);
}

void record_clear(struct record *record, uint64_t fingerprint)
{
    record->fingerprint = fingerprint;
    record->count = 0;
}

static struct record_entry *last_of(const struct record *record, uint64_t tag)
{
    for (size_t i = record->count; i > 0; i--)
        if (record->entries[i - 1].tag == tag)
            return &record->entries[i - 1];
    return NULL;
}

int64_t record_charged(const struct record *record, uint64_t tag)
{
    int64_t sum = 0;

    for (size_t i = 0; i < record->count; i++)
        if (record->entries[i].tag == tag)
            sum += record->entries[i].amount;
    return sum;
}

int64_t record_seen(const struct record *record, uint64_t tag)
{
    const struct record_entry *last = last_of(record, tag);

    return last != NULL ? last->seen : 0;
}

void record_add(struct record *record, uint64_t tag, int64_t slice, int64_t amount, int64_t seen)
{
    struct record_entry *last = last_of(record, tag);

    if (last != NULL &&
        (last->slice == slice || FINGERPRINT_SIZE + record->count * ENTRY_SIZE > RECORD_MAX)) {
        last->amount += amount;
        last->seen = seen;
        return;
    }
    if ((record->count & (record->count - 1)) == 0)
        record->entries = mem_grow(record->entries, record->count > 0 ? 2 * record->count : 1,
                                   sizeof(*record->entries));
    record->entries[record->count++] = (struct record_entry){tag, slice, amount, seen};
}

int64_t record_take(struct record *record, uint64_t tag, int64_t excess, int64_t *slice_r)
{
    struct record_entry *last = last_of(record, tag);
    size_t behind;
    int64_t taken;

    if (last == NULL || excess <= 0)
        return 0;
    *slice_r = last->slice;
    taken = last->amount < excess ? last->amount : excess;
    last->amount -= taken;
    if (last->amount == 0) {
        behind = record->count - (size_t)(last - record->entries) - 1;
        memmove(last, last + 1, behind * sizeof(*last));
        record->count--;
    }
    return taken;
}
