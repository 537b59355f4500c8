/* SPDX-License-Identifier: BSD-2-Clause */
/* The slot of a subject. */
#include "lib/store/slot.h"

#define POLYNOMIAL 0x1021u

uint16_t slot_of(const char *tag, size_t length)
{
    unsigned crc = 0;

    for (size_t i = 0; i < length; i++) {
        crc ^= (unsigned)(uint8_t)tag[i] << 8;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 0x8000u) != 0 ? crc << 1 ^ POLYNOMIAL : crc << 1;
    }
    return (uint16_t)(crc % SLOT_COUNT);
}
