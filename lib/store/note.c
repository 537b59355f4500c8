/* SPDX-License-Identifier: BSD-2-Clause */
/* A call's part about notes. */
#include "lib/store/note.h"

#include "lib/base/mem.h"
#include "lib/store/store.h"

#include <stdlib.h>
#include <string.h>

#define ITEM_HEADER_SIZE 10
#define LIFE_MS_MAX ((INT64_C(1) << 48) - 1)
#define MARK_AMOUNT_MAX (INT64_C(1) << 40)
#define MARK_FIELDS_MAX 1000
#define MARK_SEC_MAX INT64_C(0xffffffff)
#define ITEMS_MAX ((size_t)(STORE_NOTES_MAX * 2))

/* Items while they are written: their strings are offsets until the text is whole. */
struct draft {
    struct note_items items;
    size_t places[ITEMS_MAX][3]; /* of subject, kind, bytes */
    struct text text;
};

static void add_number(struct text *text, size_t size, int64_t value)
{
    char bytes[8];

    for (size_t i = 0; i < size; i++)
        bytes[i] = (char)((uint64_t)value >> (8 * i));
    text_add(text, bytes, size);
}

static int64_t number_at(const char *bytes, size_t size)
{
    uint64_t value = 0;

    while (size > 0)
        value = value << 8 | (uint8_t)bytes[--size];
    return (int64_t)value;
}

static void add_string(struct text *text, const char *string, size_t most)
{
    size_t length = string != NULL ? strnlen(string, most) : 0;

    add_number(text, 2, (int64_t)length);
    text_add(text, string, length);
}

static int64_t clip(int64_t value, int64_t most)
{
    if (value < 0)
        return 0;
    return value < most ? value : most;
}

static int64_t packed_amount(int64_t amount)
{
    return amount == STORE_AMOUNT_NEW ? NOTE_AMOUNT_NEW : clip(amount, MARK_AMOUNT_MAX);
}

static void draft_start(struct draft *draft, size_t most)
{
    memset(&draft->items, 0, sizeof(draft->items));
    draft->text = (struct text)TEXT_EMPTY;
    draft->items.items = mem_new(most, sizeof(struct note_item));
}

static struct note_item *draft_item(struct draft *draft, const struct subject_hiding *hiding,
                                    const char *subject, const char *kind, enum note_action action)
{
    size_t *places = draft->places[draft->items.count];
    struct note_item *item = &draft->items.items[draft->items.count++];
    char name[SUBJECT_NAME_SIZE] = "";
    size_t length = subject != NULL ? subject_name(hiding, subject, name) : 0;

    item->action = action;
    places[0] = draft->text.length;
    text_add(&draft->text, name, length + 1);
    places[1] = draft->text.length;
    text_add(&draft->text, kind, strnlen(kind, STORE_KIND_MAX));
    text_add(&draft->text, "", 1);
    places[2] = draft->text.length;
    return item;
}

static void draft_header(struct draft *draft, enum note_action action, size_t count,
                         int64_t life_ms, size_t fields_max)
{
    add_number(&draft->text, 1, action);
    add_number(&draft->text, 1, (int64_t)count);
    add_number(&draft->text, 6, clip(life_ms, LIFE_MS_MAX));
    add_number(&draft->text, 2, clip((int64_t)fields_max, MARK_FIELDS_MAX));
}

static void draft_end_item(struct draft *draft)
{
    size_t last = draft->items.count - 1;

    draft->items.items[last].length = draft->text.length - draft->places[last][2];
}

static void draft_finish(struct draft *draft, struct note_items *items_r)
{
    *items_r = draft->items;
    items_r->memory_size = draft->text.length;
    items_r->memory = text_take(&draft->text);
    for (size_t i = 0; i < items_r->count; i++) {
        struct note_item *item = &items_r->items[i];

        item->subject = items_r->memory + draft->places[i][0];
        item->kind = items_r->memory + draft->places[i][1];
        item->bytes = items_r->memory + draft->places[i][2];
    }
}

static size_t fewer(size_t count, size_t most)
{
    return count < most ? count : most;
}

static void draft_fields(struct draft *draft, const char *const *fields, size_t count)
{
    for (size_t i = 0; i < count; i++)
        add_string(&draft->text, fields[i], STORE_NAME_MAX);
}

static void draft_wish(struct draft *draft, const struct subject_hiding *hiding,
                       const struct store_wish *wish)
{
    size_t count = wish->fields != NULL ? fewer(wish->nfields, STORE_NOTE_FIELDS_MAX) : 0;

    draft_item(draft, hiding, wish->subject, wish->kind, NOTE_READ);
    draft_header(draft, NOTE_READ, count, 0, 0);
    draft_fields(draft, wish->fields, count);
    draft_end_item(draft);
}

static bool same_note(const struct store_mark *a, const struct store_mark *b)
{
    return strcmp(a->subject, b->subject) == 0 && strcmp(a->kind, b->kind) == 0;
}

/* Returns how many of the marks are of the first one's note. */
static size_t draft_marks(struct draft *draft, const struct subject_hiding *hiding,
                          const struct store_mark *marks, size_t most)
{
    size_t count = 1;

    while (count < most && same_note(marks, &marks[count]))
        count++;
    draft_item(draft, hiding, marks->subject, marks->kind, NOTE_MARK);
    draft_header(draft, NOTE_MARK, count, clip(marks->keep_sec, MARK_SEC_MAX) * 1000,
                 marks->fields_max);
    for (size_t i = 0; i < count; i++) {
        add_string(&draft->text, marks[i].field, STORE_NAME_MAX);
        add_number(&draft->text, 6, packed_amount(marks[i].amount));
        add_number(&draft->text, 4, clip(marks[i].period_sec, MARK_SEC_MAX));
        add_string(&draft->text, marks[i].text, STORE_VALUE_MAX);
    }
    draft_end_item(draft);
    return count;
}

void note_items_request(struct note_items *items_r, const struct subject_hiding *hiding,
                        const struct store_request *request, bool with_marks)
{
    size_t nwishes = fewer(request->nwishes, STORE_NOTES_MAX);
    size_t nmarks = with_marks ? fewer(request->nmarks, STORE_NOTES_MAX) : 0;
    struct draft draft;

    memset(items_r, 0, sizeof(*items_r));
    if (nwishes + nmarks == 0)
        return;
    draft_start(&draft, nwishes + nmarks);
    for (size_t i = 0; i < nwishes; i++)
        draft_wish(&draft, hiding, &request->wishes[i]);
    for (size_t i = 0; i < nmarks;)
        i += draft_marks(&draft, hiding, &request->marks[i], nmarks - i);
    draft.items.nreads = nwishes;
    draft_finish(&draft, items_r);
}

void note_items_change(struct note_items *items_r, const struct subject_hiding *hiding,
                       enum note_action action, const struct store_note_change *change)
{
    size_t npairs = fewer(change->npairs, STORE_NOTE_FIELDS_MAX - 1);
    bool names_only = action == NOTE_REMOVE;
    struct draft draft;

    draft_start(&draft, 1);
    draft_item(&draft, hiding, change->subject, change->kind, action);
    draft_header(&draft, action, names_only ? npairs : 2 * npairs, change->life_ms, 0);
    for (size_t i = 0; i < npairs; i++) {
        add_string(&draft.text, change->pairs[i].name, STORE_NAME_MAX);
        if (!names_only)
            add_string(&draft.text, change->pairs[i].value, STORE_VALUE_MAX);
    }
    draft_end_item(&draft);
    draft_finish(&draft, items_r);
}

void note_items_list(struct note_items *items_r, const char *kind, const char *cursor)
{
    struct draft draft;
    struct text pattern = TEXT_EMPTY;

    draft_start(&draft, 1);
    draft_item(&draft, NULL, NULL, kind, NOTE_LIST);
    draft_header(&draft, NOTE_LIST, 2, 0, 0);
    add_string(&draft.text, cursor, STORE_NAME_MAX);
    text_print(&pattern, "sluice:{*}%s%s", *kind != '\0' ? ":" : "", kind);
    add_string(&draft.text, text_string(&pattern), STORE_NAME_MAX);
    text_free(&pattern);
    draft_end_item(&draft);
    draft.items.nreads = 1;
    draft_finish(&draft, items_r);
}

void note_items_copy(struct note_items *items_r, const struct note_items *items)
{
    *items_r = *items;
    items_r->memory = mem_copy_n(items->memory, items->memory_size);
    items_r->items = mem_new(items->count, sizeof(*items->items));
    for (size_t i = 0; i < items->count; i++) {
        const struct note_item *from = &items->items[i];
        struct note_item *to = &items_r->items[i];

        *to = *from;
        to->subject = items_r->memory + (from->subject - items->memory);
        to->kind = items_r->memory + (from->kind - items->memory);
        to->bytes = items_r->memory + (from->bytes - items->memory);
    }
}

void note_items_pick(struct note_items *items_r, const struct note_items *items, size_t index)
{
    note_items_copy(items_r, items);
    items_r->items[0] = items_r->items[index];
    items_r->count = 1;
    items_r->nreads = index < items->nreads;
}

void note_items_free(struct note_items *items)
{
    free(items->items);
    free(items->memory);
    memset(items, 0, sizeof(*items));
}

void note_reader_start(struct note_reader *reader_r, const struct note_item *item)
{
    *reader_r = (struct note_reader){
        .action = item->action,
        .count = (uint8_t)item->bytes[1],
        .life_ms = number_at(item->bytes + 2, 6),
        .fields_max = (size_t)number_at(item->bytes + 8, 2),
        .at = item->bytes + ITEM_HEADER_SIZE,
        .end = item->bytes + item->length,
    };
}

bool note_reader_part(struct note_reader *reader, struct note_part *part_r)
{
    if (reader->at == reader->end)
        return false;
    part_r->length = (size_t)number_at(reader->at, 2);
    part_r->bytes = reader->at + 2;
    reader->at += 2 + part_r->length;
    return true;
}

bool note_reader_mark(struct note_reader *reader, struct note_part *field_r, int64_t *amount_r,
                      int64_t *period_sec_r, struct note_part *text_r)
{
    if (!note_reader_part(reader, field_r))
        return false;
    *amount_r = number_at(reader->at, 6);
    *period_sec_r = number_at(reader->at + 6, 4);
    reader->at += 10;
    return note_reader_part(reader, text_r);
}
