/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The work itself: reads the logs line by line, has the store learn each result, and writes its
 * line when the store has answered, in the order of the logs.
 *
 * Only so many results wait for the store at a time; meanwhile nothing is read.  A place in a log
 * is kept as done when everything before it is done.
 */
#pragma once

#include "lib/classify/rules.h"
#include "lib/conf/conf.h"
#include "lib/decide/assess.h"

struct follower;

/* Begins to read what mail-log names.  rules become the follower's.  ended(context): all logs came
 * to an end (standard input), or follower_drain() is through.  NULL: problem_r says why (the caller
 * frees it), and rules are still the caller's. */
struct follower *follower_new(struct services *services, struct conf_slot *conf,
                              struct rules *rules, void (*ended)(void *context), void *context,
                              char **problem_r);
void follower_set_rules(struct follower *follower, struct rules *rules);

/* Reads no more, and calls ended() when what was read is done. */
void follower_drain(struct follower *follower);
void follower_free(struct follower **follower);
