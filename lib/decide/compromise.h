/* SPDX-License-Identifier: BSD-2-Clause */
/* How much speaks for a stolen account: one score from all that is unusual, with its evidence. */
#pragma once

#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/message/habits.h"

/* How many times the usual this hour or day is, whichever is more; 0 while that is not unusual by
 * usual-factor and usual-floor. */
int64_t compromise_times_usual(const struct conf *conf, const struct habits *habits);

/* More places or countries in locations-window than locations-max or countries-max. */
bool compromise_many_locations(const struct conf *conf, const struct habits *habits);

/* The score; evidence_r gets what it is made of, the weightiest kind first: "40x usual (400
 * recipients this hour, usually 10), 7 networks in 1h, 83% new recipients".  One thing alone is
 * worth at most 60, so that a score above it means several. */
unsigned compromise_score(const struct conf *conf, const struct habits *habits,
                          struct text *evidence_r);
