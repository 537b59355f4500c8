/* SPDX-License-Identifier: BSD-2-Clause */
/* Packets of the milter protocol: a length, a command, and what goes with it. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct buffer {
    char *bytes;
    size_t length, room;
};

/* Room for so many octets more; and octets, a string with its NUL, a number at the end. */
void buffer_room(struct buffer *buffer, size_t length);
void buffer_add(struct buffer *buffer, const void *bytes, size_t length);
void buffer_string(struct buffer *buffer, const char *string);
void buffer_number(struct buffer *buffer, uint32_t number);

/* Begins a packet; returns where, for packet_close() once its contents are there. */
size_t packet_open(struct buffer *buffer, char command);
void packet_close(struct buffer *buffer, size_t begin);
void packet_bare(struct buffer *buffer, char command); /* one without contents */

uint32_t packet_number(const char *bytes); /* 4 octets */
