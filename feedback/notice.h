/* SPDX-License-Identifier: BSD-2-Clause */
/* Telling people what the MTA's log alone tells: deliveries and logins that failed (notify). */
#pragma once

#include "feedback/result.h"

#include "lib/conf/conf.h"
#include "lib/decide/assess.h"

/* A failed delivery: once for each destination, or login, as the cause is the one's or the other's.
 * What happened an hour ago is no news. */
void notice_delivery(struct services *services, const struct conf *conf,
                     const struct result *result);

/* A cause that is found in logins.  Strings are "" where they are not known; at_us: when the line
 * was written, 0: it does not say. */
struct notice_login {
    enum cause_id cause;
    const char *user, *client, *mechanism, *text, *hint;
    int64_t count; /* of those that failed; 0: one is enough */
    int64_t at_us;
};
void notice_login(struct services *services, const struct conf *conf,
                  const struct notice_login *login);
