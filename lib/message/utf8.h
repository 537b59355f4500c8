/* SPDX-License-Identifier: BSD-2-Clause */
/* What is UTF-8 (RFC 3629) and what only looks like it.  Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Octets of the character at bytes (1 to 4), or 0: not UTF-8.  Overlong forms and surrogates are
 * not. */
size_t utf8_length(const char *bytes, size_t length);

/* Whether the character at bytes, for which utf8_length() was not 0, is a control character: one of
 * ASCII or of U+0080 to U+009F. */
bool utf8_is_control(const char *bytes);

/* All of it is UTF-8 without control characters. */
bool utf8_is_text(const char *bytes, size_t length);
