/* SPDX-License-Identifier: BSD-2-Clause */
/* Domain names on the wire and as text. */
#include "lib/dns/name.h"

#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/dns/dns.h"

#include <stdio.h>
#include <string.h>

#define LABEL_MAX 63
#define POINTER_BITS 0xc0

static uint8_t lower(uint8_t octet)
{
    return octet >= 'A' && octet <= 'Z' ? (uint8_t)(octet | 0x20) : octet;
}

bool dns_name_parse(const char *text, struct dns_name *name_r)
{
    size_t label = 0; /* where the length of the current one goes */
    size_t at = 1;

    name_r->octets[0] = 0;
    name_r->length = 1;
    if (strcmp(text, ".") == 0)
        return true;
    for (const char *c = text;; c++) {
        if (*c == '.' || *c == '\0') {
            size_t length = at - label - 1;

            if (length == 0)
                return *c == '\0' && label > 0 && c[-1] == '.';
            if (length > LABEL_MAX || at == DNS_NAME_MAX)
                return false;
            name_r->octets[label] = (uint8_t)length;
            label = at;
            name_r->octets[at++] = 0;
            name_r->length = at;
            if (*c == '\0')
                return true;
            continue;
        }
        if (*c < ' ' || *c > '~' || *c == '\\' || at == DNS_NAME_MAX)
            return false;
        name_r->octets[at++] = lower((uint8_t)*c);
    }
}

bool dns_name_read(const uint8_t *packet, size_t length, size_t *at, struct dns_name *name_r)
{
    size_t from = *at;
    size_t limit = *at; /* pointers go below it, so that they come to an end */
    bool jumped = false;

    name_r->length = 0;
    for (;;) {
        size_t label;

        if (from >= length)
            return false;
        label = packet[from];
        if ((label & POINTER_BITS) == POINTER_BITS) {
            if (from + 1 >= length)
                return false;
            if (!jumped)
                *at = from + 2;
            jumped = true;
            from = (label & ~(size_t)POINTER_BITS) << 8 | packet[from + 1];
            if (from >= limit)
                return false;
            limit = from;
            continue;
        }
        if (label > LABEL_MAX || from + 1 + label > length ||
            name_r->length + 1 + label > DNS_NAME_MAX)
            return false;
        for (size_t i = 0; i <= label; i++)
            name_r->octets[name_r->length++] = i > 0 ? lower(packet[from + i]) : packet[from];
        from += 1 + label;
        if (label == 0)
            break;
    }
    if (!jumped)
        *at = from;
    return true;
}

size_t dns_name_format(const struct dns_name *name, char text_r[DNS_NAME_TEXT_ROOM])
{
    size_t length = 0;

    for (size_t at = 0; name->octets[at] != 0; at += 1 + (size_t)name->octets[at]) {
        if (at > 0)
            text_r[length++] = '.';
        for (size_t i = 1; i <= name->octets[at]; i++) {
            uint8_t octet = name->octets[at + i];

            if (octet <= ' ' || octet > '~') {
                length += (size_t)snprintf(text_r + length, DNS_NAME_TEXT_ROOM - length, "\\%03u",
                                           (unsigned)octet);
                continue;
            }
            if (strchr(".\\\"();@$", octet) != NULL)
                text_r[length++] = '\\';
            text_r[length++] = (char)octet;
        }
    }
    text_r[length] = '\0';
    return length;
}

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b)
{
    return a->length == b->length && memcmp(a->octets, b->octets, a->length) == 0;
}

char *dns_reverse_name(const struct ip_address *address)
{
    static const char digits[] = "0123456789abcdef";
    struct text text = TEXT_EMPTY;

    switch (address->family) {
    case 4:
        return mem_print("%u.%u.%u.%u.in-addr.arpa", address->bytes[3], address->bytes[2],
                         address->bytes[1], address->bytes[0]);
    case 6:
        for (size_t i = sizeof(address->bytes); i-- > 0;) {
            const char nibbles[4] = {digits[address->bytes[i] & 15], '.',
                                     digits[address->bytes[i] >> 4], '.'};

            text_add(&text, nibbles, sizeof(nibbles));
        }
        text_add_string(&text, "ip6.arpa");
        return text_take(&text);
    default:
        return mem_copy("");
    }
}

const char *dns_type_name(enum dns_type type)
{
    switch (type) {
    case DNS_A:
        return "A";
    case DNS_PTR:
        return "PTR";
    case DNS_MX:
        return "MX";
    case DNS_TXT:
        return "TXT";
    case DNS_AAAA:
        return "AAAA";
    }
    return "";
}
