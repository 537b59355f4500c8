/* SPDX-License-Identifier: BSD-2-Clause */
/* The flag of the user, which says whether the account is suspended: a row of notes.c. */
#pragma once

#include "lib/decide/notes.h"

void flags_plan(const struct conf *conf, struct message *message);
void flags_ask(const struct conf *conf, const struct message *message, struct notes_request *room);
void flags_answered(const struct conf *conf, const struct store_answer *answer,
                    const struct store_note *notes, struct message *message);
