/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The directory of a zip archive (PKWARE's APPNOTE 6.3, zip64 too), from the end of the archive.
 *
 * Every offset is judged before it is used; nothing is allocated.  Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ZIP_ENTRIES_MAX 20000 /* entries that are read */

/* What is kept of an archive: its last length octets of total. */
struct zip_tail {
    const unsigned char *bytes;
    size_t length;
    uint64_t total;
};

struct zip_entry {
    const char *name; /* not terminated: any octets, '/' between folders */
    size_t name_length;
    const char *unicode_name; /* the name that programs show in its place, or NULL */
    size_t unicode_name_length;
    bool encrypted;
    unsigned method; /* 0: stored, 8: deflated */
    uint64_t packed, unpacked; /* octets as stored, and as the directory says they become */
    uint64_t offset; /* of its local header, from the beginning of the archive */
};

enum zip_status {
    ZIP_READ, /* all of its directory */
    ZIP_CUT, /* the beginning of its directory is not kept, or it has too many entries */
    ZIP_HIDDEN, /* its directory is encrypted */
    ZIP_NONE, /* there is no directory */
};

typedef void zip_visit(void *context, const struct zip_entry *entry);

/* Calls visit for each entry. */
enum zip_status zip_list(const struct zip_tail *tail, zip_visit *visit, void *context);

/* The octets of an entry as they are stored, where the archive is kept whole; NULL: they are not
 * where the directory says. */
const unsigned char *zip_data(const struct zip_tail *tail, const struct zip_entry *entry,
                              size_t *length_r);
