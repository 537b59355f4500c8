/* SPDX-License-Identifier: BSD-2-Clause */
/* What an outlook is asked about, from the message. */
#pragma once

#include "lib/auth/outlook.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

/* The domain of the only From address, or NULL.  The caller frees it. */
char *gather_from_domain(const struct message *message);

/* All but from_domain, which is the caller's; the rest is borrowed from message and conf. */
void gather_outlook_query(const struct conf *conf, const struct message *message,
                          struct outlook_query *query_r);
