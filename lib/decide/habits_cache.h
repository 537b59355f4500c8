/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the store said of an account's habits a moment ago.
 *
 * Asking costs the store several times what counting does.  So whoever sends again within ten
 * seconds, from the same place with the same mail program, is judged by the last answer and by what
 * this process has counted since; that is told to the store with the next question.  Belongs to the
 * loop's thread.
 */
#pragma once

#include "lib/message/habits.h"

struct habits_cache;

struct habits_cache *habits_cache_new(void);
void habits_cache_free(struct habits_cache **cache);

/* true: the answer is known, and is in habits now.  false: the store is to be asked; what it is to
 * be told besides is in habits->untold.  cache may be NULL. */
bool habits_cache_find(struct habits_cache *cache, struct habits *habits);

/* After the charge.  counted: nobody else had charged the message. */
void habits_cache_learn(struct habits_cache *cache, const struct habits *habits, bool counted);
