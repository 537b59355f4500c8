/* SPDX-License-Identifier: BSD-2-Clause */
/* libspf2, whose DNS are the answers that are known. */
#pragma once

#include "lib/auth/lookup.h"
#include "lib/base/ip.h"

/* Before the first check; it looks for the host's name, and says nothing to anybody from then on.
 * It still may abort. */
void libspf2_open(void);
void libspf2_close(void);

/* What libspf2 says of a client that sends for a domain: "pass", "fail", ... as spf_status_name()
 * has them.  The lookup knows everything. */
const char *libspf2_check(const struct ip_address *client, const char *domain,
                          const struct lookup *lookup);
