/* SPDX-License-Identifier: BSD-2-Clause */
/* Domain names as DNS has them (RFC 1035 section 3.1): from text, from packets, to text.
 * Thread-safe. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX 255 /* octets on the wire, with the root's zero */
#define DNS_NAME_TEXT_ROOM 1024 /* every octet escaped, the dots, NUL */

/* Labels with their lengths, the last one empty; letters in lower case, so that memcmp(3) compares.
 */
struct dns_name {
    uint8_t octets[DNS_NAME_MAX];
    size_t length;
};

/* A host name with or without the dot at its end; "." is the root.  false: an empty or too long
 * label or name, or an octet that no one asks for (control, backslash, not ASCII).  Macros in SPF
 * records make names with spaces. */
bool dns_name_parse(const char *text, struct dns_name *name_r);

/* Reads the name at *at and moves *at behind it.  Compression pointers may only point to what was
 * before (section 4.1.4).  false: no name there. */
bool dns_name_read(const uint8_t *packet, size_t length, size_t *at, struct dns_name *name_r);

/* Presentation format without the dot at the end, "" for the root; what is not printable is
 * escaped. */
size_t dns_name_format(const struct dns_name *name, char text_r[DNS_NAME_TEXT_ROOM]);

bool dns_name_equal(const struct dns_name *a, const struct dns_name *b);
