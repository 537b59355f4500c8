/* SPDX-License-Identifier: BSD-2-Clause */
/* Authentication-Results (RFC 8601) and Received-SPF (RFC 7208 section 9.1): writing ours, and
 * knowing those that only pretend to be. */
#pragma once

#include "lib/auth/incoming.h"

#include <stdbool.h>

#define RESULTS_HEADER "Authentication-Results"
#define RESULTS_SPF_HEADER "Received-SPF"
#define RESULTS_VALUE_MAX 512 /* octets of a value from outside; what is longer is left out */

/* The field's value.  between stands before each result: " ", or a line break that folds.  The
 * caller frees it. */
char *results_format(const struct incoming *incoming, const char *authserv_id, const char *between);

/* The value of Received-SPF, for MAIL FROM or, with helo, for HELO.  The caller frees it. */
char *results_received_spf(const struct incoming *incoming, bool helo, const char *between);

/* Whether a field from outside may be taken for ours: its authserv-id is, or, where it cannot be
 * read, ours stands where one would be. */
bool results_claim(const char *value, const char *authserv_id);
