/* SPDX-License-Identifier: BSD-2-Clause */
/* One signature with its keys, whichever field it is in: for verify.c and arc.c. */
#pragma once

#include "lib/auth/verify.h"

const EVP_MD *verify_one_digest(const struct dkim_signature *signature);

/* Asks for the hash of the body that its signature names; before the first octet of the body. */
void verify_want_body(struct verify *verify, struct verify_signature *one);
/* Judges a signature over fields of the message and the body: DKIM-Signature and
 * ARC-Message-Signature. */
void verify_judge_field(struct verify *verify, struct verify_signature *one);

/* Learns the records of its key.  false: pending. */
bool verify_one_learn(struct verify_signature *one, const struct lookup *lookup);

/* Whether there is a signature and a key to judge by; where not, sets what that means. */
bool verify_one_is_judgeable(struct verify_signature *one);

/* Sets its status by what was signed, in canonical form, and whether the body is the one. */
void verify_one_judge(struct verify_signature *one, bool body_right, const struct text *content);

/* Sets a status without looking; problem is NULL or copied. */
void verify_one_settle(struct verify_signature *one, enum verify_status status,
                       const char *problem);
void verify_one_clear(struct verify_signature *one);

/* Frees a field of our own; NULL is nothing. */
void verify_own_free(struct header *field);
