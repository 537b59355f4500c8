/* SPDX-License-Identifier: BSD-2-Clause */
/* One note in this process's memory. */
#include "lib/store/kept_note.h"

#include "lib/base/mem.h"
#include "lib/store/mark.h"

#include <stdlib.h>
#include <string.h>

#define PAIR_COST (sizeof(struct kept_pair) + 32) /* and what malloc takes for its strings */

struct kept_note *kept_note_new(const struct note_item *item)
{
    struct kept_note *note = mem_new(1, sizeof(*note));

    note->subject = mem_copy(item->subject);
    note->kind = mem_copy(item->kind);
    note->bytes = sizeof(*note) + 2 * (strlen(item->subject) + strlen(item->kind)) + PAIR_COST;
    return note;
}

void kept_note_free(struct kept_note *note)
{
    if (note == NULL)
        return;
    (void)kept_note_clear(note);
    free(note->pairs);
    free(note->subject);
    free(note->kind);
    free(note);
}

static size_t place_of(const struct kept_note *note, struct note_part name)
{
    size_t place = 0;

    while (place < note->count && (strlen(note->pairs[place].name) != name.length ||
                                   memcmp(note->pairs[place].name, name.bytes, name.length) != 0))
        place++;
    return place;
}

static size_t cost_of(const struct kept_pair *pair)
{
    return strlen(pair->name) + strlen(pair->value) + PAIR_COST;
}

static void remove_at(struct kept_note *note, size_t place)
{
    struct kept_pair *pair = &note->pairs[place];

    note->bytes -= cost_of(pair);
    free(pair->name);
    free(pair->value);
    *pair = note->pairs[--note->count];
}

void kept_note_put(struct kept_note *note, struct note_part name, struct note_part value)
{
    size_t place = place_of(note, name);

    if (place < note->count) {
        remove_at(note, place);
        place = note->count;
    } else {
        note->pairs = mem_grow(note->pairs, note->count + 1, sizeof(*note->pairs));
    }
    note->pairs[place].name = mem_copy_n(name.bytes, name.length);
    note->pairs[place].value = mem_copy_n(value.bytes, value.length);
    note->count++;
    note->bytes += cost_of(&note->pairs[place]);
}

bool kept_note_remove(struct kept_note *note, struct note_part name)
{
    size_t place = place_of(note, name);

    if (place == note->count)
        return false;
    remove_at(note, place);
    return true;
}

bool kept_note_clear(struct kept_note *note)
{
    bool any = note->count > 0;

    while (note->count > 0)
        remove_at(note, note->count - 1);
    return any;
}

void kept_note_prolong(struct kept_note *note, int64_t life_ms, int64_t now_ms)
{
    if (life_ms == 0)
        note->expires_ms = INT64_MAX;
    else if (now_ms + life_ms > note->expires_ms)
        note->expires_ms = now_ms + life_ms;
}

static int64_t last_seen(const struct kept_pair *pair)
{
    struct store_mark_value mark;

    return store_mark_read(pair->value, &mark) ? mark.last_sec : 0;
}

static bool seen_before(const struct kept_pair *a, const struct kept_pair *b)
{
    int64_t first = last_seen(a);
    int64_t second = last_seen(b);

    return first < second || (first == second && strcmp(a->name, b->name) < 0);
}

/* Forgets what was not seen for too long, and then what was seen longest ago. */
static void prune(struct kept_note *note, int64_t keep_sec, size_t most, int64_t now_sec)
{
    for (size_t i = note->count; i > 0; i--)
        if (now_sec - last_seen(&note->pairs[i - 1]) > keep_sec)
            remove_at(note, i - 1);
    while (note->count > most) {
        size_t oldest = 0;

        for (size_t i = 1; i < note->count; i++)
            if (seen_before(&note->pairs[i], &note->pairs[oldest]))
                oldest = i;
        remove_at(note, oldest);
    }
}

void kept_note_mark(struct kept_note *note, struct note_reader *reader, int64_t now_sec, bool known)
{
    struct mark_made made = {.keep_sec = reader->life_ms / 1000, .known = known};
    struct text value = TEXT_EMPTY;
    struct note_part field, text;
    int64_t newcomers = 0;

    while (note_reader_mark(reader, &field, &made.amount, &made.period_sec, &text)) {
        size_t place = place_of(note, field);
        const char *before = place < note->count ? note->pairs[place].value : NULL;

        made.text = text.bytes;
        made.text_length = text.length;
        if (made.amount == NOTE_AMOUNT_NEW)
            made.amount = newcomers;
        newcomers += before == NULL;
        mark_make(before, &made, now_sec, &value);
        kept_note_put(note, field, (struct note_part){value.bytes, value.length});
    }
    text_free(&value);
    if (newcomers > 0)
        prune(note, made.keep_sec, reader->fields_max, now_sec);
}

static void tell(const struct kept_pair *pair, struct text *answer, size_t start)
{
    note_answer_string(answer, start, pair->name, strlen(pair->name));
    note_answer_string(answer, start, pair->value, strlen(pair->value));
}

void kept_note_tell(const struct kept_note *note, struct note_part name, struct text *answer,
                    size_t start)
{
    size_t place = place_of(note, name);

    if (place < note->count)
        tell(&note->pairs[place], answer, start);
}

void kept_note_tell_all(const struct kept_note *note, struct text *answer, size_t start)
{
    for (size_t i = 0; i < note->count; i++)
        tell(&note->pairs[i], answer, start);
}
