/* SPDX-License-Identifier: BSD-2-Clause */
/* The outgoing mail of the past, as our log tells it. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A message that was let through. */
struct past_message {
    int64_t time_us; /* wall clock */
    char *host; /* whose log it is in */
    char *trace; /* the same in the lines of both daemons */
    char *user, *from, *client; /* user and client "" where there is none; from "<>" for a bounce */
    char *helo, *rcpts, *rcpt_domains; /* as the line has them; "" where it does not */
    int64_t nrcpt, external, size;
};

/* Starts zeroed, ends with past_free(). */
struct past {
    struct past_message *messages; /* by time, once past_sort() was called */
    size_t count;
    size_t room; /* private */
    size_t lines; /* that were read */
    size_t without_time; /* message lines that do not say when */
};

/* A line of ours; borrowed for the time of the callback. */
struct log_record;
struct past_line {
    const struct log_record *record;
    const char *host; /* whose log it is in; "" where it is not said */
    bool has_time;
    int64_t time_us; /* wall clock */
};
typedef void past_take(const struct past_line *line, void *context);

/* Hands on every line of ours in a file: text or JSON, behind whatever header syslog gave them;
 * packed with gzip or not; "-" is standard input.  false: it cannot be read; problem_r says why
 * (the caller frees it). */
bool past_lines(const char *path, past_take *take, void *context, char **problem_r);

/* Adds what a file tells: the outgoing messages in its lines, as past_lines() reads them. */
bool past_read(struct past *past, const char *path, char **problem_r);
void past_sort(struct past *past);
void past_free(struct past *past);
