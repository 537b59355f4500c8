/* SPDX-License-Identifier: BSD-2-Clause */
/* What the world will say of mail of one of our domains. */
#pragma once

#include "ctl/evaluate.h"
#include "lib/auth/outlook.h"
#include "lib/auth/sign.h"
#include "lib/message/message.h"

#include <stddef.h>

#define OUTLOOK_VIEWS_MAX 64 /* keys of one domain */

/* Zeroed, filled by outlook_of(), ends with outlook_of_clear(). */
struct domain_outlook {
    struct message *message; /* of postmaster at the domain, with its facts and findings */
    struct signer_view views[OUTLOOK_VIEWS_MAX]; /* the domain's keys, of whichever state */
    size_t nviews;
};

/* Asks all that the checks of the milter ask the DNS for, and runs them. */
void outlook_of(struct evaluator *evaluator, const struct conf *conf, const struct signer *signer,
                const char *domain, struct domain_outlook *outlook_r);
void outlook_of_clear(struct domain_outlook *outlook);
