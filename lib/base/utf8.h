/* SPDX-License-Identifier: BSD-2-Clause */
/* What is UTF-8 (RFC 3629) and what only looks like it.  Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The octets that the first character of bytes takes, 1 to 4, with its code point; 0 when they are
 * no UTF-8: an overlong form, a surrogate, over U+10FFFF, cut short, or length is 0. */
size_t utf8_next(const char *bytes, size_t length, uint32_t *code_r);

/* One of ASCII's control characters (DEL too) or of U+0080 to U+009F. */
bool utf8_is_control(uint32_t code);

/* All of it is UTF-8 without control characters. */
bool utf8_is_text(const char *bytes, size_t length);
