/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/socketmap/netstring.h"

#define DIGITS_MAX 6

enum netstring_status netstring_read(const char *bytes, size_t length, const char **string_r,
                                     size_t *string_length_r, size_t *taken_r)
{
    size_t size = 0;
    size_t at = 0;

    while (at < length && bytes[at] >= '0' && bytes[at] <= '9') {
        if (at == DIGITS_MAX || (at == 1 && bytes[0] == '0'))
            return NETSTRING_BAD;
        size = size * 10 + (size_t)(bytes[at++] - '0');
    }
    if (size > NETSTRING_MAX)
        return NETSTRING_BAD;
    if (at == length)
        return NETSTRING_MORE;
    if (at == 0 || bytes[at] != ':')
        return NETSTRING_BAD;
    at++;
    if (length - at <= size)
        return NETSTRING_MORE;
    if (bytes[at + size] != ',')
        return NETSTRING_BAD;
    *string_r = bytes + at;
    *string_length_r = size;
    *taken_r = at + size + 1;
    return NETSTRING_WHOLE;
}
