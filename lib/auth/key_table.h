/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * OpenDKIM's KeyTable and SigningTable (opendkim.conf(5)): a name, and fields joined by ':'.
 *
 * Parsing is pure; the tables start zeroed.  Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KEY_TABLE_MAX (16 * 1024 * 1024) /* octets of a table's file */

enum table_form {
    TABLE_LINES, /* white space behind the name; from # to the end of a line is a comment */
    TABLE_LIST, /* NAME=VALUE,NAME=VALUE */
};

/* name domain:selector:key, where domain "%" is that of the From address, and a % in the path of
 * the key stands for the domain. */
struct key_entry {
    char *name;
    char *domain; /* A-label form, lower case; or "%" */
    char *selector;
    char *key; /* a path if key_entry_is_path(), else the key itself; wiped at the end */
    unsigned number; /* of its line or item, from 1 */
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
    unsigned number; /* of its line or item, from 1 */
};

struct signing_table {
    enum table_form form;
    struct signing_entry *entries;
    size_t count;
};

/* false: problem_r says what is wrong in which line or item (the caller frees it). */
bool key_table_parse(const char *text, enum table_form form, struct key_table *table_r,
                     char **problem_r);
bool signing_table_parse(const char *text, enum table_form form, struct signing_table *table_r,
                         char **problem_r);

/* Whether the key is in a file: the path begins with "/", "./" or "../". */
bool key_entry_is_path(const struct key_entry *entry);

const char *table_form_unit(enum table_form form); /* "line", "item" */

void key_table_clear(struct key_table *table);
void signing_table_clear(struct signing_table *table);
