/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Habits: what an account usually does, as the store remembers it.
 *
 * With each message of a login the store is told where it came from, with which mail program, in
 * which hour and to whom (marks), and is asked what it knew of that before (wishes), in the round
 * trip that is made anyway.  Three notes of the user's hold it: "seen" (places, countries, mail
 * programs), "hours" (how many recipients in which hour and on which day of the week) and "known"
 * (hashes of recipients).  Nothing of a message's content is kept, and all for 90 days only.
 */
#pragma once

#include "lib/decide/habits_cache.h"
#include "lib/decide/notes.h"

/* What of the message goes to the store becomes message->facts.habits; without a login that stays
 * NULL.  now_sec is the store's time, or near it. */
void habits_plan(const struct conf *conf, const struct geo *geo, struct habits_cache *cache,
                 int64_t now_sec, struct message *message);

/* A row of notes.c: "seen", "hours" and "known"; the flag has been read before. */
void habits_ask(const struct conf *conf, const struct message *message, struct notes_request *room);

/* Takes the answers into the plan.  While the store is away there are no habits: to what one daemon
 * remembers, everything looks new. */
void habits_answered(const struct conf *conf, const struct store_answer *answer,
                     const struct store_note *notes, struct message *message);

/* The note that has an account's volume, and what it says of this hour (UTC) and this day. */
#define HABITS_HOURS_KIND "hours"
void habits_volumes(const struct store_note *hours, int64_t now_sec,
                    struct habits_volume *in_hour_r, struct habits_volume *in_day_r);

/* `sluicectl release`: all that speaks against the account now is forgiven; what it usually does
 * stays known.  callback comes when the last of it is done. */
#define HABITS_FORGIVEN_FIELD                                                                      \
    "forgiven" /* in the user's flag: when, in seconds since the epoch                             \
                */
void habits_forgive(struct store *store, const char *subject, int64_t now_sec,
                    store_callback *callback, void *context);
