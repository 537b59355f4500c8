/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parsed private keys for a library that only takes PEM text.
 *
 * libopendkim parses the PEM text of the key for every message and thereby also throws away what
 * OpenSSL precomputed for it: more work than the signature itself.  Its PEM_read_bio_PrivateKey()
 * is bound to the definition in key_cache.c, which hands out another reference to the kept key for
 * text that was kept, and lets OpenSSL parse everything else.  `configure --disable-key-cache`
 * leaves it out (key_cache_none.c): signatures are the same, and take three to four times as long.
 * Thread-safe.
 */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

extern const bool key_cache_works;

/* From now on pem is private_key.  Keeping the same text again only counts. */
void key_cache_keep(const char *pem, EVP_PKEY *private_key);
/* Undoes one key_cache_keep(). */
void key_cache_forget(const char *pem);

/* How often OpenSSL had to parse, for tests. */
uint64_t key_cache_parses(void);
