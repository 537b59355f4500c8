/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where lines go: one destination, written without waiting.  Not thread-safe: the log locks.
 */
#pragma once

#include "lib/log/log.h"

struct sink;

/* NULL: problem_r says why (the caller frees it). */
struct sink *sink_open(const struct log_settings *settings, char **problem_r);
void sink_free(struct sink **sink);

struct sink_line {
    int64_t time_us; /* on clock_wall */
    int priority;
    enum log_format format;
    const char *bytes; /* without the line's end */
    size_t length; /* at most LOG_LINE_MAX */
};

enum sink_result {
    SINK_DONE,
    SINK_LATER, /* try again, with the same line and written */
    SINK_NEVER, /* the destination does not take this line */
};

/* Writes the line with its time and tag.  written, at first 0, is how much of it the destination
 * has taken already: a line is finished before the next one begins.  It goes back to 0 where that
 * part went to a connection that is gone. */
enum sink_result sink_write(struct sink *sink, const struct sink_line *line, size_t *written);

/* Whether the sink writes to the very file that the settings name, by the same path: who may not
 * open it any more since root was given up can go on with it. */
bool sink_is_at(const struct sink *sink, const struct log_settings *settings);

/* Where new_sink is the very file that old_sink writes to, hands the descriptor over, so that a
 * line half written can be finished; false otherwise. */
bool sink_take_over(struct sink *new_sink, struct sink *old_sink);
