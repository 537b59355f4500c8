/* SPDX-License-Identifier: BSD-2-Clause */
/* A reading of all keys that is going on, for signer_keys.c and signer_tables.c. */
#pragma once

#include "lib/auth/signer.h"

struct signer_reading {
    struct signer_keys *keys;
    const struct signer_keys *previous;
    const struct conf *conf;
    char *problem; /* why it is to fail */
};

/* Where a key is, and for whom; all is borrowed. */
struct signer_place {
    const char *domain, *selector;
    const char *path; /* of its file, or of the table that it stands in */
    const char *source; /* the option's value that led to it */
    const char *scope; /* the domain that it is for, as its source says; or NULL */
    const char *text; /* the key itself, where it is in no file of its own; else NULL */
};

/* Reads a key; returns its number. */
size_t signer_reading_add(struct signer_reading *reading, const struct signer_place *place);

/* The n-th key that came from source before the reload, or NULL.  After it gave up root, the daemon
 * may not be allowed to look again. */
const struct signer_key *signer_reading_kept(const struct signer_reading *reading,
                                             const char *source, size_t n);

void signer_reading_fail(struct signer_reading *reading, const char *option, const char *value,
                         const char *problem);

/* Reads OpenDKIM's tables. */
void signer_reading_key_table(struct signer_reading *reading);
void signer_reading_signing_table(struct signer_reading *reading);
