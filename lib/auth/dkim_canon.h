/* SPDX-License-Identifier: BSD-2-Clause */
/* DKIM's canonical forms of header fields and bodies (RFC 6376 section 3.4). */
#pragma once

#include "lib/base/text.h"

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum dkim_canon { DKIM_SIMPLE, DKIM_RELAXED };

/* Adds the field's canonical form, without CRLF at its end.  value is all that follows the colon,
 * folded with LF or CRLF. */
void dkim_canon_field(enum dkim_canon canon, const char *name, const char *value,
                      struct text *text);

#define DKIM_BODY_HASHES_MAX 64
#define DKIM_BODY_ALL UINT64_MAX

struct dkim_body_hash {
    EVP_MD_CTX *context;
    const EVP_MD *digest;
    uint64_t limit; /* octets of the canonical body that are hashed */
};

/* One canonical form of a body, on its way into the hashes that signatures ask for.  Zeroed but for
 * canon, ends with dkim_body_clear(). */
struct dkim_body {
    enum dkim_canon canon;
    bool after_return; /* a CR that may begin a CRLF */
    bool space; /* white space that counts when something follows in its line */
    uint64_t line_ends; /* that count when something follows */
    uint64_t octets; /* in canonical form, so far */
    struct dkim_body_hash hashes[DKIM_BODY_HASHES_MAX];
    size_t nhashes;
    size_t used; /* of buffer */
    char buffer[4096];
};

/* The hash of that digest over so many octets, one for all who ask alike; before the first octet.
 * The index for dkim_body_hash(). */
size_t dkim_body_want(struct dkim_body *body, const EVP_MD *digest, uint64_t limit);
void dkim_body_add(struct dkim_body *body, const void *bytes, size_t length);
/* Once, at the end. */
void dkim_body_end(struct dkim_body *body);
/* After the end.  The octets of the digest; 0: libcrypto does not have it. */
unsigned dkim_body_hash(struct dkim_body *body, size_t index,
                        unsigned char hash_r[EVP_MAX_MD_SIZE]);
void dkim_body_clear(struct dkim_body *body);
