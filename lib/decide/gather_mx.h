/* SPDX-License-Identifier: BSD-2-Clause */
/* Gathering what is wrong with the MX records of the recipients' domains. */
#pragma once

#include "lib/decide/assess.h"

/* Begins to fill the recipients' domain.flaws, from the first one on, where that is not known yet;
 * one recipient of each domain gets them.  done(context) is called once for each domain that is
 * asked for, maybe before this returns.  Returns how many times that will be, or was. */
size_t gather_mx(struct services *services, const struct conf *conf, struct message *message,
                 size_t first, int64_t timeout_ms, void (*done)(void *context), void *context);
