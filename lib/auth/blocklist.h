/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS blocklists of addresses and domains (RFC 5782).
 *
 * Before a list is believed its test points are: 127.0.0.2 or ::FFFF:7F00:2 (TEST for domains) has
 * to be listed, and neither 127.0.0.1 nor ::FFFF:7F00:1 (INVALID).  An answer in 127.255.255.0/24
 * refuses the question and lists nothing, and one outside 127.0.0.0/8 comes from somebody else.
 */
#pragma once

#include "lib/auth/lookup.h"
#include "lib/base/ip.h"
#include "lib/conf/conf.h"

#include <stdbool.h>

enum listing_state {
    LISTING_UNKNOWN, /* not asked, or no answer */
    LISTING_NO,
    LISTING_YES,
    LISTING_REFUSED, /* the list does not answer us: problem says why */
};

#define BLOCKLIST_TEXT_MAX 200 /* octets of a list's text that are quoted */

/* Starts zeroed, ends with listing_clear(). */
struct listing {
    enum listing_state state;
    char *code; /* "127.0.0.2"; of several, the first one that counts */
    char *text; /* the list's own, printable, or NULL */
    char *problem; /* LISTING_UNKNOWN, LISTING_REFUSED */
};

/* What a list is asked for an address ("9.100.51.198", IPv6 in nibbles); the caller frees it. */
char *blocklist_address_key(const struct ip_address *address);

/* Asks the list for a key: that of an address, or a domain.  false: pending, nothing is set. */
bool blocklist_look(const struct lookup *lookup, const struct conf_blocklist *list, const char *key,
                    struct listing *listing_r);

/* Asks for the test points; ipv6: of a list of addresses also for those of IPv6.  problem_r gets
 * NULL when the list can be believed, else what is wrong with it (the caller frees it).  false:
 * pending, nothing is set. */
bool blocklist_test(const struct lookup *lookup, const struct conf_blocklist *list, bool ipv6,
                    char **problem_r);

void listing_clear(struct listing *listing);
