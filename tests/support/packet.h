/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS packets for tests, right or deliberately wrong. */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PACKET_ROOM 65536

struct packet {
    uint8_t bytes[PACKET_ROOM];
    size_t length;
};

enum packet_section { PACKET_ANSWER = 6, PACKET_AUTHORITY = 8, PACKET_ADDITIONAL = 10 };

/* A response to one question; the sections are empty. */
void packet_start(struct packet *packet, const char *name, unsigned type, unsigned rcode);

/* The same from a query that came in; asked_r gets the name asked for. */
void packet_reply(struct packet *packet, const uint8_t *query, size_t length, unsigned rcode,
                  char asked_r[256], unsigned *type_r);

/* Adds a record and counts it in its section.  owner NULL: a pointer to the question's name. */
void packet_add(struct packet *packet, enum packet_section section, const char *owner,
                unsigned type, uint32_t ttl, const void *data, size_t length);
void packet_add_name(struct packet *packet, enum packet_section section, const char *owner,
                     unsigned type, uint32_t ttl, const char *target);
void packet_add_soa(struct packet *packet, uint32_t ttl, uint32_t minimum);

/* Appends to what is there, counting nothing. */
void packet_octets(struct packet *packet, const void *octets, size_t length);
void packet_number(struct packet *packet, size_t octets, uint32_t number);
size_t packet_name(const char *name, uint8_t wire_r[256]);
