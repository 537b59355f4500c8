/* SPDX-License-Identifier: BSD-2-Clause */
/* What a signer is made of, for signature.c. */
#pragma once

#include "lib/auth/key.h"
#include "lib/auth/sign.h"

#include <opendkim/dkim.h>

struct signer_key {
    char *domain;
    char *selector;
    char *path;
    char *name; /* "s1/example.com" */
    struct key key; /* zeroed where problem says why */
    char *problem;
    size_t order; /* of the sections in the configuration */
    bool kept; /* the file may not be read any more; it is the key of before the reload */
};

/* The keys for one message, usable or not, in the order of the configuration. */
struct signer_choice {
    const struct signer_key *keys[CONF_SIGNS_MAX];
    size_t count;
};

/* By the From domain (A-label form, lower case). */
void signer_choose(const struct signer *signer, const char *domain, struct signer_choice *choice_r);

/* libopendkim's handle.  with_dates: the message has Date and Message-ID, so that more of them can
 * be ruled out. */
DKIM_LIB *signer_library(const struct signer *signer, bool with_dates);
