/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/lines.h"

#include "lib/base/mem.h"
#include "lib/classify/line.h"

#include <stdlib.h>
#include <string.h>

#define ROOM (LINE_MAX_LENGTH + (size_t)64 * 1024)

void lines_init(struct lines *lines)
{
    *lines = (struct lines){.buffer = mem_new(ROOM, 1)};
}

void lines_free(struct lines *lines)
{
    free(lines->buffer);
    *lines = (struct lines){.buffer = NULL};
}

void lines_clear(struct lines *lines)
{
    *lines = (struct lines){.buffer = lines->buffer};
}

char *lines_room(struct lines *lines, size_t *room_r)
{
    if (lines->start > 0) {
        lines->fill -= lines->start;
        memmove(lines->buffer, lines->buffer + lines->start, lines->fill);
        lines->start = 0;
    }
    /* A buffer without a newline in it is one long line. */
    if (lines->fill > LINE_MAX_LENGTH && lines->looked == lines->fill) {
        lines->dropped += lines->fill - LINE_MAX_LENGTH;
        lines->fill = lines->looked = LINE_MAX_LENGTH;
    }
    *room_r = ROOM - lines->fill;
    return lines->buffer + lines->fill;
}

void lines_added(struct lines *lines, size_t count)
{
    lines->fill += count;
}

static void give(struct lines *lines, size_t length, size_t end, struct span *line_r,
                 uint64_t *octets_r)
{
    struct span line = {lines->buffer + lines->start, length};

    *octets_r = length + end + lines->dropped;
    if (line.length > LINE_MAX_LENGTH)
        line.length = LINE_MAX_LENGTH;
    if (line.length > 0 && line.start[line.length - 1] == '\r')
        line.length--;
    *line_r = line;
    lines->start += length + end;
    lines->looked = 0;
    lines->dropped = 0;
}

bool lines_next(struct lines *lines, struct span *line_r, uint64_t *octets_r)
{
    const char *start = lines->buffer + lines->start;
    const size_t length = lines->fill - lines->start;
    const char *newline =
        length > lines->looked ? memchr(start + lines->looked, '\n', length - lines->looked) : NULL;

    if (newline == NULL) {
        lines->looked = length;
        return false;
    }
    give(lines, (size_t)(newline - start), 1, line_r, octets_r);
    return true;
}

bool lines_rest(struct lines *lines, struct span *line_r, uint64_t *octets_r)
{
    if (lines->fill == lines->start && lines->dropped == 0)
        return false;
    give(lines, lines->fill - lines->start, 0, line_r, octets_r);
    return true;
}
