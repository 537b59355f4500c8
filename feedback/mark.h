/* SPDX-License-Identifier: BSD-2-Clause */
/* A place in a log: how far it was read. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MARK_CURSOR_MAX 256

/* A place in a log. */
struct mark {
    uint64_t file; /* inode of the file; 0: none, or the journal */
    uint64_t offset; /* behind the line, in octets as they were before any compression; in the
                        journal: hash of the cursor */
    uint64_t head; /* hash of the file's first head_length octets, which a copy has too */
    uint32_t head_length;
    char cursor[MARK_CURSOR_MAX]; /* the journal's own */
};

/* Whether it is a place at all. */
bool mark_is_set(const struct mark *mark);

/* Where a log was read up to: as it was kept, and as the last of our own lines say, which may be
 * further on, after a kill, and of other logs too: of each file the last. */
#define MARKS_TOLD_MAX 8
#define MARKS_PART_MAX 100
struct marks {
    struct mark kept;
    struct mark told[MARKS_TOLD_MAX]; /* without a cursor */
    size_t ntold;
    /* Of the line behind, which names several recipients, those that were told: mark_part() of
     * each. */
    uint64_t part[MARKS_PART_MAX];
    size_t npart;
};

uint64_t mark_part(const char *queue_id, const char *recipient);
