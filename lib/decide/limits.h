/* SPDX-License-Identifier: BSD-2-Clause */
/* Which limits a message counts against: subjects, amounts, maxima. */
#pragma once

#include "lib/causes/causes.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"
#include "lib/store/store.h"

/* Fills facts->limits with one entry per limit and subject that applies: used and over are set for
 * limits per message, and wait for the store's answer for the others.  Only mail of our own people
 * counts. */
void limits_plan(const struct conf *conf, struct message *message);

/* The store's part of the plan (limits with a window) as a request; identity_r is the caller's to
 * free and must live as long as request_r.  limits_r has room for STORE_LIMITS_MAX. */
void limits_request(const struct conf *conf, const struct message *message,
                    struct store_limit *limits_r, char **identity_r,
                    struct store_request *request_r);

/* Takes the store's answer to that request into the plan. */
void limits_answered(struct message *message, const struct store_answer *answer);

/* The cause that is found when the limit is over: by what it counts, per window or per message. */
enum cause_id limits_cause(const struct conf_limit *limit);

/* The letter that the store keeps a count under. */
char limits_letter(enum limit_count count);

/* A limit in words: "2000 messages in 24 hours". */
void limits_words(const struct conf_limit *limit, int64_t max, char *text_r, size_t room);

/* A duration in words: "35 minutes", "2 hours"; rounded up. */
void limits_duration_words(int64_t seconds, char *text_r, size_t room);
