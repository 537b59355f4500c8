/* SPDX-License-Identifier: BSD-2-Clause */
/* Logins that failed at our own server: account.login-failures and account.login-mechanism. */
#pragma once

#include "lib/classify/classify.h"
#include "lib/conf/conf.h"
#include "lib/decide/assess.h"

struct logins;
struct logins *logins_new(struct services *services);
void logins_free(struct logins **logins);

/* Takes in a failed login.  The store counts; the one that is too many has a line, once a window.
 */
void logins_see(struct logins *logins, struct conf *conf, const struct line *line,
                const struct classification *classification, uint64_t fingerprint);

/* How many answers of the store are still to come. */
size_t logins_open(const struct logins *logins);
