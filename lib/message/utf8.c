/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading UTF-8, strictly. */
#include "lib/message/utf8.h"

size_t utf8_length(const char *bytes, size_t length)
{
    /* What the first octet says of the rest, and which second octets it allows (RFC 3629 section
     * 4). */
    static const struct {
        unsigned char first, last;
        unsigned char second_first, second_last;
        unsigned char length;
    } table[] = {
        {0x00, 0x7f, 0x00, 0x00, 1}, {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
    };
    const unsigned char *octets = (const unsigned char *)bytes;

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]) && length > 0; i++) {
        if (octets[0] < table[i].first || octets[0] > table[i].last)
            continue;
        if (table[i].length == 1)
            return 1;
        if (length < table[i].length || octets[1] < table[i].second_first ||
            octets[1] > table[i].second_last)
            return 0;
        for (size_t k = 2; k < table[i].length; k++)
            if (octets[k] < 0x80 || octets[k] > 0xbf)
                return 0;
        return table[i].length;
    }
    return 0;
}

bool utf8_is_control(const char *bytes)
{
    const unsigned char *octets = (const unsigned char *)bytes;

    return octets[0] < 0x20 || octets[0] == 0x7f || (octets[0] == 0xc2 && octets[1] < 0xa0);
}

bool utf8_is_text(const char *bytes, size_t length)
{
    size_t at = 0;

    while (at < length) {
        size_t octets = utf8_length(bytes + at, length - at);

        if (octets == 0 || utf8_is_control(bytes + at))
            return false;
        at += octets;
    }
    return true;
}
