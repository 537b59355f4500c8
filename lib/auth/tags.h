/* SPDX-License-Identifier: BSD-2-Clause */
/* Tag lists, "v=1; d=example.com; b=..." (RFC 6376 §3.2). */
#pragma once

#include <stdbool.h>

/* Whether the list has the tag with a value that is not empty; with this value, but for case and
 * folding white space.  Of a tag that is there twice, which makes the list invalid, the first
 * counts. */
bool tags_have(const char *list, const char *tag);
bool tags_equal(const char *list, const char *tag, const char *value);
