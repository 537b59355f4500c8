/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys in files of a private folder, for the tests of signing. */
#pragma once

#include <openssl/evp.h>
#include <sys/types.h>

/* A new folder, and its end with all that is in it. */
char *keys_folder(void);
void keys_remove_folder(char **folder);

EVP_PKEY *keys_make_rsa(unsigned bits);
EVP_PKEY *keys_make_ed25519(void);

/* Writes the private key as PEM, after the words in preface, and returns the path (the caller frees
 * it). */
char *keys_write(const char *folder, const char *name, EVP_PKEY *key, const char *preface,
                 mode_t mode);
char *keys_write_text(const char *folder, const char *name, const char *text, mode_t mode);

/* The public half as a TXT record (RFC 6376 §3.6.1). */
char *keys_record(EVP_PKEY *key);
