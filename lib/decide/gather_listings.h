/* SPDX-License-Identifier: BSD-2-Clause */
/* Gathering which of a message's domains are on a blocklist of domains. */
#pragma once

#include "lib/decide/assess.h"

#include <stdbool.h>

/* Begins to fill facts.listings; done(context) is called once, maybe before this returns.  false:
 * there is nothing to ask, and done will not be called. */
bool gather_listings(struct services *services, struct message *message, int64_t timeout_ms,
                     void (*done)(void *context), void *context);
