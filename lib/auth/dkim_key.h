/* SPDX-License-Identifier: BSD-2-Clause */
/* Published keys (RFC 6376 section 3.6.1, RFC 8463 section 4). */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

#define DKIM_KEY_BITS_MAX 8192 /* of an RSA key that is used: the time grows with its cube */

enum dkim_key_type { DKIM_KEY_RSA, DKIM_KEY_ED25519 };

/* Zeroed, filled by dkim_key_parse(), ends with dkim_key_clear(). */
struct dkim_key {
    enum dkim_key_type type;
    EVP_PKEY *public_key;
    unsigned bits;
    char *hashes; /* h=; NULL: any */
    bool strict; /* t=s: i= has no subdomain of d= */
    bool testing; /* t=y */
};

/* Parses a record.  Returns what is wrong with it, in a few words (a literal); NULL: nothing.  The
 * record must be for mail. */
const char *dkim_key_parse(const char *bytes, size_t length, struct dkim_key *key_r);
void dkim_key_clear(struct dkim_key *key);
