/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Makes configuration text safe and whole for libConfuse.
 *
 * libConfuse has one lexer per process, counts lines wrongly after some comments, puts environment
 * variables into strings and stops at the first name that it does not know.  So the text is read
 * here first: comments are dropped, includes are put in their place, unknown statements are
 * reported and left out, and each token goes on a line of its own, with the place it came from
 * beside it.
 */
#pragma once

#include "lib/base/strings.h"
#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/conf/problems.h"

#define SCAN_FILE_MAX ((size_t)64 * 1024 * 1024) /* octets of one file */
#define SCAN_INCLUDE_DEPTH 10

/* The text for libConfuse. */
struct source {
    struct text text;
    struct conf_place *lines; /* where each line of text came from */
    size_t nlines;
    size_t lines_room;
    struct strings files; /* the names of included files, which places point to */
    bool broken; /* the text has no sense from some point on, and a problem says so */
    bool lost; /* the last token is not one that can stand there, and a problem says so */
};

/* Adds a text to the source.  start is the place of its first line, or of all of it where
 * count_lines is false; an include in it is relative to start.file, which is borrowed as long as
 * the places are used. */
void scan_text(struct source *source, struct problems *problems, struct conf_place start,
               bool count_lines, const char *text, size_t length);

/* Adds a file.  false: it cannot be read; a problem says why. */
bool scan_file(struct source *source, struct problems *problems, const char *path);

void source_clear(struct source *source);
