/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Domain names in the one form that lookups, comparisons and log lines use: lower case, A-labels
 * (RFC 5890, UTS #46 non-transitional), no trailing dot.
 *
 * Thread-safe.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Octets of a name as text: the 255 of RFC 1035 section 3.1 without the first length and the root.
 */
#define DOMAIN_MAX 253
#define DOMAIN_LABEL_MAX 63
#define DOMAIN_ROOM (DOMAIN_MAX + 1)
#define DOMAIN_INPUT_MAX 1024 /* octets that are read: U-labels are longer than A-labels */

enum domain_problem {
    DOMAIN_FINE,
    DOMAIN_BAD, /* an empty label (also behind a dot at the end), one over 63, a bad character */
    DOMAIN_BAD_IDN, /* a U-label that IDNA does not allow */
    DOMAIN_BAD_ENCODING, /* not UTF-8 */
    DOMAIN_TOO_LONG,
};

/* Brings the name in length octets into that form.  domain_r is set on DOMAIN_FINE only. */
enum domain_problem domain_normal(const char *bytes, size_t length, char domain_r[DOMAIN_ROOM]);

/* The same for a string, in which the root's dot at the end is dropped.  NULL: it is no name.  The
 * caller frees it. */
char *domain_copy(const char *domain);

/* Letters, digits, hyphens (not at an end), and the underscore that real hosts have: 1 to 63. */
bool domain_is_label(const char *label, size_t length);
