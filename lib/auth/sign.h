/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DKIM signing (RFC 6376) through libopendkim.
 *
 * A signer holds the keys of one configuration, read once; it is immutable and shared by threads.
 * A signature belongs to one message and one thread.
 */
#pragma once

#include "lib/conf/conf.h"
#include "lib/message/message.h"

#include <stdbool.h>
#include <stddef.h>

struct signer;
struct signature;

/* Reads every key of the configuration's sign sections.  A key that cannot be read, is no private key, or can be
 * read by others is no reason not to start: the signer says why with each message it cannot sign, and
 * signer_problem() lists them (self.key-unreadable).  NULL only when libopendkim does not start (problem_r). */
struct signer *signer_new(const struct conf *conf, char **problem_r);
struct signer *signer_hold(struct signer *signer);
void signer_release(struct signer **signer);
/* The n-th unusable key: its domain, path and what is wrong with it; false: there are no more.  Borrowed. */
bool signer_problem(const struct signer *signer, size_t n, const char **domain_r, const char **key_r,
                    const char **problem_r);

/* Why a message is not signed, as in dkim=none:REASON. */
/* Chooses the key by the From domain and the login's right to the From address, and begins.  All headers are in
 * message.  NULL: not signed, *reason_r is a literal word ("inbound", "no-from", "many-from", "no-key", "not-allowed",
 * "key-unreadable", "already-signed", "headers-cut", "error"). */
struct signature *signature_begin(struct signer *signer, const struct conf *conf, const struct message *message,
                                  const char **reason_r);
/* The body as it passes. false: it cannot be signed any more; ending it says why. */
bool signature_body(struct signature *signature, const void *bytes, size_t length);
/* Ends it.  The value of the DKIM-Signature header, folded with LF and a tab, or NULL with a reason as above
 * (the caller frees the value); selector and domain through signature_name() before. */
char *signature_end(struct signature *signature, const char **reason_r);
const char *signature_name(const struct signature *signature); /* "s1/example.com" */
void signature_free(struct signature **signature);
