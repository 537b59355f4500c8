/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures by Ed25519 (RFC 8463), by libcrypto alone: libopendkim makes them
 * too, but loses memory with each.
 *
 * One thread at a time.
 */
#pragma once

#include "lib/auth/dkim_canon.h"
#include "lib/auth/fields.h"
#include "lib/message/message.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ed25519;

/* How it is made. */
struct ed25519_form {
    enum dkim_canon headers, body;
    int64_t expire_sec; /* 0: never */
    const struct fields *fields; /* what is signed */
};

/* Begins with the fields that are to be signed.  domain, selector and, where not NULL, identity are
 * what d=, s= and i= say.  Nothing is kept of the arguments but the key. */
struct ed25519 *ed25519_begin(EVP_PKEY *private_key, const char *domain, const char *selector,
                              const char *identity, const struct message *message,
                              const struct ed25519_form *form);

/* The body as it passes, with CRLF. */
void ed25519_body(struct ed25519 *signature, const void *bytes, size_t length);

/* The field's value, folded with LF and a tab; NULL: libcrypto fails.  The caller frees it. */
char *ed25519_end(struct ed25519 *signature);
void ed25519_free(struct ed25519 **signature);
