/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses and logins as the configuration compares them. */
#pragma once

/* The local part in lower case (ASCII), the domain, where there is one, as domain_copy() has it.
 * NULL: the domain is none.  The caller frees it. */
char *names_address(const char *address);

/* Where the last '@' of an address is, or NULL. */
const char *names_at(const char *address);
