/* SPDX-License-Identifier: BSD-2-Clause */
/* What a test needs to sign by itself.  The caller frees every string. */
#pragma once

#include <openssl/evp.h>

/* The public key as p= has it, a body's hash as bh= does, a signature as b= does: RSA over the
 * text, Ed25519 over its SHA-256 (RFC 8463). */
char *signing_public_key(EVP_PKEY *key);
char *signing_hash(const char *body, const EVP_MD *digest);
char *signing_sign(EVP_PKEY *key, const EVP_MD *digest, const char *text);

/* The text with each '#' replaced. */
char *signing_fill(const char *text, const char *with);
