/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where log lines come from: a file that is rotated, standard input, or systemd's journal.
 *
 * Lines are pulled.  Behind each, the source can tell a mark: where it stands in the log, so that
 * another process goes on behind that very line.  Nothing blocks.
 */
#pragma once

#include "feedback/mark.h"

#include "lib/base/loop.h"
#include "lib/classify/span.h"
#include "lib/conf/conf.h"

#include <stdint.h>

enum source_result {
    SOURCE_LINE,
    SOURCE_NOTHING, /* now; more may come */
    SOURCE_END, /* for good */
};

struct source;

/* A kind of source, by a small struct of functions. */
struct source_kind {
    enum source_result (*next)(void *state, struct span *line_r);
    bool (*is_known)(void *state); /* whether the last line was read before; NULL: never */
    void (*mark)(void *state, struct mark *mark_r); /* behind the last line; NULL: has none */
    int (*problem)(void *state); /* errno: why it cannot be read now; 0; NULL: always can */
    void (*free)(void *state);
};

/* Opens what conf's mail-log names: "stdin", "journal", "journal:/folder" or a path.  from: where
 * to go on, or NULL. first_read_sec: without it, how old a rotated file may be that is read first.
 * wake(context) is called when there may be more.  NULL: problem_r says why (the caller frees it).
 */
struct source *source_open(struct loop *loop, const char *name, const struct marks *from,
                           int64_t first_read_sec, void (*wake)(void *context), void *context,
                           char **problem_r);
void source_free(struct source **source);

/* The line is good until the next call. */
enum source_result source_next(struct source *source, struct span *line_r);

/* Whether the last line stands before the mark that the source was opened with: it was dealt with
 * then, and is there again to be remembered only. */
bool source_is_known(const struct source *source);
bool source_mark(struct source *source, struct mark *mark_r); /* false: it has none */
int source_problem(
    const struct source *source); /* why it cannot be read now, by errno; 0: it can */
const char *source_name(const struct source *source);

/* The kinds' own ways of being opened. */
const struct source_kind *source_file_open(struct loop *loop, const char *name,
                                           const struct marks *from, int64_t first_read_sec,
                                           void (*wake)(void *context), void *context,
                                           void **state_r, char **problem_r);
const struct source_kind *source_stdin_open(struct loop *loop, void (*wake)(void *context),
                                            void *context, void **state_r, char **problem_r);
const struct source_kind *source_journal_open(struct loop *loop, const char *name,
                                              const struct marks *from, int64_t first_read_sec,
                                              void (*wake)(void *context), void *context,
                                              void **state_r, char **problem_r);
