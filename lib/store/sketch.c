/* SPDX-License-Identifier: BSD-2-Clause */
/* A HyperLogLog over a sliding window. */
#include "lib/store/sketch.h"

#include "lib/base/mem.h"
#include "lib/store/window.h"

#include <math.h>
#include <stdlib.h>

#define HEADER_SIZE 5
#define VALUE_SIZE 3
#define RANK_MASK (SKETCH_RANKS - 1)
#define REGISTER_BITS 11
#define ALPHA (0.7213 / (1 + 1.079 / SKETCH_REGISTERS))
#define SMALL (SKETCH_REGISTERS * 2.5) /* below it, counting what is untouched is more exact */

struct value {
    uint16_t rank;
    int64_t slice;
};

struct values {
    size_t count;
    struct value items[SKETCH_RANKS]; /* no two have the same rank */
};

struct sketch {
    int64_t newest;
    struct values *registers[SKETCH_REGISTERS];
};

uint16_t sketch_code(uint64_t hash)
{
    uint64_t rest = hash >> REGISTER_BITS;
    unsigned rank = 1;

    while (rank < RANK_MASK && (rest & 1) == 0) {
        rest >>= 1;
        rank++;
    }
    return (uint16_t)((hash & (SKETCH_REGISTERS - 1)) * SKETCH_RANKS + rank);
}

/* A value that is neither newer nor larger than another says nothing any more. */
static void add(struct sketch *sketch, uint16_t code, int64_t slice)
{
    struct values **values = &sketch->registers[code / SKETCH_RANKS];
    uint16_t rank = code & RANK_MASK;
    size_t kept = 0;

    if (*values == NULL)
        *values = mem_new(1, sizeof(**values));
    for (size_t i = 0; i < (*values)->count; i++)
        if ((*values)->items[i].rank >= rank && (*values)->items[i].slice >= slice)
            return;
    for (size_t i = 0; i < (*values)->count; i++)
        if ((*values)->items[i].rank > rank || (*values)->items[i].slice > slice)
            (*values)->items[kept++] = (*values)->items[i];
    (*values)->items[kept++] = (struct value){rank, slice};
    (*values)->count = kept;
}

static int64_t number_at(const uint8_t *bytes, size_t size)
{
    int64_t value = 0;

    while (size > 0)
        value = value << 8 | bytes[--size];
    return value;
}

struct sketch *sketch_new(const uint8_t *bytes, size_t length, int64_t current)
{
    struct sketch *sketch = mem_new(1, sizeof(*sketch));
    int64_t written = length >= HEADER_SIZE ? number_at(bytes, HEADER_SIZE) : current;
    bool was_wrong = written - current > WINDOW_SLICES;

    sketch->newest = written > current && !was_wrong ? written : current;
    for (size_t at = HEADER_SIZE; at + VALUE_SIZE <= length; at += VALUE_SIZE) {
        int64_t slice = was_wrong ? current : written - bytes[at + 2];

        if (slice >= sketch->newest - WINDOW_SLICES && number_at(bytes + at, 2) % SKETCH_RANKS > 0)
            add(sketch, (uint16_t)number_at(bytes + at, 2), slice);
    }
    return sketch;
}

void sketch_free(struct sketch **sketch)
{
    if (*sketch == NULL)
        return;
    for (size_t i = 0; i < SKETCH_REGISTERS; i++)
        free((*sketch)->registers[i]);
    free(*sketch);
    *sketch = NULL;
}

int64_t sketch_newest(const struct sketch *sketch)
{
    return sketch->newest;
}

void sketch_add(struct sketch *sketch, const uint16_t *codes, size_t count, int64_t slice)
{
    if (slice > sketch->newest)
        slice = sketch->newest;
    for (size_t i = 0; i < count && slice >= sketch->newest - WINDOW_SLICES; i++)
        add(sketch, codes[i], slice);
}

static int64_t estimate_from(const struct sketch *sketch, int64_t oldest)
{
    double sum = 0;
    double estimate;
    size_t used = 0;

    for (size_t r = 0; r < SKETCH_REGISTERS; r++) {
        const struct values *values = sketch->registers[r];
        int best = 0;

        for (size_t i = 0; values != NULL && i < values->count; i++)
            if (values->items[i].slice >= oldest && values->items[i].rank > best)
                best = values->items[i].rank;
        used += best > 0;
        sum += ldexp(1, -best);
    }
    estimate = ALPHA * SKETCH_REGISTERS * SKETCH_REGISTERS / sum;
    if (estimate <= SMALL && used < SKETCH_REGISTERS)
        estimate = SKETCH_REGISTERS * log(SKETCH_REGISTERS / (double)(SKETCH_REGISTERS - used));
    return (int64_t)floor(estimate + 0.5);
}

int64_t sketch_estimate(const struct sketch *sketch)
{
    return estimate_from(sketch, sketch->newest - WINDOW_SLICES);
}

int64_t sketch_frees(const struct sketch *sketch, int64_t max)
{
    int64_t slice = sketch->newest - WINDOW_SLICES;

    while (slice < sketch->newest && estimate_from(sketch, slice + 1) > max)
        slice++;
    return slice;
}

uint8_t *sketch_pack(const struct sketch *sketch, size_t *length_r)
{
    size_t count = 0;
    uint8_t *bytes;
    uint8_t *at;

    for (size_t r = 0; r < SKETCH_REGISTERS; r++)
        count += sketch->registers[r] != NULL ? sketch->registers[r]->count : 0;
    *length_r = HEADER_SIZE + count * VALUE_SIZE;
    at = bytes = mem_new(*length_r, 1);
    for (size_t i = 0; i < HEADER_SIZE; i++)
        *at++ = (uint8_t)(sketch->newest >> (8 * i));
    for (size_t r = 0; r < SKETCH_REGISTERS; r++) {
        const struct values *values = sketch->registers[r];

        for (size_t i = 0; values != NULL && i < values->count; i++) {
            size_t code = r * SKETCH_RANKS + values->items[i].rank;

            *at++ = (uint8_t)(code & 0xff);
            *at++ = (uint8_t)(code >> 8);
            *at++ = (uint8_t)(sketch->newest - values->items[i].slice);
        }
    }
    return bytes;
}
