/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/tags.h"

#include "lib/base/ascii.h"

#include <stddef.h>
#include <string.h>

#define WHITE_SPACE " \t\r\n"

/* Where the tag's value begins, or NULL. */
static const char *find_tag(const char *list, const char *tag)
{
    size_t length = strlen(tag);

    while (*list != '\0') {
        list += strspn(list, WHITE_SPACE);
        if (strncmp(list, tag, length) == 0) {
            const char *after = list + length;

            after += strspn(after, WHITE_SPACE);
            if (*after == '=')
                return after + 1 + strspn(after + 1, WHITE_SPACE);
        }
        list += strcspn(list, ";");
        list += *list == ';';
    }
    return NULL;
}

bool tags_have(const char *list, const char *tag)
{
    const char *value = find_tag(list, tag);

    return value != NULL && *value != '\0' && *value != ';';
}

bool tags_equal(const char *list, const char *tag, const char *value)
{
    const char *found = find_tag(list, tag);

    if (found == NULL)
        return false;
    for (;; found++) {
        found += strspn(found, WHITE_SPACE);
        if (*value == '\0')
            return *found == '\0' || *found == ';';
        if (ascii_lower(*found) != ascii_lower(*value++))
            return false;
    }
}
