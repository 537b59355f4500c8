/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/notes.h"

#include "lib/base/count.h"
#include "lib/decide/flags.h"
#include "lib/decide/habits.h"
#include "lib/decide/history.h"

struct row {
    void (*ask)(const struct conf *conf, const struct message *message, struct notes_request *room);
    void (*answered)(const struct conf *conf, const struct store_answer *answer,
                     const struct store_note *notes, struct message *message);
};

/* The order is that of the answers, nothing else. */
static const struct row rows[] = {
    {flags_ask, flags_answered},
    {habits_ask, habits_answered},
    {history_ask, history_answered},
};

void notes_plan(const struct conf *conf, const struct geo *geo, struct habits_cache *cache,
                int64_t now_sec, struct message *message)
{
    flags_plan(conf, message);
    habits_plan(conf, geo, cache, now_sec, message);
    history_plan(conf, message);
}

void notes_add(const struct conf *conf, const struct message *message, struct notes_request *room_r,
               struct store_request *request)
{
    room_r->nwishes = room_r->nmarks = room_r->nnames = 0;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        rows[i].ask(conf, message, room_r);
    request->wishes = room_r->wishes;
    request->nwishes = room_r->nwishes;
    request->marks = room_r->marks;
    request->nmarks = room_r->nmarks;
}

/* What a row asks depends on the message alone, so asking again tells which answers are whose. */
void notes_answered(const struct conf *conf, const struct store_answer *answer,
                    struct message *message)
{
    struct notes_request room = {.nwishes = 0};

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t first = room.nwishes;

        rows[i].ask(conf, message, &room);
        if (room.nwishes > first && room.nwishes <= answer->nnotes)
            rows[i].answered(conf, answer, answer->notes + first, message);
    }
}

struct store_wish *notes_wish(struct notes_request *room, const char *subject, const char *kind)
{
    struct store_wish *wish;

    if (room->nwishes == STORE_NOTES_MAX)
        return NULL;
    wish = &room->wishes[room->nwishes++];
    *wish = (struct store_wish){.subject = subject, .kind = kind};
    return wish;
}

bool notes_wish_field(struct notes_request *room, struct store_wish *wish, const char *name)
{
    if (!wish || room->nnames == NOTES_NAMES_MAX)
        return false;
    if (wish->nfields == 0)
        wish->fields = &room->names[room->nnames];
    room->names[room->nnames++] = name;
    wish->nfields++;
    return true;
}

struct store_mark *notes_mark(struct notes_request *room, const char *subject, const char *kind,
                              const char *field)
{
    struct store_mark *mark;

    if (room->nmarks == STORE_NOTES_MAX)
        return NULL;
    mark = &room->marks[room->nmarks++];
    *mark = (struct store_mark){.subject = subject, .kind = kind, .field = field};
    return mark;
}
