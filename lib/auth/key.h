/* SPDX-License-Identifier: BSD-2-Clause */
/* A private key from a file or a table, read once and kept. */
#pragma once

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>

#define KEY_FILE_MAX (64 * 1024) /* octets of a key file */
#define KEY_BITS_MIN 1024 /* RFC 8301 §3.2: verifiers treat what is shorter as no signature */
#define KEY_BITS_GOOD 2048 /* ... and what is shorter than this should not be made any more */

enum key_algorithm { KEY_RSA, KEY_ED25519 }; /* rsa-sha256, ed25519-sha256 (RFC 8463) */

/* Why a file is no key for us. */
enum key_trouble {
    KEY_FINE,
    KEY_NOT_PERMITTED, /* this process may not read it */
    KEY_NOT_OPENED, /* it is not there, or cannot be read for another reason */
    KEY_EXPOSED, /* others can read or change it */
    KEY_TOO_SHORT, /* no receiver accepts its signatures */
    KEY_NOT_USABLE, /* it holds no key, or one of another kind */
};

/* Zeroed, then filled by key_read(), ends with key_clear(). */
struct key {
    char *pem; /* in one fixed form, whatever the file's was */
    EVP_PKEY *private_key;
    enum key_algorithm algorithm;
    unsigned bits;
};

/* Reads an RSA or Ed25519 key, in PEM, base64 DER or DER.  Else problem_r says in a few words what
 * is wrong with the file (the caller frees it), and key_r gets nothing, or with KEY_TOO_SHORT the
 * bits alone. */
enum key_trouble key_read(const char *path, struct key *key_r, char **problem_r);

/* The same from a text with a NUL behind it; PEM may be without line ends. */
enum key_trouble key_parse(const char *text, size_t length, struct key *key_r, char **problem_r);

/* What is to be done about it, with the file's name and what is wrong with it.  The caller frees
 * it. */
char *key_remedy(enum key_trouble trouble, const char *path, const char *problem,
                 const char *domain, const char *selector);

/* Takes another holder's key as one's own too. */
void key_share(const struct key *from, struct key *key_r);
/* Whether the key works, but should make way for a longer one. */
bool key_is_weak(const struct key *key);
const char *key_algorithm_name(enum key_algorithm algorithm); /* "rsa", "ed25519": the k= tag's */
void key_clear(struct key *key); /* the memory is wiped */
