/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of strings that it owns. */
#include "lib/base/strings.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define STRINGS_FIRST 4

void strings_add(struct strings *list, const char *string)
{
    if (list->count >= list->room) {
        list->room = list->count > 0 ? 2 * list->count : STRINGS_FIRST;
        list->items = mem_grow(list->items, list->room, sizeof(*list->items));
    }
    list->items[list->count++] = mem_copy(string);
}

bool strings_have(const struct strings *list, const char *string)
{
    for (size_t i = 0; i < list->count; i++)
        if (strcmp(list->items[i], string) == 0)
            return true;
    return false;
}

bool strings_have_case(const struct strings *list, const char *string)
{
    for (size_t i = 0; i < list->count; i++)
        if (text_equal_case(list->items[i], string))
            return true;
    return false;
}

void strings_free(struct strings *list)
{
    for (size_t i = 0; i < list->count; i++)
        free(list->items[i]);
    free(list->items);
    *list = (struct strings){0};
}
