/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mail addresses: the envelope's (RFC 5321 §4.1.2, RFC 6531) and those in headers (RFC 5322 §3.4,
 * RFC 6532).
 *
 * The domain is kept in the form that lookups and comparisons need: lower case, A-labels (RFC 5890,
 * UTS #46 non-transitional), no trailing dot.  The local part keeps its case and is stored
 * unquoted.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define ADDRESS_MAX 1024 /* octets of one address; RFC 5321 needs 256, U-labels are longer */
#define ADDRESS_LOCAL_MAX                                                                          \
    64 /* octets of an envelope's local part, unquoted (RFC 5321 §4.5.3.1.1) */

enum address_problem {
    ADDRESS_FINE,
    ADDRESS_BAD_LOCAL, /* empty, unbalanced quote, characters that need quoting, over 64 octets */
    ADDRESS_NO_DOMAIN, /* no '@' */
    ADDRESS_BAD_DOMAIN, /* empty label, trailing dot, label over 63, bad character, two '@' */
    ADDRESS_BAD_IDN, /* U-label that IDNA does not allow */
    ADDRESS_BAD_LITERAL, /* [...] that is no address */
    ADDRESS_TOO_LONG,
    ADDRESS_BAD_ENCODING, /* not UTF-8, or a control character */
};

/* One block of memory: local and domain lie within it, and only address_clear() frees it. */
struct address {
    char *text; /* local@domain as compared and logged: local part quoted where it must be, its case
                   kept; "" for <> */
    char *local; /* unquoted; "" for <> */
    char *domain; /* A-label form, lower case; "" when there is none; "[192.0.2.1]" for a literal */
    bool is_literal;
    bool needs_smtputf8; /* the local part is not ASCII */
};

/* Parses an envelope address: "<>", "", "<a@b>" or "a@b"; source routes ("<@x:a@b>") are dropped as
 * RFC 5321 says. "postmaster" without a domain is fine (RFC 5321 §4.5.1), and, where bare is true,
 * so is any bare local part (Postfix' local submission).  On a problem *address_r holds the text as
 * given (without the brackets, control characters and broken UTF-8 escaped) and empty parts.  The
 * caller calls address_clear() either way. */
enum address_problem address_parse(const char *string, bool bare, struct address *address_r);
/* The same for Postfix' internal form, in which its policy protocol has addresses: local parts that
 * need quotes have none.  What the grammar has no way to read is taken as a local part up to the
 * '@'; more than one '@' is still a problem, since such an address and one that needs quotes look
 * alike there, and the former are common. */
enum address_problem address_parse_unquoted(const char *string, bool bare,
                                            struct address *address_r);
void address_clear(struct address *address);
bool address_is_null(const struct address *address); /* the null reverse-path <> */

/* What is wrong, in words for the sender ("the domain has an empty part (two dots, or a dot at its
 * end)"). */
const char *address_problem_text(enum address_problem problem);

/* Domain or address literal to lookup form (see above); the root's dot at the end is dropped.
 * NULL when it cannot be one; the caller frees it. */
char *address_domain(const char *domain);

/* The address as limits count it: ASCII lower case, subaddress cut at the first character of
 * delimiters. owner-list and list-request keep their hyphen.  The caller frees it. */
char *address_counted(const struct address *address, const char *delimiters);

/* The mailboxes of a From, Sender or To header's value: display names, comments, groups, quoted and
 * encoded words, folded lines (LF or CRLF), obsolete syntax.  Parsing ends when there are max.
 * Returns how many; -1 when the value does not parse (what was parsed before stays).
 * All max entries are set, those not used to nothing; each is the caller's to address_clear(). */
int address_list_parse(const char *value, struct address *addresses_r, size_t max);
