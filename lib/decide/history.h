/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What sluice-feedback taught the store of a message's recipients, destinations and login: asked in
 * the round trip that is made anyway.
 *
 * At RCPT that is one recipient; later the first OUTCOMES_ASKED_MAX, and as many destinations.
 */
#pragma once

#include "lib/decide/notes.h"

/* What of the message is asked about becomes message->facts.outcomes. */
void history_plan(const struct conf *conf, struct message *message);

/* A row of notes.c. */
void history_ask(const struct conf *conf, const struct message *message,
                 struct notes_request *room);
void history_answered(const struct conf *conf, const struct store_answer *answer,
                      const struct store_note *notes, struct message *message);

/* Adds the counts of the login's mail to the request, behind its limits; room for
 * HISTORY_LIMITS more.  Their answers: the last of all limits'. */
#define HISTORY_LIMITS 3
void history_add_rates(const struct conf *conf, const struct message *message,
                       struct store_limit *limits, struct store_request *request);
void history_rates_answered(const struct store_answer *answer, struct message *message);

/* The destination that is in the worst state of those the message goes to: "gmail.com:throttling";
 * NULL: none is. */
const struct outcome_fact *history_destination(const struct message *message);
