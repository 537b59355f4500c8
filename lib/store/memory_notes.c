/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes in this process's memory. */
#include "lib/store/memory_notes.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/store/kept_note.h"
#include "lib/store/packed.h"

#include <stdlib.h>
#include <string.h>

#define FLAG_KIND "flag"
/* How long what Redis said is believed while Redis is away.  It is not known how long the note had
 * to live; a flag says itself until when it holds. */
#define MIRROR_FLAG_MS (INT64_C(31) * 86400 * 1000)
#define MIRROR_MS INT64_C(3600000)

struct note_table {
    struct map *map; /* subject, NUL, kind: struct kept_note */
    size_t bytes;
};

struct memory_notes {
    struct note_table flags, others;
    size_t bytes_max; /* of each */
};

static void free_note(void *note)
{
    kept_note_free(note);
}

struct memory_notes *memory_notes_new(size_t bytes_max)
{
    struct memory_notes *notes = mem_new(1, sizeof(*notes));

    notes->flags.map = map_new();
    notes->others.map = map_new();
    notes->bytes_max = bytes_max;
    return notes;
}

void memory_notes_free(struct memory_notes **notes)
{
    if (*notes == NULL)
        return;
    map_free(&(*notes)->flags.map, free_note);
    map_free(&(*notes)->others.map, free_note);
    free(*notes);
    *notes = NULL;
}

static struct note_table *table_of(struct memory_notes *notes, const char *kind)
{
    return strcmp(kind, FLAG_KIND) == 0 ? &notes->flags : &notes->others;
}

static size_t write_key(const struct note_item *item, char key_r[NOTE_KEY_SIZE])
{
    return (size_t)(stpcpy(stpcpy(key_r, item->subject) + 1, item->kind) - key_r);
}

static void drop(struct note_table *table, const void *key, size_t length)
{
    struct kept_note *note = map_remove(table->map, key, length);

    if (note != NULL)
        table->bytes -= note->bytes;
    kept_note_free(note);
}

/* The note; NULL: there is none, or it has expired. */
static struct kept_note *find(struct memory_notes *notes, const struct note_item *item,
                              int64_t now_ms)
{
    struct note_table *table = table_of(notes, item->kind);
    char key[NOTE_KEY_SIZE];
    size_t length = write_key(item, key);
    struct kept_note *note = map_get(table->map, key, length);

    if (note == NULL || note->expires_ms > now_ms)
        return note;
    drop(table, key, length);
    return NULL;
}

static struct kept_note *find_or_add(struct memory_notes *notes, const struct note_item *item,
                                     int64_t now_ms)
{
    struct kept_note *note = find(notes, item, now_ms);
    char key[NOTE_KEY_SIZE];

    if (note == NULL) {
        note = kept_note_new(item);
        table_of(notes, item->kind)->bytes += note->bytes;
        (void)map_put(table_of(notes, item->kind)->map, key, write_key(item, key), note);
    }
    return note;
}

/* After a change that may have made the note larger, smaller or empty. */
static void settle(struct memory_notes *notes, const struct note_item *item, struct kept_note *note,
                   size_t before)
{
    struct note_table *table = table_of(notes, item->kind);
    char key[NOTE_KEY_SIZE];
    size_t length = write_key(item, key);
    const void *oldest;

    table->bytes += note->bytes - before;
    if (note->count == 0)
        drop(table, key, length);
    while (table->bytes > notes->bytes_max && map_oldest(table->map, &oldest, &length) != NULL)
        drop(table, oldest, length);
}

static void read_item(struct memory_notes *notes, const struct call *call,
                      const struct note_item *item, struct text *answer)
{
    const struct kept_note *note = find(notes, item, call->now_ms);
    size_t start = note_answer_start(answer);
    struct note_reader reader;
    struct note_part part;

    note_reader_start(&reader, item);
    if (note == NULL)
        return;
    if (reader.count == 0)
        kept_note_tell_all(note, answer, start);
    while (note_reader_part(&reader, &part))
        kept_note_tell(note, part, answer, start);
}

struct listing {
    const char *kind;
    int64_t now_ms;
    struct text *answer;
    size_t start;
};

static void list_note(const void *key, size_t length, void *value, void *context)
{
    struct listing *listing = context;
    const struct kept_note *note = value;
    struct text name = TEXT_EMPTY;

    (void)key;
    (void)length;
    if (note->expires_ms <= listing->now_ms || strcmp(note->kind, listing->kind) != 0)
        return;
    text_print(&name, "sluice:{%s}%s%s", note->subject, *note->kind != '\0' ? ":" : "", note->kind);
    note_answer_string(listing->answer, listing->start, "", 0);
    note_answer_string(listing->answer, listing->start, name.bytes, name.length);
    kept_note_tell_all(note, listing->answer, listing->start);
    text_free(&name);
}

/* All in one page. */
static void list_item(struct memory_notes *notes, const struct call *call,
                      const struct note_item *item, struct text *answer)
{
    struct listing listing = {item->kind, call->now_ms, answer, note_answer_start(answer)};

    note_answer_string(answer, listing.start, "", 0);
    note_answer_string(answer, listing.start, "0", 1);
    map_each(table_of(notes, item->kind)->map, list_note, &listing);
}

static void remove_item(struct memory_notes *notes, struct call *call, const struct note_item *item)
{
    struct kept_note *note = find(notes, item, call->now_ms);
    struct note_reader reader;
    struct note_part part;
    size_t before;

    if (note == NULL)
        return;
    before = note->bytes;
    note_reader_start(&reader, item);
    if (reader.count == 0)
        call->known = kept_note_clear(note) || call->known;
    while (note_reader_part(&reader, &part))
        call->known = kept_note_remove(note, part) || call->known;
    settle(notes, item, note, before);
}

static void set_item(struct memory_notes *notes, const struct call *call,
                     const struct note_item *item)
{
    struct kept_note *note = find_or_add(notes, item, call->now_ms);
    size_t before = note->bytes;
    struct note_reader reader;
    struct note_part name, value;

    note_reader_start(&reader, item);
    if (item->action == NOTE_REPLACE) {
        (void)kept_note_clear(note);
        note->expires_ms = 0;
    }
    while (note_reader_part(&reader, &name) && note_reader_part(&reader, &value))
        kept_note_put(note, name, value);
    kept_note_prolong(note, reader.life_ms, call->now_ms);
    settle(notes, item, note, before);
}

static void mark_item(struct memory_notes *notes, const struct call *call,
                      const struct note_item *item)
{
    struct kept_note *note = find_or_add(notes, item, call->now_ms);
    size_t before = note->bytes;
    struct note_reader reader;

    note_reader_start(&reader, item);
    kept_note_mark(note, &reader, call->now_ms / 1000, call->known);
    kept_note_prolong(note, reader.life_ms, call->now_ms);
    settle(notes, item, note, before);
}

static void change(struct memory_notes *notes, struct call *call, const struct note_item *item)
{
    switch (item->action) {
    case NOTE_SET:
    case NOTE_REPLACE:
        set_item(notes, call, item);
        break;
    case NOTE_REMOVE:
        remove_item(notes, call, item);
        break;
    case NOTE_MARK:
        if (call->operation == CALL_CHARGE && !call->refused)
            mark_item(notes, call, item);
        break;
    case NOTE_READ:
    case NOTE_LIST:
        break;
    }
}

void memory_notes_run(struct memory_notes *notes, struct call *call)
{
    struct text answer = TEXT_EMPTY;

    for (size_t i = 0; i < call->notes.nreads; i++) {
        if (call->notes.items[i].action == NOTE_LIST)
            list_item(notes, call, &call->notes.items[i], &answer);
        else
            read_item(notes, call, &call->notes.items[i], &answer);
    }
    (void)note_answer_read(&call->note_answer, text_string(&answer), answer.length,
                           call->notes.nreads);
    text_free(&answer);
    for (size_t i = 0; i < call->notes.count; i++)
        change(notes, call, &call->notes.items[i]);
}

/* Of a note that was asked for by fields, only these are known. */
static void learn_read(struct memory_notes *notes, const struct call *call,
                       const struct note_item *item, const struct store_note *told)
{
    struct kept_note *note = find(notes, item, call->now_ms);
    int64_t life_ms = strcmp(item->kind, FLAG_KIND) == 0 ? MIRROR_FLAG_MS : MIRROR_MS;
    struct note_reader reader;
    struct note_part part;
    size_t before;

    if (note == NULL && told->npairs == 0)
        return;
    note = find_or_add(notes, item, call->now_ms);
    before = note->bytes;
    note_reader_start(&reader, item);
    if (reader.count == 0)
        (void)kept_note_clear(note);
    while (note_reader_part(&reader, &part))
        (void)kept_note_remove(note, part);
    for (size_t i = 0; i < told->npairs; i++)
        kept_note_put(note, (struct note_part){told->pairs[i].name, strlen(told->pairs[i].name)},
                      (struct note_part){told->pairs[i].value, strlen(told->pairs[i].value)});
    kept_note_prolong(note, life_ms, call->now_ms);
    settle(notes, item, note, before);
}

void memory_notes_learn(struct memory_notes *notes, const struct call *call)
{
    struct call seen = *call; /* whose verdict stays as it is */

    for (size_t i = 0; i < call->notes.nreads && i < call->note_answer.count; i++)
        if (call->notes.items[i].action == NOTE_READ)
            learn_read(notes, call, &call->notes.items[i], &call->note_answer.notes[i]);
    for (size_t i = 0; i < call->notes.count; i++)
        change(notes, &seen, &call->notes.items[i]);
}

bool memory_notes_pack(struct memory_notes *notes, const char *subject, const char *kind,
                       struct text *text, int64_t *expires_ms_r)
{
    const struct note_item item = {.subject = subject, .kind = kind};
    char key[NOTE_KEY_SIZE];
    const struct kept_note *note = map_peek(table_of(notes, kind)->map, key, write_key(&item, key));

    if (note == NULL)
        return false;
    packed_number(text, 4, (int64_t)note->count);
    for (size_t i = 0; i < note->count; i++) {
        packed_name(text, note->pairs[i].name);
        packed_name(text, note->pairs[i].value);
    }
    *expires_ms_r = note->expires_ms;
    return true;
}

void memory_notes_unpack(struct memory_notes *notes, const char *subject, const char *kind,
                         const char *bytes, size_t length, int64_t expires_ms)
{
    const struct note_item item = {.subject = subject, .kind = kind};
    struct packed_reader reader = {bytes, bytes + length, false};
    struct kept_note *note = find_or_add(notes, &item, 0);
    size_t before = note->bytes;

    (void)kept_note_clear(note);
    for (int64_t count = packed_read_number(&reader, 4); count > 0 && !reader.bad; count--) {
        const char *name = packed_read_name(&reader);
        const char *value = packed_read_name(&reader);

        if (!reader.bad)
            kept_note_put(note, (struct note_part){name, strlen(name)},
                          (struct note_part){value, strlen(value)});
    }
    note->expires_ms = expires_ms;
    settle(notes, &item, note, before);
}
