/* SPDX-License-Identifier: BSD-2-Clause */
/* Collections of replies and log lines that others made. */
#include "tests/lib/classify/corpus.h"

#include "lib/base/mem.h"
#include "tests/support/corpora.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FILE_MAX ((size_t)1024 * 1024)

static char *read_all(const char *path)
{
    char *text = mem_new(FILE_MAX + 1, 1);
    FILE *file = fopen(path, "r");

    if (file == NULL) {
        free(text);
        return NULL;
    }
    text[fread(text, 1, FILE_MAX, file)] = '\0';
    (void)fclose(file);
    return text;
}

/* Cuts a row at its tabs. */
static void split(char *row, size_t columns, struct corpus_row *row_r)
{
    for (size_t i = 0; i < columns; i++) {
        char *tab = row != NULL ? strchr(row, '\t') : NULL;

        row_r->columns[i] = row;
        if (tab != NULL && i + 1 < columns)
            *tab = '\0';
        row = tab != NULL ? tab + 1 : NULL;
    }
}

/* Where the next row begins, its newline replaced by the end of this one; NULL: there is none. */
static char *next_row(char *row, int (*begins)(const char *line))
{
    for (char *newline = strchr(row, '\n'); newline != NULL; newline = strchr(newline + 1, '\n')) {
        if (newline[1] == '\0' || begins == NULL || begins(newline + 1)) {
            *newline = '\0';
            return newline[1] != '\0' ? newline + 1 : NULL;
        }
    }
    return NULL;
}

/* The rows of the text behind its first line. */
static void find_rows(size_t columns, int (*begins)(const char *line), struct corpus *corpus_r)
{
    char *row = next_row(corpus_r->text, begins);

    corpus_r->count = 0;
    corpus_r->rows = NULL;
    while (row != NULL) {
        char *next = next_row(row, begins);

        corpus_r->rows = mem_grow(corpus_r->rows, corpus_r->count + 1, sizeof(*corpus_r->rows));
        split(row, columns, &corpus_r->rows[corpus_r->count++]);
        row = next;
    }
}

void corpus_read(const char *path, size_t columns, int (*begins)(const char *line),
                 struct corpus *corpus_r)
{
    char *where = corpora_path(path);

    corpus_r->text = read_all(where);
    if (corpus_r->text == NULL)
        print_message("%s is not here\n", where);
    free(where);
    if (corpus_r->text == NULL)
        skip();
    find_rows(columns, begins, corpus_r);
}

void corpus_read_data(const char *name, size_t columns, struct corpus *corpus_r)
{
    const char *source = getenv("top_srcdir");
    char *where = mem_print("%s/tests/data/%s", source != NULL ? source : ".", name);

    corpus_r->text = read_all(where);
    free(where);
    assert_non_null(corpus_r->text);
    find_rows(columns, NULL, corpus_r);
}

void corpus_free(struct corpus *corpus)
{
    free(corpus->rows);
    free(corpus->text);
}
