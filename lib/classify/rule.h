/* SPDX-License-Identifier: BSD-2-Clause */
/* One classification rule: its conditions, all of which have to hold. */
#pragma once

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "lib/classify/rules.h"

#define RULE_PATTERNS_MAX 6
#define RULE_ENHANCED_MAX 12
#define RULE_LENGTH_MAX 2048 /* octets of a line of a rules file */

/* Reply codes from 200 to 599, as bits. */
#define RULE_CODE_FIRST 200
#define RULE_CODE_LAST 599
#define RULE_CODE_WORDS ((RULE_CODE_LAST - RULE_CODE_FIRST) / 64 + 1)

/* "x.1.1", "4.7.28", "5.7.606-649", "x.7.x": class 0 is any, as is a range from 0 to 999. */
struct rule_enhanced {
    uint8_t class;
    uint16_t subject;
    uint16_t detail_first, detail_last;
};

struct rule_pattern {
    pcre2_code *code;
    char *expression;
    bool negated; /* must not match */
};

struct rule {
    enum cause_id cause;
    const char *file; /* borrowed from the rules */
    unsigned line;
    char *name;
    bool has_codes;
    uint64_t codes[RULE_CODE_WORDS];
    struct rule_enhanced enhanced[RULE_ENHANCED_MAX];
    size_t nenhanced;
    unsigned stages; /* bits of enum smtp_stage; 0: any */
    unsigned kinds; /* bits of enum line_kind; 0: any */
    struct strings relays; /* names and ends of names ("."...); none: any */
    struct rule_pattern patterns[RULE_PATTERNS_MAX];
    size_t npatterns;
};

/* Reads a rule's line into rule_r, whose file and line are set.  false: problem_r says what is
 * wrong (the caller frees it); rule_r is still to be cleared. */
bool rule_read(const char *text, struct rule *rule_r, char **problem_r);
void rule_clear(struct rule *rule);

/* Whether all but the patterns holds. */
bool rule_fits(const struct rule *rule, const struct rules_case *facts);
