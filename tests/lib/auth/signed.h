/* SPDX-License-Identifier: BSD-2-Clause */
/* Keys, messages and a judge for the tests of signatures: libopendkim's verifier, which is told the
 * public key. */
#pragma once

#include "lib/auth/sign.h"

#include <stdbool.h>

/* An example.com and an open.example (whose key all can read) with the selector s1; a two.example
 * with s1 (RSA), e1 (Ed25519) and open (unreadable); an ed25519.example with e1. */
#define SIGNED_SECTIONS 6
extern struct conf signed_conf;
extern char *signed_folder, *signed_key_path, *signed_shared_path, *signed_ed25519_path;

/* A section that says nothing of how its signatures are made. */
#define SIGNED_FORM .canonicalization = -1, .expire_ms = -1

#define FROM "From: Alice <alice@example.com>\n"
#define USUAL                                                                                      \
    FROM "To: bob@example.net\nSubject: hello\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nMessage-ID: " \
         "<1@x>\n"

int signed_set_up(void **state);
int signed_tear_down(void **state);

/* An outgoing message; headers: "Name: value" lines, folded with LF as MTAs hand them over. */
struct message *signed_message(const char *user, const char *headers);

struct signer *signed_signer(void); /* of signed_conf */

/* A signature that has ended well, or NULL; and the one value of one. */
struct signature *signed_make(struct signer *signer, const struct message *message,
                              const char *body, const char **reason_r);
char *signed_value(struct signer *signer, const struct message *message, const char *body,
                   const char **reason_r);

/* Whether the message with this signature's value verifies. */
bool signed_verifies(const struct message *message, const char *value, const char *body);

/* Calls check with a signer for example.com that has an RSA key, and one that has an Ed25519 key.
 */
void signed_with_each_key(void (*check)(struct signer *signer));
