/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Octets that come in pieces, cut into lines.
 *
 * Of a line longer than LINE_MAX_LENGTH only the beginning is kept, so memory is bounded whatever
 * comes; the octets that were passed over are counted all the same.
 */
#pragma once

#include "lib/classify/span.h"

#include <stdint.h>

struct lines {
    char *buffer;
    size_t start, fill; /* what is not yet given out */
    size_t looked; /* of that, how much is known to hold no newline */
    uint64_t dropped; /* octets of the line in hand that were not kept */
};

void lines_init(struct lines *lines);
void lines_free(struct lines *lines);

/* Forgets what is in hand. */
void lines_clear(struct lines *lines);

/* Where to put octets, room_r of them at least 1; lines_added() says how many there are. */
char *lines_room(struct lines *lines, size_t *room_r);
void lines_added(struct lines *lines, size_t count);

/* The next whole line, without its newline and a carriage return before that; it is good until the
 * next call of lines_room().  octets_r: how many octets it took, its end included.  false: there is
 * none. */
bool lines_next(struct lines *lines, struct span *line_r, uint64_t *octets_r);

/* What is left at the end, if anything, as a line. */
bool lines_rest(struct lines *lines, struct span *line_r, uint64_t *octets_r);
