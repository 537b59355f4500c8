/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lookup tables in the text form that Postfix' postmap(1) and regexp_table(5) read.
 *
 *   texthash:/path (also hash:, lmdb:, cdb:, btree:, or a bare path): the *source text* file:
 *       "key whitespace value", '#' comments, lines that start with white space continue.
 *   regexp:/path, pcre:/path: patterns with /flags and $1.
 *   inline:{ key=value, ... }
 */
#pragma once

#include <stddef.h>

struct table;

/* Opens and reads the table whole.  NULL: problem_r says file, line and what was expected (the caller frees it). */
struct table *table_open(const char *specification, char **problem_r);
void table_free(struct table **table);

/* The value of key (compared without case), or NULL.  *value_r is the caller's to free where regexp made it:
 * always free it. */
char *table_find(const struct table *table, const char *key);

/* As Postfix looks an address up (user@domain, then user@domain without extension, then @domain;
 * user alone for a domain in local_domains is the caller's).  The caller frees the result. */
char *table_find_address(const struct table *table, const char *address, const char *delimiter);
