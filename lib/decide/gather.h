/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking the resolver for the facts that the checks need, all at once. */
#pragma once

#include "lib/conf/conf.h"
#include "lib/decide/assess.h"
#include "lib/message/message.h"

typedef void gather_callback(void *context);

/* Fills the facts of the message that needs (enum check_need) asks for and that are not known yet,
 * within conf->dns_timeout_ms; what did not come is a fact too.  Calls back once, maybe
 * before it returns. */
void gather(struct services *services, const struct conf *conf, struct message *message,
            unsigned needs, gather_callback *callback, void *context);
