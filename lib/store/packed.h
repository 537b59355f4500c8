/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and names as octets: little-endian, and with their NUL. */
#pragma once

#include "lib/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Where reading has come to; bad once anything did not fit. */
struct packed_reader {
    const char *at, *end;
    bool bad;
};

void packed_number(struct text *text, size_t size, int64_t value);
void packed_name(struct text *text, const char *name);
void packed_bytes(struct text *text, const void *bytes, size_t length); /* with the length, 4 */

int64_t packed_read_number(struct packed_reader *reader, size_t size); /* 0 when bad */
const char *packed_read_name(struct packed_reader *reader); /* where it stands; "" when bad */
const char *packed_read_bytes(struct packed_reader *reader, size_t length); /* NULL when bad */
