/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a zip archive holds that mail servers refuse, archives within it too.
 *
 * Bounds: ARCHIVE_DEPTH archives in each other, ARCHIVE_BUDGET octets unpacked for one message.
 */
#pragma once

#include "lib/base/strings.h"
#include "lib/content/zip.h"
#include "lib/message/content_fact.h"

#include <stddef.h>

#define ARCHIVE_DEPTH 4
#define ARCHIVE_BUDGET (4 * 1024 * 1024)
#define ARCHIVE_NAME_MAX 512 /* octets of a file's path that are kept, in each archive */

struct archive_search {
    const struct strings *types; /* extensions that are refused */
    size_t budget; /* octets that may still be unpacked; starts as ARCHIVE_BUDGET */
    /* For each dangerous file: its path ("inner.zip/setup.exe") and its kind; by encryption or
     * depth: an archive that is not looked into. */
    void (*found)(void *context, const char *path, const char *kind, enum content_by by);
    void *context;
};

/* Looks through the archive. */
void archive_search(struct archive_search *search, const struct zip_tail *tail);
