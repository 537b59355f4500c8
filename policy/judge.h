/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One request from its attributes to the action that answers it.
 *
 * MAIL and RCPT only look; DATA and END-OF-MESSAGE charge, and the message's identity makes it
 * harmless to ask at both.  With charge-at = rcpt every stage from RCPT on charges, by Postfix'
 * instance alone: the queue id is not known at the first recipient, and one message must not have
 * two identities.
 *
 * A message gets one line in the log: at the first stage that charges it.  There is another when a
 * later stage finds something else, and one for each recipient that is refused.
 */
#pragma once

#include "lib/decide/assess.h"
#include "policy/protocol.h"
#include "policy/transaction.h"

/* What judging needs; it outlives every request. */
struct judge {
    struct services *services;
    struct conf_slot *conf;
    struct transactions *transactions;
};

/* What is remembered of one client, a connection; zeroed at its start. */
#define JUDGE_INSTANCE_MAX 64 /* Postfix' has about 30 octets */
struct judge_client {
    char instance[JUDGE_INSTANCE_MAX]; /* of its latest transaction; "": none, or a longer one */
};

/* action is borrowed: "DUNNO", "450 4.7.28 ...". */
typedef void judge_callback(const char *action, void *context);

/* Calls back once, in the loop's thread, maybe before it returns.  The request is not needed
 * afterwards. */
void judge_request(struct judge *judge, struct judge_client *client,
                   const struct protocol_request *request, judge_callback *callback, void *context);
