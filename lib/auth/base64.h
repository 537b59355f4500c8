/* SPDX-License-Identifier: BSD-2-Clause */
/* Base64 as tags have it (RFC 4648 section 4). */
#pragma once

#include <stddef.h>

/* The octets that a text without white space stands for; NULL: it is none, or stands for nothing.
 * The caller frees them. */
unsigned char *base64_decode(const char *text, size_t *length_r);
