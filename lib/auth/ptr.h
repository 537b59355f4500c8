/* SPDX-License-Identifier: BSD-2-Clause */
/* The reverse name of an address, and whether it leads back (FCrDNS, RFC 1912 section 2.1). */
#pragma once

#include "lib/auth/lookup.h"
#include "lib/base/ip.h"

#include <stdbool.h>

enum ptr_state {
    PTR_UNKNOWN, /* the resolver failed; or not asked yet */
    PTR_FINE,
    PTR_MISSING, /* no PTR record */
    PTR_NOT_BACK, /* no name in it has the address */
};

#define PTR_NAMES_MAX 10 /* looked at, as in RFC 7208 section 4.6.4 */

/* Starts zeroed, ends with ptr_clear(). */
struct ptr {
    enum ptr_state state;
    char *name; /* PTR_FINE: the one that leads back, PTR_NOT_BACK: the first */
    char *leads_to; /* PTR_NOT_BACK: the first address of name, or NULL: none */
    char *reverse; /* "9.100.51.198.in-addr.arpa" */
};

/* false: pending, and nothing is set. */
bool ptr_look(const struct lookup *lookup, const struct ip_address *address, struct ptr *ptr_r);
void ptr_clear(struct ptr *ptr);
