/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DKIM verification (RFC 6376 section 6, RFC 8301, RFC 8463): all signatures of one message; and
 * ARC's beside them (lib/auth/arc.h).
 *
 * A verification begins when the headers are complete, takes the body as it passes, learns the keys
 * through a struct lookup, and judges.  It belongs to one thread at a time.
 */
#pragma once

#include "lib/auth/dkim_signature.h"
#include "lib/auth/lookup.h"
#include "lib/message/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define VERIFY_SIGNATURES_MAX 16 /* of one message; those below are not looked at */
#define VERIFY_KEYS_MAX 4 /* records at one name that are tried */
#define VERIFY_BITS_MIN 1024 /* RFC 8301 section 3.2 */

/* RFC 8601 section 2.7.1. */
enum verify_status {
    VERIFY_NEUTRAL, /* not looked at */
    VERIFY_PASS,
    VERIFY_FAIL, /* the message is not what was signed */
    VERIFY_POLICY, /* right, but with a key that nobody may rely on */
    VERIFY_TEMPERROR, /* DNS failed */
    VERIFY_PERMERROR, /* the signature or the key cannot be used */
};

struct arc;

struct verify_key_record {
    char *bytes;
    size_t length;
};

struct verify_signature {
    struct dkim_signature signature;
    const struct header *field; /* of the message, or own */
    struct header *own;
    size_t body_hash; /* its index in its body */
    struct verify_key_record records[VERIFY_KEYS_MAX];
    size_t nrecords;
    bool dns_failed;
    char *dns_problem; /* what DNS said where there is no record */

    enum verify_status status;
    char *problem; /* why it does not pass, in a few words; NULL: it does */
    bool testing; /* the key says t=y */
    unsigned bits; /* of the key that decided; 0: none did */
    uint64_t unsigned_octets; /* of the body that l= leaves out */
};

struct verify {
    const struct message *message;
    bool leading_space_lost;
    bool too_many; /* there are signatures that are not looked at */
    struct verify_signature *signatures; /* from the top of the message */
    size_t count;
    struct dkim_body bodies[2]; /* by enum dkim_canon */
    struct arc *arc; /* what forwarders sealed, lib/auth/arc.h; NULL: nothing */
};

/* Begins.  The message's headers are complete and stay until the end; leading_space_lost: its
 * header values lack a space after the colon, which the MTA ate. */
struct verify *verify_new(const struct message *message, bool leading_space_lost, int64_t now_sec);
void verify_free(struct verify **verify);

/* The body as it passes, with CRLF; then its end, once. */
void verify_body(struct verify *verify, const void *bytes, size_t length);
void verify_body_end(struct verify *verify);

/* Learns the keys.  false: pending. */
bool verify_learn_keys(struct verify *verify, const struct lookup *lookup);

/* The same for signatures of our own, which the message does not have yet: verify_new_own() before
 * its body, with the canonical forms of it that they are made of, and once the body has ended
 * verify_add_own() for the value of each field as it will be added, with the record that its key is
 * published with (NULL: there is none; the record is borrowed until then). */
struct verify *verify_new_own(const struct message *message, bool leading_space_lost, bool simple,
                              bool relaxed);
void verify_add_own(struct verify *verify, const char *value, const char *record, int64_t now_sec);

/* Sets each signature's status, once body and keys are there. */
void verify_judge(struct verify *verify);

/* After verify_judge(): whether there is a signature by one of the keys of signature, and each of
 * them is broken.  That no key is published, or that DNS failed, does not make it so. */
struct signature;
bool verify_finds_broken(const struct verify *verify, const struct signature *signature);

/* Whether a field has that name: white space may stand before its colon (RFC 5322 section 4.5). */
bool verify_is_named(const struct header *header, const char *name);

const char *verify_status_name(enum verify_status status); /* "pass", "permerror", ... */
