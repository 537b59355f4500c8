/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Signatures by Ed25519 (RFC 8463), relaxed/relaxed, by libcrypto alone: libopendkim makes them
 * too, but loses memory with each.
 *
 * One thread at a time.
 */
#pragma once

#include "lib/message/message.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

struct ed25519;

/* Begins with the fields that are to be signed.  domain, selector and, where not NULL, identity are
 * what d=, s= and i= say; fields in oversigned, ended by NULL, are named once more than they
 * occur.  Nothing is kept of the arguments but the key. */
struct ed25519 *ed25519_begin(EVP_PKEY *private_key, const char *domain, const char *selector,
                              const char *identity, const struct message *message,
                              const char *const *oversigned);

/* The body as it passes, with CRLF. */
void ed25519_body(struct ed25519 *signature, const void *bytes, size_t length);

/* The field's value, folded with LF and a tab; NULL: libcrypto fails.  The caller frees it. */
char *ed25519_end(struct ed25519 *signature);
void ed25519_free(struct ed25519 **signature);
