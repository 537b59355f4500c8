/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/accuse.h"

#include "lib/base/hash.h"
#include "lib/decide/outcomes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void accuse(struct services *services, const struct conf *conf, const char *login,
                   struct suspend_found *found, uint64_t fingerprint)
{
    char *user = outcome_user(conf, login);
    char identity[64];

    (void)snprintf(identity, sizeof(identity), "feedback/%016" PRIx64, fingerprint);
    found->user = user;
    found->identity = identity;
    found->program = "sluice-feedback";
    found->hostname = conf->hostname;
    suspend_for_cause(services, conf, found);
    free(user);
}

void accuse_delivery(struct services *services, const struct conf *conf,
                     const struct result *result)
{
    struct suspend_found found = {
        .cause = cause_get(result->cause), .queue_id = result->queue_id, .at_us = result->at_us};
    uint64_t hash;

    if (result->status == RESULT_SENT || result->user[0] == '\0')
        return;
    /* What is put off is tried again, and fails again. */
    hash = hash_stable(result->queue_id, strlen(result->queue_id) + 1);
    hash = hash_stable_more(hash, result->recipient, strlen(result->recipient));
    accuse(services, conf, result->user, &found, hash);
}

void accuse_login(struct services *services, const struct conf *conf, const char *user,
                  uint64_t fingerprint, int64_t at_us)
{
    struct suspend_found found = {
        .cause = cause_get(CAUSE_ACCOUNT_LOGIN_FAILURES), .queue_id = "", .at_us = at_us};

    if (user[0] != '\0')
        accuse(services, conf, user, &found, fingerprint);
}
