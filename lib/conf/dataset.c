/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/conf/dataset.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

static const struct prefix {
    const char *text;
    enum dataset_kind kind;
} prefixes[] = {
    {"file:", DATASET_FILE},
    {"refile:", DATASET_PATTERNS},
    {"csl:", DATASET_LIST},
};

/* Whether a list begins with an item; what OpenDKIM takes for the name of a database does not. */
static bool is_list(const char *value)
{
    const size_t name = strcspn(value, "=,:");

    return name > 0 && value[name] == '=';
}

enum dataset_kind dataset_kind(const char *value, const char **rest_r)
{
    *rest_r = value;
    for (size_t i = 0; i < COUNT_OF(prefixes); i++)
        if (strncasecmp(value, prefixes[i].text, strlen(prefixes[i].text)) == 0) {
            *rest_r = value + strlen(prefixes[i].text);
            return **rest_r != '\0' ? prefixes[i].kind : DATASET_UNKNOWN;
        }
    if (value[0] == '/')
        return DATASET_FILE;
    return is_list(value) ? DATASET_LIST : DATASET_UNKNOWN;
}

/* Where the key of an item begins, or its end where there is none. */
static size_t find_key(const char *item, size_t length)
{
    size_t colons = 0, at = 0;

    while (at < length && colons < 2)
        colons += item[at++] == ':';
    while (at < length && item[at] == ' ')
        at++;
    return at;
}

char *dataset_masked(const char *value)
{
    const char *rest;
    struct text masked = TEXT_EMPTY;

    if (dataset_kind(value, &rest) != DATASET_LIST)
        return mem_copy(value);
    text_add(&masked, value, (size_t)(rest - value));
    while (*rest != '\0') {
        const size_t length = strcspn(rest, ","), key = find_key(rest, length);
        const bool hidden = key < length && strchr("/.", rest[key]) == NULL;

        text_add(&masked, rest, hidden ? key : length);
        if (hidden)
            text_add_string(&masked, "***");
        rest += length;
        if (*rest != '\0')
            text_add_char(&masked, *rest++);
    }
    return text_take(&masked);
}
