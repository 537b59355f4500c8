/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains and address literals in the one form that lookups, comparisons and log lines use.
 * Thread-safe. */
#pragma once

#include "lib/message/address.h"

#include <stdbool.h>
#include <stddef.h>

/* Octets of a name as text: the 255 of RFC 1035 section 3.1 without the first length and the root.
 */
#define DOMAIN_MAX 253
#define DOMAIN_LABEL_MAX 63
/* A literal is bounded by the envelope's 255 (RFC 5321 section 4.5.3.1.2); with NUL. */
#define DOMAIN_ROOM 256

/* Brings a domain or an address literal of length octets into lookup form: lower case, A-labels, a
 * canonical address between brackets.  The outputs are set on ADDRESS_FINE only. */
enum address_problem domain_normal(const char *bytes, size_t length, char domain_r[DOMAIN_ROOM],
                                   bool *is_literal_r);
