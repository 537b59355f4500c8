/* SPDX-License-Identifier: BSD-2-Clause */
/* One note in this process's memory. */
#pragma once

#include "lib/store/note.h"

struct kept_pair {
    char *name, *value;
};

struct kept_note {
    int64_t expires_ms;
    size_t bytes; /* of memory, about */
    size_t count;
    struct kept_pair *pairs;
    char *subject, *kind;
};

/* An empty one that has expired already, until it is prolonged. */
struct kept_note *kept_note_new(const struct note_item *item);
void kept_note_free(struct kept_note *note);

void kept_note_put(struct kept_note *note, struct note_part name, struct note_part value);
/* false: there was nothing. */
bool kept_note_remove(struct kept_note *note, struct note_part name);
bool kept_note_clear(struct kept_note *note);

/* Lives for life_ms at least; 0: for ever. */
void kept_note_prolong(struct kept_note *note, int64_t life_ms, int64_t now_ms);

/* Makes the reader's marks. */
void kept_note_mark(struct kept_note *note, struct note_reader *reader, int64_t now_sec,
                    bool known);

/* Adds one field, if it is there, or all to an answer. */
void kept_note_tell(const struct kept_note *note, struct note_part name, struct text *answer,
                    size_t start);
void kept_note_tell_all(const struct kept_note *note, struct text *answer, size_t start);
