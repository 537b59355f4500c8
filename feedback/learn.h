/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the store is taught by a delivery result: what is wrong with a recipient or a destination,
 * since when and how often; and how much of a user's, a sender domain's and a destination's mail
 * fails.  lib/decide reads it when the next message comes.
 */
#pragma once

#include "feedback/result.h"

#include "lib/conf/conf.h"
#include "lib/store/store.h"

/* What was known of the recipient or the destination before this result. */
struct learned {
    bool failing; /* there was something; after a success it is forgotten now */
    enum cause_id cause; /* what it was: of several, the latest */
    int64_t since_sec, last_sec, count; /* of a failure's own cause; after a success, of that one */
};

typedef void learn_callback(const struct learned *learned, void *context);

/* Calls back once, when the store has answered or is known to be away. */
void learn_result(struct store *store, const struct conf *conf, const struct result *result,
                  learn_callback *callback, void *context);

/* A complaint about a user's mail. */
void learn_complaint(struct store *store, const struct conf *conf, const char *user,
                     const char *sender_domain, uint64_t fingerprint, store_callback *callback,
                     void *context);

/* A failed login of a user, or from a client where no user is known; max of them in the window are
 * one too many.  The answer's limit tells how many there were, and near is set when it is the one
 * that reaches max. */
void learn_login_failure(struct store *store, const struct conf *conf, const char *subject,
                         uint64_t fingerprint, store_callback *callback, void *context);
