/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/archive.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/content/risk.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define METHOD_STORED 0
#define METHOD_DEFLATED 8

/* One archive on the way down. */
struct step {
    struct archive_search *search;
    const struct zip_tail *tail;
    const char *path; /* with a '/' at its end, or "" */
    unsigned depth;
};

static void search_tail(struct archive_search *search, const struct zip_tail *tail,
                        const char *path, unsigned depth);

/* Archives whose names within an encrypted one say nothing of what they hold. */
static bool is_archive_name(const char *extension)
{
    static const char *const names[] = {"zip", "rar", "7z", "tar", "gz", "tgz", "bz2", "xz", "arj"};

    for (size_t i = 0; extension != NULL && i < COUNT_OF(names); i++)
        if (strcmp(extension, names[i]) == 0)
            return true;
    return false;
}

/* --- archives within archives --------------------------------------------------------- */

/* Unpacks as much as the budget allows; the caller frees it. */
static unsigned char *inflated(struct archive_search *search, const unsigned char *packed,
                               size_t length, size_t *length_r)
{
    size_t room = search->budget;
    unsigned char *bytes;
    z_stream stream = {0};
    int result;

    if (room == 0 || length > UINT_MAX || inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return NULL;
    bytes = mem_new(1, room);
    stream.next_in = (unsigned char *)(uintptr_t)packed;
    stream.avail_in = (unsigned)length;
    stream.next_out = bytes;
    stream.avail_out = (unsigned)room;
    result = inflate(&stream, Z_FINISH);
    *length_r = room - stream.avail_out;
    search->budget -= *length_r;
    (void)inflateEnd(&stream);
    if (result != Z_STREAM_END) {
        free(bytes);
        return NULL; /* broken, or larger than the budget: its directory is not there */
    }
    return bytes;
}

static void search_inner(const struct step *step, const struct zip_entry *entry, const char *path)
{
    struct archive_search *search = step->search;
    struct zip_tail inner = {0};
    unsigned char *unpacked = NULL;
    size_t length = 0;
    const unsigned char *data = zip_data(step->tail, entry, &length);
    char *below;

    if (data == NULL)
        return;
    if (step->depth + 1 == ARCHIVE_DEPTH) {
        search->found(search->context, path, "zip", CONTENT_BY_DEPTH);
        return;
    }
    if (entry->method == METHOD_STORED) {
        inner = (struct zip_tail){data, length, length};
    } else if (entry->method == METHOD_DEFLATED) {
        unpacked = inflated(search, data, length, &length);
        inner = (struct zip_tail){unpacked, length, length};
    }
    if (inner.bytes != NULL) {
        below = mem_print("%s/", path);
        search_tail(search, &inner, below, step->depth + 1);
        free(below);
    }
    free(unpacked);
}

/* --- entries -------------------------------------------------------------------------- */

static void look_at(const struct step *step, const struct zip_entry *entry, const char *name,
                    size_t length)
{
    struct archive_search *search = step->search;
    char *path, *kind, *extension;

    if (length == 0)
        return;
    /* the end of a long name is what tells its type */
    if (length > ARCHIVE_NAME_MAX) {
        name += length - ARCHIVE_NAME_MAX;
        length = ARCHIVE_NAME_MAX;
    }
    path = mem_print("%s%.*s", step->path, (int)length, name);
    kind = risk_by_name(path, search->types);
    extension = risk_extension(path);
    if (kind != NULL)
        search->found(search->context, path, kind, CONTENT_BY_ARCHIVE);
    else if (entry->encrypted && is_archive_name(extension))
        search->found(search->context, path, extension, CONTENT_BY_ENCRYPTION);
    else if (extension != NULL && strcmp(extension, "zip") == 0)
        search_inner(step, entry, path);
    free(extension);
    free(kind);
    free(path);
}

static void visit(void *context, const struct zip_entry *entry)
{
    const struct step *step = context;

    look_at(step, entry, entry->name, entry->name_length);
    if (entry->unicode_name != NULL &&
        (entry->unicode_name_length != entry->name_length ||
         memcmp(entry->unicode_name, entry->name, entry->name_length) != 0))
        look_at(step, entry, entry->unicode_name, entry->unicode_name_length);
}

static void search_tail(struct archive_search *search, const struct zip_tail *tail,
                        const char *path, unsigned depth)
{
    struct step step = {search, tail, path, depth};

    if (zip_list(tail, visit, &step) == ZIP_HIDDEN)
        search->found(search->context, depth > 0 ? path : "", "zip", CONTENT_BY_ENCRYPTION);
}

void archive_search(struct archive_search *search, const struct zip_tail *tail)
{
    search_tail(search, tail, "", 0);
}
