/* SPDX-License-Identifier: BSD-2-Clause */
/* Mail from outside: DKIM, SPF and DMARC, and the headers that tell of them. */
#pragma once

#include "lib/decide/assess.h"
#include "milter/session.h"

/* Decides whether the message is verified: all headers are known. */
void receive_begin(struct session *session);
void receive_body(struct session *session, const void *bytes, size_t length);

/* The end of the body of mail of ours: verifies the signatures that it came with, for
 * facts.carried.  Waits for the DNS, where there are any. */
void receive_carried(struct session *session, struct services *services);

/* The end of the message, after it was judged: verifies it, adds what the configuration makes of
 * the results to the verdict, removes headers that pretend to be ours, and adds ours.  Waits for
 * the DNS.  false: the MTA did not take a change. */
bool receive_end(SMFICTX *context, struct session *session, struct services *services);
