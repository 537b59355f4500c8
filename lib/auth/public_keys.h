/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Published keys as libcrypto has them, each parsed once: to parse one takes ten times as long as
 * to verify a signature with it.
 *
 * Thread-safe.  What is kept is bounded, whatever strangers publish.
 */
#pragma once

#include "lib/auth/dkim_key.h"

#include <stddef.h>
#include <stdint.h>

#define PUBLIC_KEYS_MAX 512 /* kept at a time */

/* The key in the octets of p=, with a reference for the caller; NULL: there is none of that type.
 */
EVP_PKEY *public_keys_get(enum dkim_key_type type, const unsigned char *bytes, size_t length);

uint64_t public_keys_parses(void); /* so far in this process, for tests */
