/* SPDX-License-Identifier: BSD-2-Clause */
/* Tables of patterns, as Postfix' regexp_table(5). */
#pragma once

#include <stddef.h>

struct patterns;

/* Reads lines of patterns; file stands in problem_r (the caller frees it).  NULL: a line is wrong.
 */
struct patterns *patterns_read(const char *file, const char *text, size_t length, char **problem_r);
void patterns_free(struct patterns **patterns);

/* The value of the first pattern that key matches, its $1 filled in, or NULL; and the line on which
 * it stands.  The caller frees it. */
char *patterns_find(const struct patterns *patterns, const char *key, unsigned *line_r);
