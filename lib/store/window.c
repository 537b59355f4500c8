/* SPDX-License-Identifier: BSD-2-Clause */
/* A sliding window of 60 slices and its packed form. */
#include "lib/store/window.h"

#include <string.h>

#define KIND_SHIFT 6
#define GAP_MASK 0x3f

enum entry_kind { KIND_ONE, KIND_OCTET, KIND_MEDIUM, KIND_LARGE };

static const uint8_t kind_size[] = {
    [KIND_ONE] = 0,
    [KIND_OCTET] = 1,
    [KIND_MEDIUM] = 3,
    [KIND_LARGE] = 6,
};

static int64_t smaller(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

/* Time is counted in thirds of a millisecond: then a slice of any whole second is a whole number.
 */
int64_t window_slice(int64_t window_sec, int64_t at_ms)
{
    return at_ms * 3 / (window_sec * 50);
}

int64_t window_slice_forgotten_ms(int64_t window_sec, int64_t slice)
{
    return ((slice + WINDOW_SLICES + 1) * window_sec * 50 + 2) / 3;
}

static int64_t load(const uint8_t *bytes, size_t size)
{
    uint64_t value = 0;

    for (size_t i = size; i > 0; i--)
        value = value << 8 | bytes[i - 1];
    return (int64_t)value;
}

static uint8_t *save(uint8_t *bytes, size_t size, int64_t value)
{
    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)((uint64_t)value >> (8 * i));
    return bytes + size;
}

static bool unpack_older(const uint8_t *at, const uint8_t *end, size_t distance,
                         struct window *window)
{
    while (at < end) {
        uint8_t kind = *at >> KIND_SHIFT;
        uint8_t gap = *at & GAP_MASK;
        size_t size = kind_size[kind];

        if (gap == 0 || gap > distance || (size_t)(end - at) < 1 + size)
            return false;
        window->counts[distance] = kind == KIND_ONE ? 1 : load(at + 1, size);
        distance -= gap;
        at += 1 + size;
    }
    return distance == 0;
}

bool window_unpack(const uint8_t *bytes, size_t length, struct window *window_r)
{
    int64_t total = 0;

    memset(window_r, 0, sizeof(*window_r));
    if (length < WINDOW_HEADER_SIZE || bytes[17] > WINDOW_SLICES)
        return false;
    window_r->newest = load(bytes, 5);
    window_r->counts[0] = load(bytes + 5, 6);
    window_r->total = load(bytes + 11, 6);
    if (!unpack_older(bytes + WINDOW_HEADER_SIZE, bytes + length, bytes[17], window_r))
        goto invalid;
    for (size_t k = 0; k <= WINDOW_SLICES; k++)
        total += window_r->counts[k];
    if (total == window_r->total && total <= WINDOW_COUNT_MAX)
        return true;
invalid:
    memset(window_r, 0, sizeof(*window_r));
    return false;
}

static enum entry_kind kind_of(int64_t count)
{
    if (count == 1)
        return KIND_ONE;
    if (count <= UINT8_MAX)
        return KIND_OCTET;
    return count < INT64_C(1) << 24 ? KIND_MEDIUM : KIND_LARGE;
}

size_t window_pack(const struct window *window, uint8_t bytes_r[WINDOW_PACKED_MAX])
{
    uint8_t *at = bytes_r + WINDOW_HEADER_SIZE;
    size_t newest = 0;
    size_t oldest = WINDOW_SLICES;

    memset(bytes_r, 0, WINDOW_HEADER_SIZE);
    if (window->total == 0)
        return WINDOW_HEADER_SIZE;
    while (window->counts[newest] == 0)
        newest++;
    while (window->counts[oldest] == 0)
        oldest--;
    save(bytes_r, 5, window->newest - (int64_t)newest);
    save(bytes_r + 5, 6, window->counts[newest]);
    save(bytes_r + 11, 6, window->total);
    bytes_r[17] = (uint8_t)(oldest - newest);
    while (oldest > newest) {
        enum entry_kind kind = kind_of(window->counts[oldest]);
        size_t next = oldest - 1;

        while (window->counts[next] == 0)
            next--;
        *at++ = (uint8_t)(kind << KIND_SHIFT | (oldest - next));
        at = save(at, kind_size[kind], window->counts[oldest]);
        oldest = next;
    }
    return (size_t)(at - bytes_r);
}

void window_advance(struct window *window, int64_t slice)
{
    int64_t total = window->total;
    int64_t ahead = slice - window->newest;

    if (ahead <= 0 && ahead >= -WINDOW_SLICES && total != 0)
        return;
    if (total == 0 || ahead < -WINDOW_SLICES || ahead > WINDOW_SLICES) {
        memset(window, 0, sizeof(*window));
        window->newest = slice;
        if (ahead < -WINDOW_SLICES)
            window->counts[0] = window->total = total;
        return;
    }
    for (size_t k = WINDOW_SLICES + 1 - (size_t)ahead; k <= WINDOW_SLICES; k++)
        window->total -= window->counts[k];
    memmove(window->counts + ahead, window->counts,
            (WINDOW_SLICES + 1 - (size_t)ahead) * sizeof(window->counts[0]));
    memset(window->counts, 0, (size_t)ahead * sizeof(window->counts[0]));
    window->newest = slice;
}

/* The place of a slice, or -1 when it is too old; the newest stands for all that would be newer. */
static int64_t place_of(const struct window *window, int64_t slice)
{
    if (slice >= window->newest)
        return 0;
    return window->newest - slice <= WINDOW_SLICES ? window->newest - slice : -1;
}

void window_add(struct window *window, int64_t slice, int64_t amount)
{
    int64_t place = place_of(window, slice);

    amount = smaller(amount, WINDOW_COUNT_MAX - window->total);
    if (place < 0)
        return;
    window->counts[place] += amount;
    window->total += amount;
}

void window_take(struct window *window, int64_t slice, int64_t amount)
{
    int64_t place = place_of(window, slice);

    if (place < 0)
        return;
    amount = smaller(amount, window->counts[place]);
    window->counts[place] -= amount;
    window->total -= amount;
}

void window_settle(struct window *window, int64_t total)
{
    if (total > window->total)
        window_add(window, window->newest, total - window->total);
    for (int64_t k = WINDOW_SLICES; k >= 0 && window->total > total; k--)
        window_take(window, window->newest - k, window->total - total);
}

int64_t window_frees(const struct window *window, int64_t need)
{
    int64_t k = WINDOW_SLICES;

    while (k > 0 && (need -= window->counts[k]) > 0)
        k--;
    return window->newest - k;
}
