/* SPDX-License-Identifier: BSD-2-Clause */
/* Domain names and addresses as the configuration compares them. */
#pragma once

#include <stdbool.h>

#define NAMES_DOMAIN_MAX 254 /* RFC 1035 §2.3.4, without the trailing dot, with NUL */

/* Lower case, A-labels (RFC 5890), no trailing dot.  NULL: not a domain name.  The caller frees it.
 */
char *names_domain(const char *domain);

/* The same for an address or login: the local part in lower case (ASCII), the domain as above where
 * there is one.  NULL: the domain is none.  The caller frees it. */
char *names_address(const char *address);

/* Where the last '@' of an address is, or NULL. */
const char *names_at(const char *address);
