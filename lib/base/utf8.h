/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8, strictly (RFC 3629). */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The octets that the first character of bytes takes, 1 to 4, with its code point; 0 when they are
 * no UTF-8: an overlong form, a surrogate, over U+10FFFF, cut short, or length is 0. */
size_t utf8_next(const char *bytes, size_t length, uint32_t *code_r);
