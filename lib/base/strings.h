/* SPDX-License-Identifier: BSD-2-Clause */
/* A list of strings that it owns.  Starts zeroed, ends with strings_free(). */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct strings {
    char **items;
    size_t count;
    size_t room; /* private */
};

void strings_add(struct strings *list, const char *string); /* copies */
bool strings_have(const struct strings *list, const char *string); /* exact */
bool strings_have_case(const struct strings *list, const char *string); /* ASCII case-insensitive */
void strings_free(struct strings *list);
