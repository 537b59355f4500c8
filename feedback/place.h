/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where each log was read up to, kept in a small file over a restart.
 *
 * The place is written behind every line that something was done about, so that after a kill it is
 * known to within that one line; and whether that one was done is read from our own log, where that
 * is a file.
 */
#pragma once

#include "feedback/source.h"

struct place;

/* The place of a log by its name, in a folder ("": it is not kept).  mark_r: what the file says;
 * all zero when there is none.  own_log: our own log's file, or NULL.  NULL: problem_r says why
 * (the caller frees it). */
struct place *place_open(const char *folder, const char *log_name, const char *own_log,
                         struct mark *mark_r, char **problem_r);
void place_free(struct place **place);

/* Writes it at once, or at the next place_sync(). */
void place_set(struct place *place, const struct mark *mark);
void place_later(struct place *place, const struct mark *mark);
void place_sync(struct place *place); /* also to the disk */
