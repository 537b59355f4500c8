/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The MIME fields of a message or part, read with GMime (RFC 2045, 2183, 2231, 2047).
 *
 * Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum mime_encoding {
    MIME_IDENTITY, /* 7bit, 8bit, binary */
    MIME_BASE64,
    MIME_QUOTED,
    MIME_UUENCODE,
    MIME_ENCODING_UNKNOWN,
};

/* Ends with mime_fields_clear().  Strings are never NULL. */
struct mime_fields {
    char *type; /* "text/html", lower case; the default where none is said */
    char *boundary; /* of a multipart; "" when it has none */
    char *charset; /* lower case */
    char *name; /* file name, decoded to UTF-8 */
    char *other_name; /* where Content-Type and Content-Disposition name two files; or NULL */
    enum mime_encoding encoding;
    bool is_attachment; /* Content-Disposition says so */
    const char *problem; /* what is wrong with a field, in words; NULL: nothing */
};

/* The values of the three fields as they came, maybe folded; NULL for one that is not there.
 * fallback is the type without a Content-Type. */
void mime_fields_parse(const char *type, const char *disposition, const char *encoding,
                       const char *fallback, struct mime_fields *fields_r);

/* The same from the header of a part: lines, each with its end, without the empty line. */
void mime_fields_read(const char *header, size_t length, const char *fallback,
                      struct mime_fields *fields_r);
void mime_fields_clear(struct mime_fields *fields);

/* Starts GMime, once per process; what else is here does it by itself. */
void mime_start(void);
