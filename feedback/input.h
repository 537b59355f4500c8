/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One log file, plain or compressed by gzip, and the files beside it that were it before rotation.
 *
 * A file is known again by its inode, or, when it was copied or compressed, by how it begins.
 */
#pragma once

#include "feedback/source.h"

#include "lib/base/strings.h"

#include <sys/types.h>
#include <zlib.h>

struct input {
    int fd; /* -1: closed */
    gzFile gz; /* a compressed file, which owns the descriptor then */
    struct mark mark; /* up to where it was given out */
};

/* Opens a file at an offset.  false: errno says why, or it cannot be read up to there. */
bool input_open(struct input *input, const char *path, uint64_t offset);
void input_close(struct input *input);
ssize_t input_read(struct input *input, char *to, size_t room); /* 0: its end, for now; -1 */

/* Brings the mark's head up to date with what has been given out. */
void input_mark_head(struct input *input);

/* Whether the file at path is the mark's, and reaches as far. */
bool input_is(const char *path, const struct mark *mark);

/* Whether the open file is still what it was when it was read: neither truncated nor overwritten.
 */
bool input_is_whole(const struct input *input);

/* The files beside path that rotation made of it, oldest first. */
void input_rotated(const char *path, int64_t not_before_sec, struct strings *files_r);
