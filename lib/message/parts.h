/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parsers of envelope and header addresses share.  For lib/message alone. */
#pragma once

#include "lib/message/address.h"
#include "lib/message/literal.h"

#include <stdbool.h>
#include <stddef.h>

/* An address in pieces: the local part unquoted, the domain in lookup form. */
struct parts {
    char local[ADDRESS_MAX + 1];
    size_t local_length;
    char domain[LITERAL_ROOM]; /* "" when there is none */
    bool is_literal;
};

/* atext of RFC 5322 section 3.2.3, with RFC 6532's non-ASCII octets. */
bool parts_is_atext(char c);

/* Reads a domain or an address literal of length octets into parts.  The parts change on
 * ADDRESS_FINE only. */
enum address_problem parts_read_domain(const char *bytes, size_t length, struct parts *parts);

/* Makes the address in one block of memory. */
void parts_to_address(const struct parts *parts, struct address *address_r);
