/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS packets for tests. */
#include "tests/support/packet.h"

#include <stdlib.h>
#include <string.h>

#define HEADER 12
#define QUESTIONS 4 /* offset of QDCOUNT */
#define FLAGS_RESPONSE 0x8180

void packet_octets(struct packet *packet, const void *octets, size_t length)
{
    if (length > PACKET_ROOM - packet->length)
        abort();
    if (length > 0)
        memcpy(packet->bytes + packet->length, octets, length);
    packet->length += length;
}

void packet_number(struct packet *packet, size_t octets, uint32_t number)
{
    while (octets-- > 0) {
        const uint8_t octet = (uint8_t)(number >> 8 * octets);

        packet_octets(packet, &octet, 1);
    }
}

size_t packet_name(const char *name, uint8_t wire_r[256])
{
    size_t length = 0;

    while (*name != '\0' && strcmp(name, ".") != 0) {
        size_t label = strcspn(name, ".");

        wire_r[length++] = (uint8_t)label;
        memcpy(wire_r + length, name, label);
        length += label;
        name += label + (name[label] == '.');
    }
    wire_r[length++] = 0;
    return length;
}

static void count_one(struct packet *packet, size_t offset)
{
    unsigned count = (unsigned)packet->bytes[offset] << 8 | packet->bytes[offset + 1];

    count++;
    packet->bytes[offset] = (uint8_t)(count >> 8);
    packet->bytes[offset + 1] = (uint8_t)count;
}

void packet_start(struct packet *packet, const char *name, unsigned type, unsigned rcode)
{
    uint8_t wire[256];

    packet->length = 0;
    packet_number(packet, 2, 0);
    packet_number(packet, 2, FLAGS_RESPONSE | rcode);
    for (int i = 0; i < 4; i++)
        packet_number(packet, 2, 0);
    count_one(packet, QUESTIONS);
    packet_octets(packet, wire, packet_name(name, wire));
    packet_number(packet, 2, type);
    packet_number(packet, 2, 1);
}

void packet_reply(struct packet *packet, const uint8_t *query, size_t length, unsigned rcode,
                  char asked_r[256], unsigned *type_r)
{
    size_t at = HEADER;
    size_t asked = 0;

    while (at < length && query[at] != 0) {
        memcpy(asked_r + asked, query + at + 1, query[at]);
        asked += query[at];
        asked_r[asked++] = '.';
        at += 1 + (size_t)query[at];
    }
    if (asked > 0)
        asked--;
    asked_r[asked] = '\0';
    *type_r = (unsigned)query[at + 1] << 8 | query[at + 2];
    packet_start(packet, asked_r, *type_r, rcode);
    memcpy(packet->bytes, query, 2);
}

void packet_add(struct packet *packet, enum packet_section section, const char *owner,
                unsigned type, uint32_t ttl, const void *data, size_t length)
{
    uint8_t wire[256];

    if (owner != NULL)
        packet_octets(packet, wire, packet_name(owner, wire));
    else
        packet_number(packet, 2, 0xc000 | HEADER);
    packet_number(packet, 2, type);
    packet_number(packet, 2, 1);
    packet_number(packet, 4, ttl);
    packet_number(packet, 2, (uint32_t)length);
    packet_octets(packet, data, length);
    count_one(packet, section);
}

void packet_add_name(struct packet *packet, enum packet_section section, const char *owner,
                     unsigned type, uint32_t ttl, const char *target)
{
    uint8_t wire[256];

    packet_add(packet, section, owner, type, ttl, wire, packet_name(target, wire));
}

void packet_add_soa(struct packet *packet, uint32_t ttl, uint32_t minimum)
{
    struct packet data;
    uint8_t wire[256];

    data.length = 0;
    packet_octets(&data, wire, packet_name("ns.invalid", wire));
    packet_octets(&data, wire, packet_name("hostmaster.invalid", wire));
    for (int i = 0; i < 4; i++)
        packet_number(&data, 4, 1);
    packet_number(&data, 4, minimum);
    packet_add(packet, PACKET_AUTHORITY, "test", 6, ttl, data.bytes, data.length);
}
