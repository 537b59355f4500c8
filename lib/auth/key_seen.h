/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Since when the records of new keys have been visible, as it is kept over a restart: a line for
 * each key with domain, selector, SHA-256 of the public key, the wall clock's second, and the TTL.
 */
#pragma once

#include "lib/base/text.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#define KEY_SEEN_MAX (1024 * 1024) /* octets of the file */
#define KEY_SEEN_TTL_MAX INT32_MAX /* seconds (RFC 2181 section 8) */

struct key_seen {
    int64_t since_sec; /* wall clock */
    int64_t ttl_sec; /* of the record */
};

/* Adds a key's line to what is to be written. */
void key_seen_add(struct text *text, const char *domain, const char *selector, const EVP_PKEY *key,
                  const struct key_seen *seen);

/* What the lines say of that very key.  false: nothing. */
bool key_seen_find(const char *text, const char *domain, const char *selector, const EVP_PKEY *key,
                   struct key_seen *seen_r);

/* Puts the file in the place of the one of before.  false: problem_r says why not (the caller frees
 * it). */
bool key_seen_write(const char *path, const struct text *text, char **problem_r);
