/* SPDX-License-Identifier: BSD-2-Clause */
/* The logical lines of Postfix' table files. */
#pragma once

#include "lib/base/text.h"

#include <stdbool.h>

/* Where in a text one is.  Starts with .next = text, .end = its end. */
struct table_lines {
    const char *next;
    const char *end;
    unsigned counted; /* lines read */
    unsigned line; /* where the last logical line began */
};

/* The next line that is neither empty nor a comment, joined with the lines that continue it (those
 * that begin with white space), without white space at its ends.  false: there is none. */
bool table_lines_next(struct table_lines *lines, struct text *line_r);
