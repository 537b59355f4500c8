/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names under which the store keeps subjects and messages.
 *
 * A name stands inside a key's hash tag, so "{" and "}" are escaped ("%7B"); it is bounded; and it
 * can be a keyed hash, so that whoever reads the store does not read addresses.
 */
#pragma once

#include "lib/store/store.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SUBJECT_NAME_SIZE (STORE_SUBJECT_MAX + 1) /* any name, with its NUL */
#define SUBJECT_KEY_SIZE 16

struct subject_hiding {
    bool on;
    uint8_t keys[2][SUBJECT_KEY_SIZE];
};

/* From the secret of store-hash-addresses; NULL or "": off. */
void subject_hiding_set(struct subject_hiding *hiding, const char *secret);

/* Writes the name of a subject ("user:alice@example.com") and returns its length.  When hidden,
 * what follows the kind becomes "~" and 32 hex digits.  Too long: "#" and 64. */
size_t subject_name(const struct subject_hiding *hiding, const char *subject,
                    char name_r[SUBJECT_NAME_SIZE]);

/* The same for a message's identity, which is never hidden. */
size_t subject_message(const char *identity, char name_r[SUBJECT_NAME_SIZE]);
