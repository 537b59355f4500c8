/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DMARC: policy discovery and identifier alignment of RFC 9989, or of RFC 7489 where that is asked
 * for, as pure functions of the DNS answers that are known (lib/auth/lookup.h).
 *
 * All domains are in A-label form; case does not matter.
 */
#pragma once

#include "lib/auth/dmarc_record.h"
#include "lib/auth/lookup.h"

#include <stdbool.h>
#include <stddef.h>

enum dmarc_discovery {
    DMARC_TREE_WALK, /* RFC 9989 section 4.10 */
    DMARC_SUFFIX_LIST, /* RFC 7489 section 3.2; np, psd and t do not exist there */
};

enum dmarc_status {
    DMARC_STATUS_NONE, /* no record applies */
    DMARC_STATUS_PASS,
    DMARC_STATUS_FAIL,
    DMARC_STATUS_TEMPERROR, /* DNS failed where it would have made a difference */
    DMARC_STATUS_PERMERROR, /* the record that applies is broken (RFC 9989 section 4.10.1) */
};

struct dmarc_query {
    const char *from_domain; /* of the only From address */
    const char *spf_domain; /* whose MAIL FROM passed SPF; NULL: none */
    const char *const *dkim_domains; /* d= of the signatures that passed */
    size_t ndkim;
    enum dmarc_discovery discovery;
    unsigned sample; /* 0 to 99: the message's lot among those of which pct= takes a share */
    bool align_always; /* also where no record applies: relaxed */
};

/* Ends with dmarc_result_clear(). */
struct dmarc_result {
    enum dmarc_status status;
    char *policy_domain; /* whose record applies; NULL: none */
    char *organizational_domain; /* of the From domain; NULL: it was not needed, or not found out */
    const char *tag; /* where the policy is from: "p", "sp" or "np"; NULL without a record */
    enum dmarc_policy published; /* what that tag says */
    enum dmarc_policy policy; /* what is asked for: one less than published where t=y, or where the
                                 sample is beyond percent */
    unsigned percent; /* of messages, for which the policy is as published; RFC 7489 only, else 100
                       */
    bool spf_aligned, dkim_aligned;
    char *dkim_domain; /* the first that is aligned */
    char *several; /* a name with more than one record, none of which counts; NULL: none */
    struct strings problems; /* of the record that applies */
    char *problem; /* temperror: which name, and why */
};

/* false: pending, and result_r is not touched. */
bool dmarc_check(const struct dmarc_query *query, const struct lookup *lookup,
                 struct dmarc_result *result_r);
void dmarc_result_clear(struct dmarc_result *result);

/* "pass", "none", ... (RFC 8601's registry). */
const char *dmarc_status_name(enum dmarc_status status);

/* As in dmarc= of the log: "pass", "fail(reject)", "fail(reject,20%)" where that is asked for 20 %
 * of messages only.  The caller frees it. */
char *dmarc_result_word(const struct dmarc_result *result);

/* Whether reports about policy_domain may go to a URI of its rua= (RFC 9990 section 3). */
enum dmarc_reports {
    DMARC_REPORTS_INTERNAL, /* the same organizational domain: no need to ask */
    DMARC_REPORTS_PERMITTED,
    DMARC_REPORTS_REFUSED,
    DMARC_REPORTS_UNKNOWN, /* DNS failed */
    DMARC_REPORTS_NO_MAIL, /* not a mailto: URI with a domain */
};
bool dmarc_check_reports(const char *policy_domain, const char *uri, enum dmarc_discovery discovery,
                         const struct lookup *lookup, enum dmarc_reports *reports_r);

/* The name at which the domain of a report's URI permits it,
 * "example.com._report._dmarc.example.net".  The caller frees it. */
char *dmarc_report_name(const char *policy_domain, const char *report_domain);
