/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom a message line names, so that limits can be tried on it later (sluicectl replay). */
#pragma once

#include "lib/log/log.h"
#include "lib/message/message.h"

#define REPORT_RECIPIENTS_MAX 256 /* octets of either list */
#define REPORT_HELO_MAX 128

/* Adds helo=, where it is not too long, and the recipients: rcpts=a@x.test,b@y.test where all are
 * known and fit; else rcpt-domains=x.test:40,y.test:2, as many of the domains as fit. */
void report_recipients(struct log_event *event, const struct message *message);
