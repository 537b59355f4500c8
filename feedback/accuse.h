/* SPDX-License-Identifier: BSD-2-Clause */
/* What the log tells of an account counts for its suspension too: "cause X { suspend = ... }". */
#pragma once

#include "feedback/result.h"

#include "lib/conf/conf.h"
#include "lib/decide/suspend.h"

/* A failed delivery, for who sent it: a message counts once for each recipient. */
void accuse_delivery(struct services *services, const struct conf *conf,
                     const struct result *result);

/* A failed login that is one too many; fingerprint: its line's. */
void accuse_login(struct services *services, const struct conf *conf, const char *user,
                  uint64_t fingerprint, int64_t at_us);
