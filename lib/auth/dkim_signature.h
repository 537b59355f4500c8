/* SPDX-License-Identifier: BSD-2-Clause */
/* DKIM-Signature fields (RFC 6376 section 3.5). */
#pragma once

#include "lib/auth/dkim_canon.h"
#include "lib/auth/dkim_key.h"
#include "lib/base/strings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DKIM_NAMES_MAX 256 /* of h= */
#define DKIM_CLOCK_DRIFT_SEC 300 /* by which a signer's clock may be ahead of ours */

enum dkim_hash { DKIM_SHA1, DKIM_SHA256 };

/* Which field it stands in: the same tags, but for a few (RFC 8617 sections 4.1.2 and 4.1.3). */
enum dkim_field { DKIM_FIELD_SIGNATURE, DKIM_FIELD_ARC_MESSAGE, DKIM_FIELD_ARC_SEAL };
enum dkim_chain { DKIM_CHAIN_NONE, DKIM_CHAIN_PASS, DKIM_CHAIN_FAIL };

/* Ends with dkim_signature_clear().  Members whose tag is missing or wrong are NULL or zero. */
struct dkim_signature {
    const char *problem; /* why it cannot be used, in a few words (a literal); NULL: it can */
    char *algorithm; /* as written: "rsa-sha256" */
    enum dkim_key_type type;
    enum dkim_hash hash;
    enum dkim_canon header, body;
    char *domain; /* A-label form, lower case */
    char *selector;
    char *identity; /* i= as written, or NULL */
    bool below; /* the identity is of a subdomain of the domain */
    struct strings names; /* of h= */
    char *encoded; /* b= without white space */
    unsigned char *signature;
    size_t signature_length;
    unsigned char *body_hash;
    size_t body_hash_length;
    unsigned instance; /* of an ARC set: i=; 0: none */
    enum dkim_chain chain; /* cv= of a seal */
    bool versionless; /* of the drafts before RFC 4871 */
    bool limited; /* l= was given */
    uint64_t limit;
};

/* Parses the field's value, and checks what can be checked without the key, at that time. */
void dkim_signature_parse(const char *value, int64_t now_sec, struct dkim_signature *signature_r);
void dkim_signature_parse_as(const char *value, enum dkim_field field, int64_t now_sec,
                             struct dkim_signature *signature_r);
void dkim_signature_clear(struct dkim_signature *signature);

/* The value with the value of its b= left out (section 3.7).  The caller frees it. */
char *dkim_signature_unsigned(const char *value);

/* Where the key is published, or NULL where that is no name to ask for.  The caller frees it. */
char *dkim_signature_key_name(const struct dkim_signature *signature);
