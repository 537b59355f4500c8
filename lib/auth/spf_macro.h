/* SPDX-License-Identifier: BSD-2-Clause */
/* Macros in SPF records and explanations (RFC 7208 section 7): their syntax, and what they stand
 * for. */
#pragma once

#include "lib/base/ip.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What a letter stands for.  Strings are borrowed and never NULL; names have no trailing dot. */
struct spf_macro_values {
    const char *sender; /* s: local-part@domain */
    const char *local; /* l */
    const char *sender_domain; /* o */
    const char *domain; /* d: whose record is looked at now */
    const struct ip_address *client; /* i, v, c */
    const char *validated; /* p: "unknown" where there is none */
    const char *helo; /* h */
    const char *receiver; /* r, in explanations only */
    int64_t now_sec; /* t, in explanations only */
};

/* The kinds of text that macros stand in, which differ in the letters and characters they may have.
 */
enum spf_macro_place {
    SPF_MACRO_DOMAIN, /* domain-spec: ends in a top label or a macro; none of the letters c, r, t */
    SPF_MACRO_MODIFIER, /* the value of a modifier that nobody knows */
    SPF_MACRO_EXPLANATION, /* the text that exp= points to: spaces, too */
};

/* What is wrong with the syntax, in a few words (a literal); NULL: nothing.  Any octet may be in
 * text. */
const char *spf_macro_problem(const char *text, size_t length, enum spf_macro_place place);

/* Whether a text of right syntax asks for the client's validated name, which costs lookups. */
bool spf_macro_needs_validated(const char *text);

/* Adds the text with its macros replaced, and stops when there are enough octets or more.  The
 * syntax must be right. */
void spf_macro_expand(const char *text, const struct spf_macro_values *values, size_t enough,
                      struct text *expanded);
