/* SPDX-License-Identifier: BSD-2-Clause */
/* The slot of a cluster that a subject's keys live in: CRC-16 (XMODEM) of the hash tag. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define SLOT_COUNT 16384

/* tag is what stands between the braces of a key. */
uint16_t slot_of(const char *tag, size_t length);
