/* SPDX-License-Identifier: BSD-2-Clause */
/* Suspending an account by itself: "cause X { suspend = 12h after 3 in 10m }". */
#pragma once

#include "lib/decide/assess.h"

/* Counts in the store, so across hosts, each of the message's causes that is set to suspend, once a
 * message; and suspends the user when that was one too many.  Any thread; does not wait. */
void suspend_for_findings(struct services *services, const struct conf *conf,
                          const struct message *message);

/* A cause that was found with something of a user's: a delivery, a login.  All is borrowed. */
struct suspend_found {
    const char *user; /* the subject: "user:alice@example.com" */
    const struct cause *cause;
    const char *identity; /* what it was found with, which counts once; "": every time */
    const char *queue_id; /* "" for none */
    const char *program, *hostname; /* who found it */
    int64_t
        at_us; /* when, by the wall clock: what is older than the window counts no more; 0: now */
};

/* Counts it where the configuration says that the cause suspends and is enforced, as
 * suspend_for_findings() does. */
void suspend_for_cause(struct services *services, const struct conf *conf,
                       const struct suspend_found *found);
