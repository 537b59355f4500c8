/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A call's part about notes: packed as notes.lua reads it, and what was answered.
 *
 * One packed form serves both backends, so that they cannot differ in what was asked.
 */
#pragma once

#include "lib/base/text.h"
#include "lib/store/store_note.h"
#include "lib/store/subject.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* These have the same numbers in notes.lua. */
enum note_action {
    NOTE_READ,
    NOTE_SET,
    NOTE_REPLACE,
    NOTE_REMOVE,
    NOTE_MARK,
    NOTE_LIST,
};

#define NOTE_AMOUNT_NEW INT64_C(0xffffffffffff) /* STORE_AMOUNT_NEW, packed */
#define NOTE_KEY_SIZE (SUBJECT_NAME_SIZE + STORE_KIND_MAX + 1)
#define NOTE_LIST_KEY "" /* a list has no subject */

/* What is done to one note. */
struct note_item {
    const char *subject; /* its name; NOTE_LIST_KEY */
    const char *kind;
    enum note_action action;
    const char *bytes; /* packed */
    size_t length;
};

/* All of a call's items; one block of memory. */
struct note_items {
    struct note_item *items;
    size_t count;
    size_t nreads; /* of them, those that are answered: before all others */
    char *memory;
    size_t memory_size;
};

struct store_request;
void note_items_request(struct note_items *items_r, const struct subject_hiding *hiding,
                        const struct store_request *request, bool with_marks);
void note_items_change(struct note_items *items_r, const struct subject_hiding *hiding,
                       enum note_action action, const struct store_note_change *change);
void note_items_list(struct note_items *items_r, const char *kind, const char *cursor);
/* A copy, which the caller frees as well. */
void note_items_copy(struct note_items *items_r, const struct note_items *items);
/* A copy of one of them alone. */
void note_items_pick(struct note_items *items_r, const struct note_items *items, size_t index);
void note_items_free(struct note_items *items);

/* What an item says, to carry it out: how many parts there are, and each as a string that is not
 * NUL-terminated. */
struct note_reader {
    enum note_action action;
    size_t count;
    int64_t life_ms;
    size_t fields_max;
    const char *at, *end;
};
struct note_part {
    const char *bytes;
    size_t length;
};
void note_reader_start(struct note_reader *reader_r, const struct note_item *item);
/* false: there is none left. */
bool note_reader_part(struct note_reader *reader, struct note_part *part_r);
bool note_reader_mark(struct note_reader *reader, struct note_part *field_r, int64_t *amount_r,
                      int64_t *period_sec_r, struct note_part *text_r);

/* Writing an answer as notes.lua does. */
size_t note_answer_start(struct text *answer);
void note_answer_string(struct text *answer, size_t start, const char *bytes, size_t length);

/* An answer's notes. */
struct note_answer {
    struct store_note *notes;
    size_t count;
    char *memory;
};

/* Takes in as many notes as were asked for; false: that is no such answer. */
bool note_answer_read(struct note_answer *answer_r, const char *bytes, size_t length, size_t count);
void note_answer_free(struct note_answer *answer);
