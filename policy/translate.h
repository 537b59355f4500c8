/* SPDX-License-Identifier: BSD-2-Clause */
/* From a policy request to a struct message. */
#pragma once

#include "lib/message/message.h"
#include "policy/protocol.h"

#include <stdbool.h>
#include <stdint.h>

/* The stage that a request asks about.  false: there is nothing to judge yet (CONNECT, EHLO, ...),
 * or no mail at all (VRFY, ETRN). */
bool translate_stage(const struct protocol_request *request, enum stage *stage_r);

/* A new message with what all requests of a transaction have in common: client, login, sender. */
struct message *translate_begin(const struct protocol_request *request, const char *hostname);

/* What this request adds: its stage, queue id and size.  A queue id once known stays. */
void translate_progress(struct message *message, const struct protocol_request *request,
                        enum stage stage);

/* Brings the recipients up to date after RCPT.  recipient_count is the truth about how many there
 * are by then; who they are was collected before, and some may have been refused by others since.
 */
void translate_recipients(struct message *message, const struct protocol_request *request);

/* What tells one transaction from another where instance is the same by accident or malice. */
uint64_t translate_fingerprint(const struct protocol_request *request);
