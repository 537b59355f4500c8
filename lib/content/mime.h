/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The parts of a message, found while its body passes (RFC 2046 section 5).
 *
 * GMime's own parser wants the whole message; a milter sees it once, in pieces, and may not keep
 * it.  This one keeps the boundaries that are open and one part's header, whatever the size.  Its
 * fields are read by GMime (field.h).  It belongs to one thread at a time.
 */
#pragma once

#include "lib/content/field.h"

#include <stdbool.h>
#include <stddef.h>

#define MIME_BOUNDARY_MAX 250 /* octets; RFC 2046 allows 70 */
#define MIME_HEADER_MAX 65536 /* octets of a part's header that are read */
#define MIME_NESTING_MOST 100 /* levels that can be asked for */
#define MIME_NUMBER_ROOM (MIME_NESTING_MOST * 8)

struct mime_limits {
    size_t nesting; /* multiparts and messages in each other; at most MIME_NESTING_MOST */
    size_t parts; /* of the whole message */
};

/* What is told of parts that hold no others, in the order of the message. */
struct mime_events {
    /* number is as in IMAP, "2.1"; both are borrowed. */
    void (*begin)(void *context, const struct mime_fields *fields, const char *number);
    void (*octets)(void *context, const char *bytes, size_t length); /* as transferred */
    /* delimited: the last line's end belongs to the delimiter behind it. */
    void (*end)(void *context, bool delimited);
};

/* What is wrong with the structure; the first one of a message is kept. */
struct mime_flaw {
    char *problem; /* in words; NULL: nothing is wrong */
    char *number; /* of the part, "" for the message itself */
    char *remedy; /* what to do about it */
};

struct mime;

/* A message with these fields of its own; events is borrowed. */
struct mime *mime_new(const struct mime_limits *limits, const struct mime_events *events,
                      void *context, const struct mime_fields *fields);

/* The body, in pieces of any size, with CRLF or LF. */
void mime_body(struct mime *mime, const char *bytes, size_t length);

/* There is no more. */
void mime_end(struct mime *mime);

/* Notes a flaw of the part that is at hand, where there is none yet; takes the strings. */
void mime_complain(struct mime *mime, char *problem, char *remedy);

/* Borrowed. */
const struct mime_flaw *mime_flaw(const struct mime *mime);

void mime_free(struct mime **mime);
