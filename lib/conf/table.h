/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookup tables in the text form that Postfix' postmap(1) and regexp_table(5) read.
 *
 *   texthash:/path (also hash:, lmdb:, cdb:, btree:, dbm:, or a bare path): the *source text* file:
 *       "key whitespace value", '#' comments, lines that start with white space continue.
 *   regexp:/path: POSIX extended patterns with /flags (i, m, x), !/pattern/, if ... endif and $1.
 *   inline:{ key=value, { key = a longer value } }
 *
 * A table is read whole when it is opened and never changes.  Thread-safe after opening.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define TABLE_FILE_MAX ((size_t)64 * 1024 * 1024) /* octets */
#define TABLE_KEY_MAX 1024 /* octets; a longer key is not found */

struct table;

/* Opens and reads the table whole.  NULL: problem_r says file, line and what was expected (the
 * caller frees it). */
struct table *table_open(const char *specification, char **problem_r);
void table_free(struct table **table);

/* The value of key (compared without case), or NULL.  The caller frees it. */
char *table_find(const struct table *table, const char *key);

/* The same, and where that line stands: file_r gets NULL for a table that is in no file, else a
 * string that lives as long as the table. */
char *table_find_place(const struct table *table, const char *key, const char **file_r,
                       unsigned *line_r);

/* Whether it is one of patterns, which are asked for whole names only. */
bool table_has_patterns(const struct table *table);

/* As Postfix looks an address up: user@domain, the same without its extension (delimiter: the
 * characters that begin one), then user alone where is_local says that the domain is ours, then
 * @domain.  A table of patterns is asked for the whole address only.  The caller frees the result.
 */
char *table_find_address(const struct table *table, const char *address, const char *delimiter,
                         bool is_local);
