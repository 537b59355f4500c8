/* SPDX-License-Identifier: BSD-2-Clause */
/* What is done about what a message from outside proves of its origin. */
#pragma once

#include "lib/auth/incoming.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

/* Takes what was found out into the message's facts, adds what the configuration asks about it to
 * the findings, and sets the verdict anew.  incoming has been concluded. */
void received_decide(const struct conf *conf, struct message *message,
                     const struct incoming *incoming);
