/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers and names as octets. */
#include "lib/store/packed.h"

#include <string.h>

void packed_number(struct text *text, size_t size, int64_t value)
{
    char bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)((uint64_t)value >> (8 * i));
    text_add(text, bytes, size);
}

void packed_name(struct text *text, const char *name)
{
    text_add(text, name, strlen(name) + 1);
}

void packed_bytes(struct text *text, const void *bytes, size_t length)
{
    packed_number(text, 4, (int64_t)length);
    text_add(text, bytes, length);
}

int64_t packed_read_number(struct packed_reader *reader, size_t size)
{
    const char *bytes = packed_read_bytes(reader, size);
    uint64_t value = 0;

    for (size_t i = size; bytes != NULL && i > 0; i--)
        value = value << 8 | (uint8_t)bytes[i - 1];
    return (int64_t)value;
}

const char *packed_read_name(struct packed_reader *reader)
{
    const char *name = reader->at;
    const char *end = reader->bad ? NULL : memchr(name, '\0', (size_t)(reader->end - name));

    if (end == NULL) {
        reader->bad = true;
        return "";
    }
    reader->at = end + 1;
    return name;
}

const char *packed_read_bytes(struct packed_reader *reader, size_t length)
{
    const char *bytes = reader->at;

    if (reader->bad || (size_t)(reader->end - reader->at) < length) {
        reader->bad = true;
        return NULL;
    }
    reader->at += length;
    return bytes;
}
