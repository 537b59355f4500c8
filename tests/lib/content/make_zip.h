/* SPDX-License-Identifier: BSD-2-Clause */
/* Zip archives for tests. */
#pragma once

#include "lib/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct zip_file {
    const char *name; /* NULL ends the list */
    const char *bytes;
    size_t length;
    uint64_t claimed; /* what the directory says that it unpacks to; 0: the length */
    bool deflated, encrypted, masked;
    const char *unicode_name;
};

struct zip_form {
    const char *before; /* stands before the archive, or NULL */
    const char *comment; /* or NULL */
    bool zip64;
};

/* The archive; form NULL: a plain one.  The caller frees the text. */
struct text make_zip(const struct zip_file *files, const struct zip_form *form);
