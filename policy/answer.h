/* SPDX-License-Identifier: BSD-2-Clause */
/* From a verdict to what Postfix is told to do (access(5)). */
#pragma once

#include "policy/transaction.h"

#include <stddef.h>

#define ANSWER_MAX 1000 /* octets of an action with NUL: a header line has at most 998 */
#define ANSWER_NOTHING "DUNNO" /* never OK: that would skip the restrictions after ours */

/* Writes the action for the message's verdict.  Warnings that are told to Postfix are remembered in
 * the transaction, since a header must not be there twice. */
void answer_make(struct transaction *transaction, char action_r[ANSWER_MAX]);
