/* SPDX-License-Identifier: BSD-2-Clause */
/* The hosts of links, as a browser would find them. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define HOST_ROOM 256 /* DOMAIN_MAX and more */

/* The host of an http or https address: lower case, A-labels, without user, port and a dot at the
 * end; an address in whatever form (2130706433, 0x7f.1) as a plain one.  false: it is none. */
bool host_of_url(const char *url, size_t length, char host_r[HOST_ROOM], bool *is_address_r);

/* The host that the user part of an address pretends to be: https://www.bank.com@evil.example.org.
 * false: it has none that is a name of a domain that there can be. */
bool host_pretended(const char *url, size_t length, char host_r[HOST_ROOM]);

/* The host that a link's text shows: an address with http or www in front, or a bare name of a
 * domain that there can be.  false: it shows none. */
bool host_shown(const char *text, size_t length, char host_r[HOST_ROOM]);

/* The organizational domain of a host (libpsl), the host itself where it has none; borrowed from
 * host. */
const char *host_domain(const char *host);

/* Of one organizational domain. */
bool host_is_related(const char *a, const char *b);
