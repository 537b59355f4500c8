/* SPDX-License-Identifier: BSD-2-Clause */
/* SPF records to publish: what is published, mended.  Pure; octets that are no term are kept. */
#pragma once

#include "lib/base/ip.h"
#include "lib/base/strings.h"

#include <stdbool.h>

/* The term that authorises an address: "ip4:198.51.100.9".  The caller frees it. */
char *spf_advice_term(const struct ip_address *address);

/* The record with the terms added that it lacks: before what decides for everybody (all,
 * redirect=), or first of all where an earlier term decides against us.  record NULL: a new one,
 * "v=spf1 TERMS -all".  The caller frees it. */
char *spf_advice_add(const char *record, const struct strings *terms, bool first);

/* Several records as one: each term once, and the strictest "all" at the end.  The caller frees
 * it. */
char *spf_advice_merge(const struct strings *records);
