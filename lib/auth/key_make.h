/* SPDX-License-Identifier: BSD-2-Clause */
/* New key pairs: the private half for a file, the public half for the DNS. */
#pragma once

#include "lib/auth/key.h"

#include <stdbool.h>

/* RSA of KEY_BITS_GOOD bits, or Ed25519.  NULL: libcrypto fails.  The caller frees it with
 * EVP_PKEY_free(). */
EVP_PKEY *key_make(enum key_algorithm algorithm);

/* Writes the private key into a new file (mode 0600), whose folders are made where they lack.
 * false: problem_r says why (the caller frees it); a file that is there stays as it is. */
bool key_write(EVP_PKEY *private_key, const char *path, char **problem_r);

/* The public half as the value of a TXT record (RFC 6376 §3.6.1, RFC 8463 §4).  The caller frees
 * it. */
char *key_record(EVP_PKEY *private_key);
