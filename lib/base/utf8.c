/* SPDX-License-Identifier: BSD-2-Clause */
/* UTF-8, strictly. */
#include "lib/base/utf8.h"

#include "lib/base/count.h"

/* By the first octet: how long the character is, its own bits, and the least code point that needs
 * that length. */
static const struct lead {
    uint8_t mask;
    uint8_t mark;
    uint8_t octets;
    uint32_t least;
} leads[] = {
    {0x80, 0x00, 1, 0x0},
    {0xe0, 0xc0, 2, 0x80},
    {0xf0, 0xe0, 3, 0x800},
    {0xf8, 0xf0, 4, 0x10000},
};

static bool is_scalar(uint32_t code)
{
    return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff);
}

size_t utf8_next(const char *bytes, size_t length, uint32_t *code_r)
{
    const uint8_t *octets = (const uint8_t *)bytes;

    if (length == 0)
        return 0;
    for (size_t i = 0; i < COUNT_OF(leads); i++) {
        const struct lead *lead = &leads[i];
        uint32_t code = octets[0] & (uint8_t)~lead->mask;

        if ((octets[0] & lead->mask) != lead->mark)
            continue;
        if (length < lead->octets)
            return 0;
        for (size_t j = 1; j < lead->octets; j++) {
            if ((octets[j] & 0xc0) != 0x80)
                return 0;
            code = code << 6 | (octets[j] & 0x3f);
        }
        if (code < lead->least || !is_scalar(code))
            return 0;
        *code_r = code;
        return lead->octets;
    }
    return 0;
}

bool utf8_is_control(uint32_t code)
{
    return code < 0x20 || (code >= 0x7f && code < 0xa0);
}

bool utf8_is_text(const char *bytes, size_t length)
{
    for (size_t at = 0; at < length;) {
        uint32_t code;
        size_t octets = utf8_next(bytes + at, length - at, &code);

        if (octets == 0 || utf8_is_control(code))
            return false;
        at += octets;
    }
    return true;
}
