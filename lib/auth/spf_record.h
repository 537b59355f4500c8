/* SPDX-License-Identifier: BSD-2-Clause */
/* SPF records: strict parsing by the grammar of RFC 7208 section 12. */
#pragma once

#include "lib/base/ip.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SPF_RECORD_MAX 8192 /* octets of a record; the RFC hopes for 450 (section 3.4) */
#define SPF_DOMAIN_SPEC_MAX 1024 /* octets of a domain as written, with its macros */

enum spf_mechanism {
    SPF_ALL,
    SPF_INCLUDE,
    SPF_A,
    SPF_MX,
    SPF_PTR,
    SPF_IP4,
    SPF_IP6,
    SPF_EXISTS,
};

struct spf_term {
    enum spf_mechanism mechanism;
    char qualifier; /* '+', '-', '~' or '?' */
    char *target; /* domain-spec; NULL: none was written (a, mx, ptr), or there is none to write */
    struct ip_network network; /* ip4, ip6: host bits cleared */
    uint8_t prefix4, prefix6; /* a, mx */
};

struct spf_record {
    struct spf_term *terms; /* in their order */
    size_t count;
    char *redirect; /* domain-spec; NULL: none */
    char *explanation; /* exp=; likewise */
};

/* Whether a TXT record is an SPF record: "v=spf1" and then a space or nothing (section 4.5). */
bool spf_record_is(const char *bytes, size_t length);

/* Parses the whole record; one wrong octet anywhere makes it wrong (section 4.6).  Modifiers that
 * nobody knows are checked and dropped.  false: problem_r says which term is wrong and why (the
 * caller frees it).  record_r ends with spf_record_clear(). */
bool spf_record_parse(const char *bytes, size_t length, struct spf_record *record_r,
                      char **problem_r);
void spf_record_clear(struct spf_record *record);

/* Adds the term, or the record, in the one form that all ways of writing it have in common. */
void spf_term_format(const struct spf_term *term, struct text *text);
void spf_record_format(const struct spf_record *record, struct text *text);
