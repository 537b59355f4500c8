/* SPDX-License-Identifier: BSD-2-Clause */
/* The ends of archives of strangers: the first octet says how many are missing before them. */
#include "lib/content/archive.h"
#include "tests/fuzz/fuzz.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define SIZE_MOST 65536

static void on_found(void *context, const char *path, const char *kind, enum content_by by)
{
    size_t *octets = context;

    (void)by;
    must(strlen(path) <= ARCHIVE_DEPTH * (size_t)(ARCHIVE_NAME_MAX + 1) && kind[0] != '\0');
    *octets += strlen(path);
}

static void on_entry(void *context, const struct zip_entry *entry)
{
    const struct zip_tail *tail = context;
    const unsigned char *name = (const unsigned char *)entry->name;
    const unsigned char *data;
    size_t length = 0;

    must(name >= tail->bytes && name + entry->name_length <= tail->bytes + tail->length);
    data = zip_data(tail, entry, &length);
    must(data == NULL || (data >= tail->bytes && data + length <= tail->bytes + tail->length));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char *items[] = {(char *)(uintptr_t) "exe", (char *)(uintptr_t) "js"};
    static const struct strings types = {.items = items, .count = 2};
    size_t octets = 0;
    struct archive_search search = {
        .types = &types, .budget = ARCHIVE_BUDGET, .found = on_found, .context = &octets};
    struct zip_tail tail;

    if (size == 0 || size > SIZE_MOST)
        return 0;
    tail = (struct zip_tail){data + 1, size - 1, size - 1 + data[0]};
    archive_search(&search, &tail);
    must(search.budget <= ARCHIVE_BUDGET);
    (void)zip_list(&tail, on_entry, &tail);
    return 0;
}
