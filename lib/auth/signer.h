/* SPDX-License-Identifier: BSD-2-Clause */
/* What a signer is made of, for signature.c. */
#pragma once

#include "lib/auth/key.h"
#include "lib/auth/key_life.h"
#include "lib/auth/sign.h"
#include "lib/auth/signer_form.h"
#include "lib/auth/signer_rules.h"

struct signer_key {
    char *domain; /* for d=; "%": the From domain */
    char *selector;
    char *path; /* of its file, or of the table that it stands in */
    char *source; /* the option's value that led to it, or "sign" */
    char *scope; /* the domain that it is for, as its source says; or NULL */
    struct key key; /* zeroed, but for bits at most, where problem says why */
    char *problem;
    enum key_trouble trouble;
    char *exposure; /* usable, but everybody can read the table that it stands in; or NULL */
    size_t section; /* the sign section that it is of, counted from 1; 0: of none */
    enum conf_key_state state;
    struct key_life *life; /* KEY_STATE_PUBLISH: whether it signs; else NULL */
    bool kept; /* the file may not be read any more; it is the key of before the reload */
};

struct signer_keys {
    struct signer_key *items; /* as in the configuration */
    size_t count;
    struct signer_rules *rules;
};

/* Reads all keys of a configuration into keys, which starts zeroed and ends with
 * signer_keys_clear() either way.  false: a folder or table cannot be read; problem_r says which.
 */
bool signer_keys_read(struct signer_keys *keys, const struct conf *conf,
                      const struct signer_keys *previous, char **problem_r);
void signer_keys_clear(struct signer_keys *keys);

void signer_note_key(const struct signer_key *key, struct signer_note *note_r);

const struct signer_keys *signer_keys(const struct signer *signer);

/* How the key's signatures are made. */
const struct signer_form *signer_form(const struct signer *signer, const struct signer_key *key);
