/* SPDX-License-Identifier: BSD-2-Clause */
/* Collections of replies and log lines that others made, where they are present: below
 * $SLUICE_CORPORA, or beside the source tree in ../shared/corpora. */
#pragma once

#include <stddef.h>

#define CORPUS_COLUMNS_MAX 4

struct corpus_row {
    char *columns[CORPUS_COLUMNS_MAX];
};

struct corpus {
    char *text;
    struct corpus_row *rows;
    size_t count;
};

/* Reads a file of columns parted by tabs, without its first line; a row begins where begins() says
 * so (NULL: on each line), since some hold newlines.  Skips the test where the file is absent. */
void corpus_read(const char *path, size_t columns, int (*begins)(const char *line),
                 struct corpus *corpus_r);

/* The same from tests/data. */
void corpus_read_data(const char *name, size_t columns, struct corpus *corpus_r);
void corpus_free(struct corpus *corpus);
