/* SPDX-License-Identifier: BSD-2-Clause */
/* What a message uses of the day's allowance of an address or domain that is being warmed up. */
#pragma once

#include "lib/conf/conf.h"
#include "lib/message/message.h"

#include <stdint.h>

/* The entry of the message's plan; false: the warm-up does not count this message, or not yet. */
bool warmup_fact(const struct conf *conf, const struct message *message,
                 const struct conf_warmup *warmup, struct limit_fact *fact_r);

/* Sets when the message may be tried again: tomorrow's allowance may come before room in today's.
 */
void warmup_retry(const struct message *message, struct limit_fact *fact);

/* Whom its use is counted for in the store: "warmup:198.51.100.9/gmail.com".  The caller frees it.
 */
char *warmup_subject(const struct conf_warmup *warmup);

/* Whether the address is one of this host's; always so for a domain. */
bool warmup_is_here(const struct conf *conf, const struct conf_warmup *warmup);

/* The day of the wall clock, since the epoch, UTC. */
int64_t warmup_day(int64_t wall_us);
