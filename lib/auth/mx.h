/* SPDX-License-Identifier: BSD-2-Clause */
/* What others see of a domain's MX records, or of its own addresses where it has none: hosts that
 * mail cannot be sent to. */
#pragma once

#include "lib/auth/lookup.h"
#include "lib/conf/conf.h"
#include "lib/message/facts.h"

#include <stdbool.h>

/* Looks at the first MX_FLAWS_MAX hosts.  flaws_r gets one row for each that is wrong, nflaws_r
 * their number; the caller ends them with mx_flaws_clear().  Private addresses in
 * internal-networks are right, as those who ask reach them.  A host whose addresses could not be
 * looked up is not wrong.  false: pending, nothing is set. */
bool mx_look(const struct lookup *lookup, const struct conf *conf, const char *domain,
             struct mx_flaw flaws_r[MX_FLAWS_MAX], size_t *nflaws_r);

/* "MX 10 mx.example.net.", or the address that stands in for one.  The caller frees it. */
char *mx_flaw_record(const struct mx_flaw *flaw);

/* What is wrong with the host, in words that follow its name: "is an alias (CNAME)".  The caller
 * frees it. */
char *mx_flaw_words(const struct mx_flaw *flaw);
