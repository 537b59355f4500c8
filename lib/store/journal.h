/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What was charged and given back while the store was away, in order, until the store has it.
 *
 * Bounded.  With a path it is also kept in a file, so that it outlives the process however that
 * ends: each entry is appended with one write(2), an end that was torn off is ignored, and a lock
 * keeps a second process away.  When the file cannot be written, the journal goes on in memory.
 */
#pragma once

#include "lib/store/call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct journal;

/* NULL: problem_r says why the file cannot be used (the caller frees it). */
struct journal *journal_open(const char *path, size_t entries_max, char **problem_r);
void journal_close(struct journal **journal);

/* Adds the call, made at at_ms of the store's time, with each limit's amount.  false: full, and
 * counted as lost. */
bool journal_add(struct journal *journal, enum call_operation operation, const struct call *call,
                 int64_t at_ms);

size_t journal_count(const struct journal *journal);
size_t journal_max(const struct journal *journal);

/* The entry at a position from the oldest (0) as a call (CALL_REPLAY or CALL_RETURN), which the
 * caller holds; NULL: the file had something else there. */
struct call *journal_call(const struct journal *journal, size_t position);

/* The store has the oldest count entries. */
void journal_done(struct journal *journal, size_t count);

/* Why the file cannot be written; NULL when it can, or there is none. */
const char *journal_problem(const struct journal *journal);
