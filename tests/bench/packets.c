/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/packets.h"

#include "tests/bench/bench.h"

#include <stdlib.h>
#include <string.h>

void buffer_room(struct buffer *buffer, size_t length)
{
    if (buffer->room - buffer->length >= length)
        return;
    buffer->room = 2 * (buffer->length + length);
    buffer->bytes = realloc(buffer->bytes, buffer->room);
    if (buffer->bytes == NULL)
        bench_die("memory");
}

void buffer_add(struct buffer *buffer, const void *bytes, size_t length)
{
    buffer_room(buffer, length);
    memcpy(buffer->bytes + buffer->length, bytes, length);
    buffer->length += length;
}

void buffer_string(struct buffer *buffer, const char *string)
{
    buffer_add(buffer, string, strlen(string) + 1);
}

static void set_number(char *bytes, uint32_t number)
{
    for (int i = 3; i >= 0; i--, number >>= 8)
        bytes[i] = (char)(number & 0xff);
}

uint32_t packet_number(const char *bytes)
{
    uint32_t number = 0;

    for (int i = 0; i < 4; i++)
        number = number << 8 | (unsigned char)bytes[i];
    return number;
}

void buffer_number(struct buffer *buffer, uint32_t number)
{
    char bytes[4];

    set_number(bytes, number);
    buffer_add(buffer, bytes, sizeof(bytes));
}

size_t packet_open(struct buffer *buffer, char command)
{
    buffer_number(buffer, 0);
    buffer_add(buffer, &command, 1);
    return buffer->length - 5;
}

void packet_close(struct buffer *buffer, size_t begin)
{
    set_number(buffer->bytes + begin, (uint32_t)(buffer->length - begin - 4));
}

void packet_bare(struct buffer *buffer, char command)
{
    packet_close(buffer, packet_open(buffer, command));
}
