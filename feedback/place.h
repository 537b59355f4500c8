/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where each log was read up to, kept in a small file over a restart.
 *
 * The place is written behind every line that something was done about, so that after a kill it is
 * known to within that one line; and whether that one was done is read from our own log, where that
 * is a file.
 */
#pragma once

#include "feedback/mark.h"

struct place;

/* The place of a log by its name, in a folder ("": it is not kept).  marks_r: what the file says,
 * all zero when there is none, and what our own lines do.  own_log: the file that these are in, or
 * NULL.  NULL: problem_r says why
 * (the caller frees it). */
struct place *place_open(const char *folder, const char *log_name, const char *own_log,
                         struct marks *marks_r, char **problem_r);
void place_free(struct place **place);

/* Writes it at once, or at the next place_sync(). */
void place_set(struct place *place, const struct mark *mark);
void place_later(struct place *place, const struct mark *mark);
void place_sync(struct place *place); /* also to the disk */
int place_problem(
    const struct place *place); /* why it cannot be written now, by errno; 0: it can */

/* A place as our own lines have it, and as one of them, without its header, says; false: none. */
#define PLACE_WORD_MAX 80
void place_word(const struct mark *mark, char word_r[PLACE_WORD_MAX]);
bool place_told(const char *bytes, size_t length, struct mark *mark_r);
