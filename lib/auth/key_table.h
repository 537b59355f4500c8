/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenDKIM's KeyTable and SigningTable (opendkim.conf(5)), as files: a name, white space, and
 * fields joined by ':'.  From # to the end of a line is a comment.
 *
 * Parsing is pure; the tables start zeroed.  Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KEY_TABLE_MAX (16 * 1024 * 1024) /* octets of a table's file */

/* name domain:selector:key, where domain "%" is that of the From address, and a % in the path of
 * the key stands for it too. */
struct key_entry {
    char *name;
    char *domain; /* A-label form, lower case; or "%" */
    char *selector;
    char *key; /* a path from the root */
    unsigned line;
};

struct key_table {
    struct key_entry *entries;
    size_t count;
};

/* pattern name[:signer], where name "%" is the domain of the From address, and a % in signer stands
 * for it too. */
struct signing_entry {
    char *pattern; /* lower case */
    char *name; /* of a key in the KeyTable */
    char *signer; /* for i=, or NULL */
    unsigned line;
};

struct signing_table {
    struct signing_entry *entries;
    size_t count;
};

/* false: problem_r says what is wrong in which line (the caller frees it). */
bool key_table_parse(const char *text, struct key_table *table_r, char **problem_r);
bool signing_table_parse(const char *text, struct signing_table *table_r, char **problem_r);

void key_table_clear(struct key_table *table);
void signing_table_clear(struct signing_table *table);
