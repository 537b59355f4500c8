/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SPF: check_host() of RFC 7208, as a pure function of the DNS answers that are known.
 *
 * Where the RFC leaves a choice: a target name that cannot be asked for (an empty label, one of
 * over 63 octets, octets that are not ASCII, an absurd expansion) does not exist; a void lookup is
 * a question about what the record names, or about the client's name for ptr, to which DNS has
 * nothing, and of the hosts of an mx those that do not exist; to the limit of MX names only those
 * count that come before the first match; the PTR lookup for %{p} counts as one lookup.
 */
#pragma once

#include "lib/auth/lookup.h"
#include "lib/base/ip.h"

#include <stdbool.h>
#include <stdint.h>

/* RFC 7208 section 4.6.4. */
#define SPF_LOOKUPS_MAX 10 /* terms that need DNS */
#define SPF_VOIDS_MAX 2 /* lookups to which DNS has nothing */
#define SPF_MX_MAX 10 /* names of one mx that are looked up */
#define SPF_PTR_MAX 10 /* names of the client that are looked at */

#define SPF_EXPANDED_MAX 4096 /* octets of a target name before it is cut to 253 */
#define SPF_EXPLANATION_MAX 500 /* octets; what is longer is cut */

enum spf_status {
    SPF_NONE,
    SPF_NEUTRAL,
    SPF_PASS,
    SPF_FAIL,
    SPF_SOFTFAIL,
    SPF_TEMPERROR,
    SPF_PERMERROR,
};

struct spf_query {
    struct ip_address client; /* an IPv4-mapped one is IPv4, as ip_parse() makes it */
    const char *helo; /* as the client said it */
    const char *sender; /* MAIL FROM without brackets; "" or NULL: postmaster at the HELO name */
    const char *receiver; /* our own name, for explanations; NULL: "unknown" */
    int64_t now_sec; /* since the epoch, for explanations */
};

/* Starts zeroed, ends with spf_result_clear(). */
struct spf_result {
    enum spf_status status;
    char *domain; /* that was checked: lower case, A-labels where it has any */
    char *mechanism; /* that decided, as "-all" or "include:example.net"; "default" where none
                        matched, "libspf2" where that has another result, which stands; NULL: none,
                        temperror, permerror */
    char *record_domain; /* whose record that mechanism is in; differs after a redirect */
    unsigned lookups, voids; /* used, with the one that was too many */
    const char *second; /* a second engine's result, "not asked" or "no answer"; NULL: there is no
                           second engine */
    char *explanation; /* of a fail, in ASCII; NULL: none */
    char *problem; /* temperror, permerror: which name or term, and why; none: why there is no
                      record */
};

/* false: pending, and result_r is not touched. */
bool spf_check(const struct spf_query *query, const struct lookup *lookup,
               struct spf_result *result_r);
void spf_result_clear(struct spf_result *result);

/* "pass", "permerror", ... (RFC 8601 section 2.7.2). */
const char *spf_status_name(enum spf_status status);

/* Whether it says something of the client: no error, and not that there is no record. */
bool spf_status_is_verdict(enum spf_status status);
