/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding DMARC records and organizational domains: RFC 9989 section 4.10. */
#pragma once

#include "lib/auth/dmarc.h"

#define DMARC_WALK_MAX 8 /* names that a walk asks for */

enum dmarc_found {
    DMARC_FOUND_PENDING,
    DMARC_FOUND_NOTHING,
    DMARC_FOUND_SEVERAL, /* more than one record, which is as good as none */
    DMARC_FOUND_FAILED, /* DNS failed */
    DMARC_FOUND,
};

/* A walk's names are ends of its domain. */
struct dmarc_walk {
    const char *domain; /* the organizational domain */
    const char *psd; /* the public suffix domain whose record ended the walk; NULL: none */
    const char *several; /* the first name with several records; NULL: none */
    const struct dns_answer *failed; /* DMARC_FOUND_FAILED: the answer */
};

/* Looks for the one record of a domain.  failed_r is set where DNS failed; record_r, with
 * DMARC_FOUND alone, ends with dmarc_record_clear(). */
enum dmarc_found dmarc_find(const struct lookup *lookup, const char *domain,
                            struct dmarc_record *record_r, const struct dns_answer **failed_r);

/* Finds out the organizational domain of a domain in lower case: DMARC_FOUND, _PENDING or _FAILED.
 */
enum dmarc_found dmarc_walk(const struct lookup *lookup, const char *domain,
                            enum dmarc_discovery discovery, struct dmarc_walk *walk_r);
