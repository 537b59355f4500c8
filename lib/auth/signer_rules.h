/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which keys sign for which From address.
 *
 * Keys are known by their numbers.  A domain is "example.com", or ".example.com" for all that is
 * below it.  Rules are made once and only read afterwards, by any thread.
 */
#pragma once

#include "lib/auth/key_table.h"
#include "lib/conf/conf.h"
#include "lib/message/address.h"

#include <stdbool.h>
#include <stddef.h>

struct signer_rules;

struct signer_rules *signer_rules_new(void);
void signer_rules_free(struct signer_rules **rules);

/* The key signs for the domain.  Of several such domains the most specific one counts alone. */
void signer_rules_own(struct signer_rules *rules, const char *domain, size_t key);
/* The key signs for the domain too, beside its own ones. */
void signer_rules_third_party(struct signer_rules *rules, const char *domain, size_t key);

/* A key of the KeyTable.  only_for: the From domain that a % in its path stood for, else NULL.
 * Several keys may have the same name, each for another domain. */
void signer_rules_name(struct signer_rules *rules, const char *name, const char *only_for,
                       size_t key);
/* There may be no key of that name, which is no mistake. */
void signer_rules_declare(struct signer_rules *rules, const char *name);
/* Whether that very name was given. */
bool signer_rules_has_name(const struct signer_rules *rules, const char *name);
/* The KeyTable is a refile: in the names that follow, * stands for any characters. */
void signer_rules_name_patterns(struct signer_rules *rules);

/* The SigningTable, which becomes the rules'.  patterns: it is a refile; all: not only the first
 * match counts (MultipleSignatures).  false: it names a key that is none; problem_r says where. */
bool signer_rules_table(struct signer_rules *rules, struct signing_table *table, bool patterns,
                        bool all, char **problem_r);

struct signer_match {
    size_t key;
    const char *signer; /* what the SigningTable says of i=, or NULL; borrowed */
};

/* The keys for an address, each once; returns how many. */
size_t signer_rules_match(const struct signer_rules *rules, const struct address *from,
                          struct signer_match matches_r[CONF_SIGNS_MAX]);

/* Whether text is what the pattern means, in which * stands for any characters. */
bool signer_pattern_matches(const char *pattern, const char *text);
