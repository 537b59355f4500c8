/* SPDX-License-Identifier: BSD-2-Clause */
/* Organizational domains by the public suffix list, as RFC 7489 section 3.2 has them. */
#pragma once

/* The domain of one label more than its longest public suffix: the end of domain, which is in
 * A-label form, lower case.  NULL: it is a public suffix itself, or no domain.  The first call
 * reads the system's list, or takes the one that libpsl has built in, whichever is newer.
 * Thread-safe. */
const char *orgdomain_by_list(const char *domain);
