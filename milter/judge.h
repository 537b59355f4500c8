/* SPDX-License-Identifier: BSD-2-Clause */
/* Asks the loop for a message's verdict, from a thread of libmilter's. */
#pragma once

#include "lib/decide/assess.h"

#include <libmilter/mfapi.h>

/* Returns when the message is judged.  At the end of a message (progress set) the MTA is told now
 * and then that we are still at it. */
void judge_wait(SMFICTX *context, bool progress, struct services *services, const struct conf *conf,
                struct message *message, enum assess_charge charge);
