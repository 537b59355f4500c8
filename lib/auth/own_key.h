/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether what is published for a selector is the public half of our key. */
#pragma once

#include "lib/auth/key.h"
#include "lib/auth/lookup.h"

#include <stdbool.h>
#include <stddef.h>

enum own_key_state {
    OWN_KEY_MATCHES,
    OWN_KEY_ABSENT, /* there is no record */
    OWN_KEY_DIFFERS, /* it is the public half of another key */
    OWN_KEY_REVOKED, /* its p= is empty */
    OWN_KEY_UNUSABLE, /* it is no key record, or not for such signatures */
    OWN_KEY_FAILED, /* DNS failed */
};

/* Ends with own_key_clear(). */
struct own_key {
    enum own_key_state state;
    bool testing; /* matches, with t=y */
    char *record; /* that says so, octets that are no text as '?'; NULL: there is none */
    char *problem; /* OWN_KEY_UNUSABLE, OWN_KEY_FAILED: what is wrong, in a few words */
};

/* Where the key is published: "s1._domainkey.example.com".  The caller frees it. */
char *own_key_name(const char *selector, const char *domain);

/* What the answer for that name (TXT) says; of several records the one that matches counts. */
void own_key_judge(const struct key *key, const struct dns_answer *answer, struct own_key *own_r);
void own_key_clear(struct own_key *own);
