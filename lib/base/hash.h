/* SPDX-License-Identifier: BSD-2-Clause */
/* Short fingerprints. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* SipHash-2-4 under the process's own random key: for tables, never for storing. */
uint64_t hash_table(const void *bytes, size_t length);

/* The same under a key of the caller's, for fingerprints that outlive the process. */
#define HASH_KEY_SIZE 16
uint64_t hash_keyed(const uint8_t key[HASH_KEY_SIZE], const void *bytes, size_t length);

/* FNV-1a, the same everywhere and always: for trace ids and fingerprints that two programs must
 * agree on. */
uint64_t hash_stable(const void *bytes, size_t length);
uint64_t hash_stable_more(uint64_t hash, const void *bytes, size_t length);
