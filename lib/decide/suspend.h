/* SPDX-License-Identifier: BSD-2-Clause */
/* Suspending an account by itself: "cause X { suspend = 12h after 3 in 10m }". */
#pragma once

#include "lib/decide/assess.h"

/* Counts in the store, so across hosts, each of the message's causes that is set to suspend, once a
 * message; and suspends the user when that was one too many.  Any thread; does not wait. */
void suspend_for_findings(struct services *services, const struct conf *conf,
                          const struct message *message);
