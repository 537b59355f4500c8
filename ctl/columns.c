/* SPDX-License-Identifier: BSD-2-Clause */
/* A table of words in aligned columns. */
#include "ctl/columns.h"

#include <string.h>

void columns_add(struct columns *columns, const char *cell)
{
    strings_add(&columns->cells, cell != NULL ? cell : "");
}

/* Characters, not octets: an address may be UTF-8. */
static size_t width_of(const char *cell)
{
    size_t width = 0;

    for (; *cell != '\0'; cell++)
        if (((unsigned char)*cell & 0xc0) != 0x80)
            width++;
    return width;
}

static void print_cell(const struct columns *columns, size_t column, size_t width, const char *cell,
                       FILE *stream)
{
    size_t own = width_of(cell);
    int blanks = own < width ? (int)(width - own) : 0;

    if (columns->right[column])
        fprintf(stream, "%*s%s", blanks, "", cell);
    else if (column + 1 < columns->count)
        fprintf(stream, "%s%*s", cell, blanks, "");
    else
        fputs(cell, stream);
    fputs(column + 1 < columns->count ? "  " : "\n", stream);
}

void columns_print(const struct columns *columns, FILE *stream)
{
    size_t widths[COLUMNS_MAX] = {0};

    for (size_t i = 0; i < columns->cells.count; i++) {
        size_t width = width_of(columns->cells.items[i]);

        if (width > widths[i % columns->count])
            widths[i % columns->count] = width;
    }
    for (size_t i = 0; i < columns->cells.count; i++)
        print_cell(columns, i % columns->count, widths[i % columns->count], columns->cells.items[i],
                   stream);
}

void columns_free(struct columns *columns)
{
    strings_free(&columns->cells);
}
