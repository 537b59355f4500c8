/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal's file: a line that says what it is, then entries and marks that say how many of the
 * oldest entries are done with, each behind its length and checksum.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define JOURNAL_ENTRY_MAX (128 * 1024) /* octets of one entry */

struct journal_file;

typedef void journal_file_entry(void *context, const uint8_t *bytes, size_t length);
typedef void journal_file_done(void *context, uint64_t count);

/* Opens, locks and reads the file, made if need be.  NULL: problem_r says why not (the caller frees
 * it). */
struct journal_file *journal_file_open(const char *path, journal_file_entry *entry,
                                       journal_file_done *done, void *context, char **problem_r);
void journal_file_close(struct journal_file **file);

/* 0, or an errno value; then nothing was added. */
int journal_file_add(struct journal_file *file, const uint8_t *bytes, size_t length);
int journal_file_add_done(struct journal_file *file, uint64_t count);

/* Everything in it is done with. */
int journal_file_clear(struct journal_file *file);

/* Replaces the file by one that holds the entries that next() gives until it gives NULL. */
typedef const uint8_t *journal_file_next(void *context, size_t *length_r);
int journal_file_rewrite(struct journal_file *file, journal_file_next *next, void *context);

size_t journal_file_size(const struct journal_file *file);
