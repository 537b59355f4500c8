/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/archive.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/content/risk.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

#define METHOD_STORED 0
#define METHOD_DEFLATED 8

/* What a directory promises that is no file any more, but meant to fill a disk. */
#define BOMB_OCTETS (1024 * 1024 * 1024)
#define BOMB_TIMES 200

/* One archive on the way down. */
struct step {
    struct archive_search *search;
    const struct zip_tail *tail;
    const char *path; /* with a '/' at its end, or "" */
    unsigned depth;
    uint64_t unpacked; /* octets of the entries so far */
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

/* --- unpacking ------------------------------------------------------------------------ */

enum unpacked { UNPACKED_ALL, UNPACKED_PART, UNPACKED_BROKEN };

/* Fills as much of the room as there is to unpack. */
static enum unpacked inflate_into(const unsigned char *packed, size_t length, unsigned char *room,
                                  size_t size, size_t *used_r)
{
    z_stream stream = {0};
    int result;

    *used_r = 0;
    if (length > UINT_MAX || inflateInit2(&stream, -MAX_WBITS) != Z_OK)
        return UNPACKED_BROKEN;
    stream.next_in = (unsigned char *)(uintptr_t)packed;
    stream.avail_in = (unsigned)length;
    stream.next_out = room;
    stream.avail_out = (unsigned)size;
    result = inflate(&stream, Z_FINISH);
    *used_r = size - stream.avail_out;
    (void)inflateEnd(&stream);
    if (result == Z_STREAM_END)
        return UNPACKED_ALL;
    return stream.avail_out == 0 ? UNPACKED_PART : UNPACKED_BROKEN;
}

/* --- archives within archives --------------------------------------------------------- */

static void search_deflated(const struct step *step, const unsigned char *data, size_t length,
                            const char *path, const char *below)
{
    struct archive_search *search = step->search;
    size_t room = search->budget, used = 0;
    unsigned char *bytes = room > 0 ? mem_new(1, room) : NULL;
    enum unpacked status =
        bytes != NULL ? inflate_into(data, length, bytes, room, &used) : UNPACKED_PART;

    search->budget -= used;
    if (status == UNPACKED_ALL)
        search_tail(search, &(struct zip_tail){bytes, used, used}, below, step->depth + 1);
    else if (status == UNPACKED_PART)
        search->found(search->context, path, "zip", CONTENT_BY_SIZE);
    free(bytes);
}

static void search_inner(const struct step *step, const struct zip_entry *entry, const char *path)
{
    struct archive_search *search = step->search;
    size_t length = 0;
    const unsigned char *data = zip_data(step->tail, entry, &length);
    char *below;

    if (data == NULL)
        return;
    if (step->depth + 1 == ARCHIVE_DEPTH) {
        search->found(search->context, path, "zip", CONTENT_BY_DEPTH);
        return;
    }
    below = mem_print("%s/", path);
    if (entry->method == METHOD_STORED)
        search_tail(search, &(struct zip_tail){data, length, length}, below, step->depth + 1);
    else if (entry->method == METHOD_DEFLATED)
        search_deflated(step, data, length, path, below);
    free(below);
}

/* --- entries -------------------------------------------------------------------------- */

/* The first octets of a file whose name says nothing. */
static void judge_head(const struct step *step, const struct zip_entry *entry, const char *path)
{
    struct archive_search *search = step->search;
    unsigned char head[RISK_MAGIC_OCTETS];
    size_t length = 0, used = 0;
    const unsigned char *data;
    const char *kind;

    if (search->nheads >= ARCHIVE_HEADS_MAX || entry->encrypted)
        return;
    data = zip_data(step->tail, entry, &length);
    if (data == NULL)
        return;
    search->nheads++;
    if (entry->method == METHOD_DEFLATED) {
        (void)inflate_into(data, length, head, sizeof(head), &used);
    } else if (entry->method == METHOD_STORED) {
        used = length < sizeof(head) ? length : sizeof(head);
        memcpy(head, data, used);
    }
    kind = risk_in_archive(head, used);
    if (kind != NULL)
        search->found(search->context, path, kind, CONTENT_BY_MAGIC);
    else if (risk_is_zip(head, used) && step->depth + 1 < ARCHIVE_DEPTH)
        search_inner(step, entry, path);
}

static void look_at(const struct step *step, const struct zip_entry *entry, const char *name,
                    size_t length)
{
    struct archive_search *search = step->search;
    char *path, *kind, *extension;

    if (length == 0 || name[length - 1] == '/')
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
    else if (risk_is_macro(path))
        search->found(search->context, step->path, "macros", CONTENT_BY_MACRO);
    else if (entry->encrypted && is_archive_name(extension))
        search->found(search->context, path, extension, CONTENT_BY_ENCRYPTION);
    else if (extension != NULL && strcmp(extension, "zip") == 0)
        search_inner(step, entry, path);
    else
        judge_head(step, entry, path);
    free(extension);
    free(kind);
    free(path);
}

static void visit(void *context, const struct zip_entry *entry)
{
    struct step *step = context;

    step->unpacked = entry->unpacked < UINT64_MAX - step->unpacked
                         ? step->unpacked + entry->unpacked
                         : UINT64_MAX;
    look_at(step, entry, entry->name, entry->name_length);
    if (entry->unicode_name != NULL &&
        (entry->unicode_name_length != entry->name_length ||
         memcmp(entry->unicode_name, entry->name, entry->name_length) != 0))
        look_at(step, entry, entry->unicode_name, entry->unicode_name_length);
}

static void search_tail(struct archive_search *search, const struct zip_tail *tail,
                        const char *path, unsigned depth)
{
    struct step step = {search, tail, path, depth, 0};

    if (zip_list(tail, visit, &step) == ZIP_HIDDEN)
        search->found(search->context, path, "zip", CONTENT_BY_ENCRYPTION);
    if (step.unpacked > BOMB_OCTETS && step.unpacked / BOMB_TIMES > tail->total)
        search->found(search->context, path, "zip", CONTENT_BY_SIZE);
}

void archive_search(struct archive_search *search, const struct zip_tail *tail)
{
    search_tail(search, tail, "", 0);
}
