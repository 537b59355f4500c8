/* SPDX-License-Identifier: BSD-2-Clause */
/* From a verdict to what libmilter is told. */
#pragma once

#include "lib/decide/assess.h"
#include "milter/session.h"

/* The message's reply for defer and reject, or the code that makes the MTA go on. */
sfsistat act_reply(SMFICTX *context, const struct session *session);

/* Decides whether and with which key the message is signed: all headers are known. */
void act_begin_signature(struct session *session);

/* The body as it passes. */
void act_body(struct session *session, const void *bytes, size_t length);

/* Signs mail that came with a broken signature of ours after all: what it carries was verified. */
void act_renew_signature(struct session *session);

/* The end of the message, after it was judged and charged: signs it, gives back what it was charged
 * if it is refused after all, changes the message, and logs. */
sfsistat act_end(SMFICTX *context, struct session *session, struct services *services);
