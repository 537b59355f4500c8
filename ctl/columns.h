/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of words in aligned columns. */
#pragma once

#include "lib/base/strings.h"

#include <stdio.h>

#define COLUMNS_MAX 12

struct columns {
    size_t count; /* of columns */
    bool right[COLUMNS_MAX]; /* numbers stand to the right */
    struct strings cells; /* row after row */
};

/* Adds a cell; NULL is "". */
void columns_add(struct columns *columns, const char *cell);
void columns_print(const struct columns *columns, FILE *stream);
void columns_free(struct columns *columns);
