/* SPDX-License-Identifier: BSD-2-Clause */
/* DMARC policy records (RFC 9989 sections 4.7 and 4.8; pct= of RFC 7489). */
#pragma once

#include "lib/base/strings.h"

#include <stdbool.h>
#include <stddef.h>

#define DMARC_URIS_MAX 20 /* kept of rua=, and of ruf= */
#define DMARC_PROBLEMS_MAX 20 /* kept of one record */

enum dmarc_policy { DMARC_NONE, DMARC_QUARANTINE, DMARC_REJECT };
enum dmarc_psd { DMARC_PSD_UNKNOWN, DMARC_PSD_YES, DMARC_PSD_NO };

/* A policy tag that is there and wrong is not the same as none. */
enum dmarc_presence { DMARC_TAG_ABSENT, DMARC_TAG_WRONG, DMARC_TAG_GIVEN };
struct dmarc_policy_tag {
    enum dmarc_presence presence;
    enum dmarc_policy policy; /* DMARC_TAG_GIVEN */
};

struct dmarc_record {
    struct dmarc_policy_tag p, sp, np;
    enum dmarc_psd psd;
    bool strict_dkim, strict_spf; /* adkim=s, aspf=s */
    bool test; /* t=y */
    unsigned percent; /* pct=, 100 where it is not there */
    struct strings rua, ruf; /* URIs of right syntax, without their size limits */
    struct strings
        problems; /* each syntax error, in a few words; what is wrong counts as not there */
};

/* Whom a policy is for: the domain of the record, or one below it that exists or does not. */
enum dmarc_scope { DMARC_DOMAIN, DMARC_SUBDOMAIN, DMARC_NONEXISTENT };

/* Whether a TXT record is a DMARC record: "v=DMARC1" first, and then a semicolon or nothing. */
bool dmarc_record_is(const char *bytes, size_t length);

/* Parses what dmarc_record_is() is true of; record_r ends with dmarc_record_clear(). */
void dmarc_record_parse(const char *bytes, size_t length, struct dmarc_record *record_r);
void dmarc_record_clear(struct dmarc_record *record);

/* The policy as published (section 4.10.1).  false: the record's policy is wrong, and it asks for
 * no reports either, so that DMARC does not apply.  With p_optional a record that is right but for
 * its missing p= has p=none (section 4.7); in RFC 7489 (section 6.6.3) such a one has to ask for
 * reports. */
bool dmarc_record_policy(const struct dmarc_record *record, enum dmarc_scope scope, bool p_optional,
                         enum dmarc_policy *policy_r);

const char *dmarc_policy_name(enum dmarc_policy policy); /* "none", "quarantine", "reject" */
