/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DKIM signing (RFC 6376) through libopendkim.
 *
 * A signer holds the keys of one configuration, read once; it is immutable and shared by threads.
 * A signature belongs to one message and one thread at a time.  Nothing here asks the DNS.
 */
#pragma once

#include "lib/auth/dkim_canon.h"
#include "lib/auth/key.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

#include <stdbool.h>
#include <stddef.h>

struct signer;
struct signature;

/* Reads every key of the configuration: of its sign sections, folder and tables.  A key that cannot
 * be read, is no RSA private key of 1024 bits at least and no Ed25519 key, or can be read by
 * everybody is no reason not to start: the signer says why with each message it cannot sign, and
 * signer_note() lists them (self.key-unreadable, dns.dkim-weak).
 * previous is the signer of before a reload, or NULL: where a file may not be read any more, since
 * the process gave up root, that signer's key for the same domain, selector and path is kept.
 * NULL when libopendkim does not start, or the folder or a table cannot be read or has a wrong line
 * (problem_r; the caller frees it). */
struct signer *signer_new(const struct conf *conf, const struct signer *previous, char **problem_r);
struct signer *signer_hold(struct signer *signer); /* one more reference; returns signer */
void signer_release(struct signer **signer);

/* What there is to say about one of the configured keys; strings are borrowed. */
struct signer_note {
    const char *domain, *selector;
    const char *path;
    const char *problem; /* unusable: what is wrong with the file; else NULL */
    enum key_trouble trouble; /* ... and of which kind it is */
    unsigned bits; /* usable, or KEY_TOO_SHORT: the key's size */
    bool weak; /* usable, but shorter than RFC 8301 asks for */
    const char *exposure; /* usable, but others can read it, as is said here; else NULL */
    bool kept; /* usable, but of before the reload: the file may not be read any more */
};

/* The n-th key's note; false: there are no more. */
bool signer_note(const struct signer *signer, size_t n, struct signer_note *note_r);

/* A key as check dns sees it; all is borrowed. */
struct signer_view {
    const char *domain; /* for d= */
    const char *selector, *path;
    const char *problem; /* unusable: what is wrong with the file; else NULL */
    enum key_trouble trouble; /* ... and of which kind it is */
    unsigned bits; /* usable, or KEY_TOO_SHORT */
    const struct key *key; /* usable */
    const char *exposure; /* usable, but others can read it, as is said here; else NULL */
    enum conf_key_state state;
};

/* The n-th of the keys for a From address, whichever state it is in.  false: there are no more. */
bool signer_view(const struct signer *signer, const struct address *from, size_t n,
                 struct signer_view *view_r);

/* Why a message is not signed, as in dkim=none:REASON. */
#define SIGN_INBOUND "inbound" /* not from one of our people */
#define SIGN_NO_FROM "no-from" /* no From, or none that parses */
#define SIGN_MANY_FROM "many-from" /* whose domain should it be? */
#define SIGN_NO_KEY "no-key" /* none is configured for the From domain */
#define SIGN_NOT_ALLOWED "not-allowed" /* the login may not use the From address */
#define SIGN_NOT_VISIBLE                                                                           \
    "key-not-visible" /* it has only new ones, whose records are not visible yet */
#define SIGN_KEY_UNREADABLE "key-unreadable" /* the configured one is unusable */
#define SIGN_KEY_WEAK "key-weak" /* the configured one is so short that receivers ignore it */
#define SIGN_ALREADY_SIGNED                                                                        \
    "already-signed" /* with a domain and selector of ours: it has been here before */
#define SIGN_HEADERS_CUT "headers-cut" /* more header fields than are kept or can be signed */
#define SIGN_ERROR "error" /* the library or the key failed */

/* Whether a reason means that a message that ought to be signed could not be. */
bool sign_is_failure(const char *reason);

/* Chooses the keys by the From domain and the login's right to the From address, and begins.  The
 * message's direction is known and its headers are complete.
 * Each usable key configured for the From domain makes a signature of its own (RFC 8463 §3: a
 * receiver that does not know Ed25519 goes by the RSA one).
 * NULL: not signed, *reason_r is one of the words above. */
struct signature *signature_begin(struct signer *signer, const struct conf *conf,
                                  const struct message *message, const char **reason_r);

/* The same for a message that was not signed for SIGN_ALREADY_SIGNED, in case that the signature
 * which it has turns out to be broken: a content filter may have changed it.  NULL: it cannot be
 * signed. */
struct signature *signature_begin_again(struct signer *signer, const struct conf *conf,
                                        const struct message *message);

/* What is wrong with the first unusable key for the message's From: why SIGN_KEY_UNREADABLE and
 * SIGN_KEY_WEAK were said.  false: nothing. */
bool signature_trouble(const struct signer *signer, const struct message *message,
                       struct signer_note *note_r);

/* The body as it passes, with CRLF.  false: it cannot be signed any more; ending it says why. */
bool signature_body(struct signature *signature, const void *bytes, size_t length);

/* The n-th key that it is going to be made with; borrowed.  false: there are no more. */
bool signature_key(const struct signature *signature, size_t n, struct signing_fact *key_r);

/* Whether one of its keys signs the body in that form. */
bool signature_has_body(const struct signature *signature, enum dkim_canon canon);

/* Ends it.  false: there is no signature, *reason_r is one of the words above. */
bool signature_end(struct signature *signature, const char **reason_r);

/* After signature_end(): whether the n-th key has signed. */
bool signature_is_made(const struct signature *signature, size_t n);

/* After signature_end(): the value of the n-th DKIM-Signature field, folded with LF and a tab,
 * without the space after the colon; borrowed, NULL behind the last. */
const char *signature_value(const struct signature *signature, size_t n);
/* ... and what it was signed with: "s1/example.com", several joined by ','.  Borrowed. */
const char *signature_names(const struct signature *signature);
void signature_free(struct signature **signature);
