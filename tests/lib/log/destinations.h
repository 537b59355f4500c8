/* SPDX-License-Identifier: BSD-2-Clause */
/* What the tests of the log's destinations share. */
#pragma once

#include "lib/base/text.h"
#include "lib/log/log.h"

#include <stdbool.h>
#include <stdint.h>

#define DEADLINE_US 60000000
#define WAIT_MS 20

extern char *log_path; /* of the file or socket that a test logs to, in a folder of its own */

int log_set_up(void **state);
int log_tear_down(void **state);

struct log *open_log(const char *kind, enum log_format format); /* "file", "syslog" or "stderr" */
void write_number(struct log *log, int64_t number, const char *filler);
void assert_matches(const char *line, const char *pattern);

/* The lines have n= from first on, each once and in order; returns the number after the last. */
int64_t assert_numbered(const char *lines, int64_t first);

/* Adds what is there to read. */
void take_in(int fd, struct text *text);

/* Standard error as a pipe, of one page when narrow, until release_stderr(); returns its reading
 * end. */
int catch_stderr(bool narrow);
void release_stderr(void);
