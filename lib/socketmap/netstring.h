/* SPDX-License-Identifier: BSD-2-Clause */
/* Netstrings: "5:hello,". */
#pragma once

#include <stddef.h>

#define NETSTRING_MAX 65536 /* octets of a string that is read */

enum netstring_status {
    NETSTRING_WHOLE,
    NETSTRING_MORE, /* not all of it is there yet */
    NETSTRING_BAD, /* it is none, or is too long */
};

/* Looks at what came so far.  WHOLE: where the string is within bytes, and how many octets it took
 * in all. */
enum netstring_status netstring_read(const char *bytes, size_t length, const char **string_r,
                                     size_t *string_length_r, size_t *taken_r);
