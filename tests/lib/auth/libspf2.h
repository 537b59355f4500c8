/* SPDX-License-Identifier: BSD-2-Clause */
/* libspf2 as a second engine, for comparison. */
#pragma once

#include "lib/auth/spf.h"

/* What libspf2 says to the same question with the same answers, all of which are known: "pass",
 * "fail", ... as spf_status_name() has them. */
const char *libspf2_check(const struct spf_query *query, const struct lookup *lookup);
