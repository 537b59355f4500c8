/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the store remembers besides counts, for one message: asked and told with its limits, in the
 * same round trip.
 *
 * Whoever has something to ask or to remember is a row of the table in notes.c: it adds wishes and
 * marks, and takes the answers to its wishes into the message's facts.
 */
#pragma once

#include "lib/conf/conf.h"
#include "lib/decide/habits_cache.h"
#include "lib/geo/geo.h"
#include "lib/message/message.h"
#include "lib/store/store.h"

#define NOTES_NAMES_MAX 256

/* Room for what the rows ask; it points into the message and the configuration. */
struct notes_request {
    struct store_wish wishes[STORE_NOTES_MAX];
    struct store_mark marks[STORE_NOTES_MAX];
    const char *names[NOTES_NAMES_MAX]; /* of fields, for the wishes */
    size_t nwishes, nmarks, nnames;
};

/* Works out what the message is about, before anything is asked.  now_sec: about the store's. */
void notes_plan(const struct conf *conf, const struct geo *geo, struct habits_cache *cache,
                int64_t now_sec, struct message *message);

/* Fills the store's request with what all rows ask; room_r must live as long as request. */
void notes_add(const struct conf *conf, const struct message *message, struct notes_request *room_r,
               struct store_request *request);

/* Gives each row the answers to its wishes. */
void notes_answered(const struct conf *conf, const struct store_answer *answer,
                    struct message *message);

/* For a row: more room, or NULL when there is none left. */
struct store_wish *notes_wish(struct notes_request *room, const char *subject, const char *kind);
bool notes_wish_field(struct notes_request *room, struct store_wish *wish, const char *name);
struct store_mark *notes_mark(struct notes_request *room, const char *subject, const char *kind,
                              const char *field);
