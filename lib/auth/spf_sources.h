/* SPDX-License-Identifier: BSD-2-Clause */
/* Which addresses an SPF record authorises, as far as it lists them. */
#pragma once

#include "lib/auth/lookup.h"
#include "lib/base/ip.h"

#include <stdbool.h>
#include <stddef.h>

#define SPF_SOURCES_MAX 16 /* addresses of one record */

/* One address of each network that the domain's record and those that it includes let pass, in
 * their order; what depends on the client (exists, ptr, macros) is left out.  There are none where
 * there is no usable record, and failed_r says whether that is for want of an answer.  false:
 * pending. */
bool spf_sources(const struct lookup *lookup, const char *domain,
                 struct ip_address addresses_r[SPF_SOURCES_MAX], size_t *count_r, bool *failed_r);
