/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a zip archive holds that mail servers refuse, archives within it too.
 *
 * Bounds: ARCHIVE_DEPTH archives in each other, ARCHIVE_BUDGET octets unpacked for one attachment,
 * and the first octets of ARCHIVE_HEADS_MAX files.
 */
#pragma once

#include "lib/base/strings.h"
#include "lib/content/zip.h"
#include "lib/message/content_fact.h"

#include <stddef.h>

#define ARCHIVE_DEPTH 4
#define ARCHIVE_BUDGET (4 * 1024 * 1024)
#define ARCHIVE_NAME_MAX 512 /* octets of a file's path that are kept, in each archive */
#define ARCHIVE_HEADS_MAX 100 /* files of one message whose first octets are looked at */

struct archive_search {
    const struct strings *types; /* extensions that are refused */
    size_t budget; /* octets that may still be unpacked; starts as ARCHIVE_BUDGET */
    unsigned nheads; /* files whose first octets were looked at */
    /* For each dangerous file: its path ("inner.zip/setup.exe") and its kind; by encryption, depth
     * or size: an archive that is not looked into; by macro: the document.  The path of the
     * searched archive itself is "", that of one within it may end with a '/'. */
    void (*found)(void *context, const char *path, const char *kind, enum content_by by);
    void *context;
};

/* Looks through the archive. */
void archive_search(struct archive_search *search, const struct zip_tail *tail);
