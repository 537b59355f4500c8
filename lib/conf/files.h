/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading files whole.  Blocks; problem_r gets a sentence that names the file (the caller frees
 * it). */
#pragma once

#include "lib/base/strings.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>

#define SECRET_MAX 4096 /* octets of a password or key file */

/* Adds the contents of a regular file of at most max octets to text_r; status_r may be NULL. */
bool file_read(const char *path, size_t max, struct text *text_r, struct stat *status_r,
               char **problem_r);

/* The one line of a file that others can neither read nor write.  The caller frees it. */
bool file_read_secret(const char *path, char **secret_r, char **problem_r);

/* The files that a path stands for: itself, or where it is a pattern (glob(7)) that is no file's
 * name, all that match it, by name; none may.  The caller frees them. */
struct strings files_named(const char *path);
