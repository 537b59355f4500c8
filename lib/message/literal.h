/* SPDX-License-Identifier: BSD-2-Clause */
/* Address literals (RFC 5321 section 4.1.3) in the one form that comparisons and log lines use.
 * Thread-safe. */
#pragma once

#include "lib/message/address.h"

#include <stddef.h>

/* A literal is bounded by the envelope's 255 (RFC 5321 section 4.5.3.1.2); with NUL. */
#define LITERAL_ROOM 256

/* Brings a literal of length octets, its brackets included, into that form: a canonical address, or
 * another tag in lower case with its content.  literal_r is set on ADDRESS_FINE only; the other
 * outcomes are ADDRESS_BAD_LITERAL and ADDRESS_TOO_LONG. */
enum address_problem literal_normal(const char *bytes, size_t length, char literal_r[LITERAL_ROOM]);
