/* SPDX-License-Identifier: BSD-2-Clause */
/* Files that mail servers refuse: programs and scripts, by name or by their first octets. */
#pragma once

#include "lib/base/strings.h"

#include <stdbool.h>
#include <stddef.h>

#define RISK_MAGIC_OCTETS 512 /* that risk_by_magic() looks at */

/* The extension of a file's name, lower case and without the dot, as Windows would see it: dots and
 * spaces at the end do not count.  NULL: it has none; the caller frees it. */
char *risk_extension(const char *name);

/* The extension that is one of types, or NULL; the caller frees it. */
char *risk_by_name(const char *name, const struct strings *types);

/* The part of an Office document that holds its macros. */
bool risk_is_macro(const char *path);

/* What the first octets say that the file is, "Windows program"; NULL: nothing to fear.  Scripts
 * count where they are attached as they are: an archive of sources has some, and nobody minds. */
const char *risk_in_archive(const unsigned char *bytes, size_t length);
const char *risk_by_magic(const unsigned char *bytes, size_t length);

/* The first octets of a zip archive, an empty one too. */
bool risk_is_zip(const unsigned char *bytes, size_t length);
