/* SPDX-License-Identifier: BSD-2-Clause */
/* From libmilter's arguments and the MTA's macros to a struct message. */
#pragma once

#include "milter/session.h"

void translate_connection(SMFICTX *context, struct session *session, const char *hostname,
                          const struct sockaddr *client);

/* The arguments of MAIL: the address, then "SIZE=1234" and the like; ended by NULL. */
void translate_sender(SMFICTX *context, struct session *session, char *const *arguments);

/* Takes the queue id and the login as soon as the MTA tells them: Postfix does not know the former
 * at MAIL and at the first recipient yet. */
void translate_late_macros(SMFICTX *context, struct session *session);

/* Whether the MTA shows a recipient that it has refused already. */
bool translate_is_refused(SMFICTX *context);

/* A header field: kept for the checks and counted. */
void translate_header(struct session *session, const char *name, const char *value);

/* A piece of the body, and the end of the message: what its lines are like. */
void translate_body(struct session *session, const void *bytes, size_t length);
void translate_end(struct session *session);
