/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands before a line: time, host and tag, in each destination's way.  Not thread-safe. */
#pragma once

#include "lib/log/sink.h"

#define STAMP_NAME_MAX 63
#define STAMP_MAX 256 /* octets that a stamp adds to a line */
#define STAMPED_MAX (LOG_LINE_MAX + STAMP_MAX + 2) /* a whole line, its end, and NUL */

struct stamp {
    char program[STAMP_NAME_MAX + 1];
    char host[STAMP_NAME_MAX + 1];
    int64_t second; /* that the texts below were made for */
    char syslog_time[32];
    char file_time[32]; /* without its fraction and zone */
    char zone[8]; /* "+0100" */
};

void stamp_init(struct stamp *stamp, const char *program);

/* "<22>Nov 20 10:11:12 sluice-milter[812]: LINE" (RFC 3164, as syslog(3) writes it).  Both write a
 * NUL behind the line and return the length without it. */
size_t stamp_syslog(struct stamp *stamp, const struct sink_line *line, int facility,
                    char whole_r[STAMPED_MAX]);

/* "2026-11-20T10:11:12.123456+01:00 mx1 sluice-milter[812]: LINE", or with JSON the same as the
 * first members of the object. */
size_t stamp_file(struct stamp *stamp, const struct sink_line *line, char whole_r[STAMPED_MAX]);
