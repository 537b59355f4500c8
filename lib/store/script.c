/* SPDX-License-Identifier: BSD-2-Clause */
/* charge.lua's side in C. */
#include "lib/store/script.h"

#include "lib/base/mem.h"
#include "lib/store/charge.lua.h"
#include "lib/store/reserve.lua.h"

#include <stdlib.h>
#include <string.h>

#define KEY_PREFIX "sluice:{"
#define MESSAGE_PREFIX "sluice:{msg:"
#define USE_SUFFIX "}:use"
#define PROBE_KEY "sluice:{probe}"
#define NOTES_FLAG 128u /* with the operation */
#define NOTES_LENGTH_SIZE 3

#define PLAN_HEADER_SIZE 16
#define PLAN_LIMIT_SIZE 29
#define CODE_COUNT_SIZE 2
/* Without codes. */
#define PLAN_MAX (PLAN_HEADER_SIZE + STORE_LIMITS_MAX * (1 + PLAN_LIMIT_SIZE + CODE_COUNT_SIZE))
#define ANSWER_HEADER_SIZE 8
#define ANSWER_LIMIT_SIZE 19
#define NEVER_MS ((INT64_C(1) << 48) - 1)

enum { FLAG_ENFORCE = 1, FLAG_SAME_FIELD = 2, FLAG_DISTINCT = 4 }; /* of a limit */
enum { FLAG_OVER = 1, FLAG_NEAR = 2 }; /* of an answer */

const char *script_source(void)
{
    return charge_lua;
}

char *script_cluster_source(void)
{
    return mem_print("local function charge(KEYS, ARGV, redis)\n%s\nend\n%s", script_source(),
                     reserve_lua);
}

static uint8_t *save(uint8_t *at, size_t size, uint64_t value)
{
    for (size_t i = 0; i < size; i++)
        *at++ = (uint8_t)(value >> (8 * i));
    return at;
}

static int64_t load(const char *bytes, size_t size)
{
    uint64_t value = 0;

    while (size > 0)
        value = value << 8 | (uint8_t)bytes[--size];
    return (int64_t)value;
}

/* Redis' protocol (RESP): "*3\r\n", "$5\r\nhello\r\n". */
static void add_head(struct text *text, char kind, size_t number)
{
    char bytes[24];
    char *at = bytes + sizeof(bytes);

    *--at = '\n';
    *--at = '\r';
    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    *--at = kind;
    text_add(text, at, (size_t)(bytes + sizeof(bytes) - at));
}

static void add_argument(struct text *text, const void *bytes, size_t length)
{
    add_head(text, '$', length);
    text_add(text, bytes, length);
    text_add(text, "\r\n", 2);
}

static void add_key(struct text *text, const char *prefix, const char *name, const char *suffix)
{
    size_t before = strlen(prefix);
    size_t length = strlen(name);
    size_t behind = strlen(suffix);

    add_head(text, '$', before + length + behind);
    text_add(text, prefix, before);
    text_add(text, name, length);
    text_add(text, suffix, behind);
    text_add(text, "\r\n", 2);
}

static void add_number(struct text *text, size_t number)
{
    char digits[8];
    char *at = digits + sizeof(digits);

    do
        *--at = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    add_argument(text, at, (size_t)(digits + sizeof(digits) - at));
}

/* The room for a plan: on the stack, but where there are many members. */
struct plan_room {
    uint8_t usual[PLAN_MAX];
    uint8_t *bytes;
};

static void make_room(const struct call *call, struct plan_room *room_r)
{
    size_t codes = 0;

    for (size_t i = 0; i < call->nlimits; i++)
        codes += call->limits[i].ncodes;
    room_r->bytes = codes == 0 ? room_r->usual : mem_new(PLAN_MAX + 2 * codes, 1);
}

static void free_room(struct plan_room *room)
{
    if (room->bytes != room->usual)
        free(room->bytes);
}

static uint8_t *save_codes(uint8_t *at, const struct call_limit *limit)
{
    at = save(at, 2, limit->ncodes);
    for (size_t i = 0; i < limit->ncodes; i++)
        at = save(at, 2, limit->codes[i]);
    return at;
}

static size_t write_plan(const struct call *call, uint8_t *plan_r)
{
    uint8_t *at = plan_r;
    uint8_t *fields;

    at = save(at, 1,
              (call->operation == CALL_NOTE ? CALL_LOOK : call->operation) |
                  (call->notes.count > 0 ? NOTES_FLAG : 0u));
    at = save(at, 1, call->nsubjects);
    at = save(at, 6, (uint64_t)call->at_ms);
    at = save(at, 8, call->fingerprint);
    fields = at - 1;
    at += call->nsubjects;
    for (size_t i = 0; i < call->nlimits; i++) {
        const struct call_limit *limit = &call->limits[i];

        if (limit->first)
            *++fields = 0;
        *fields = (uint8_t)(*fields + !limit->same_field);
        at = save(at, 6, limit->tag);
        at = save(at, 4, (uint64_t)limit->window_sec);
        at = save(at, 6, (uint64_t)limit->amount);
        at = save(at, 6, (uint64_t)limit->max);
        at = save(at, 6, (uint64_t)limit->near);
        at =
            save(at, 1,
                 (limit->enforce ? FLAG_ENFORCE : 0u) | (limit->same_field ? FLAG_SAME_FIELD : 0u) |
                     (call_is_distinct(limit) ? FLAG_DISTINCT : 0u));
        if (call_is_distinct(limit))
            at = save_codes(at, limit);
    }
    return (size_t)(at - plan_r);
}

static void add_reset(const struct call *call, struct text *text)
{
    add_head(text, '*', 2);
    add_argument(text, "UNLINK", 6);
    add_key(text, KEY_PREFIX, call->subject, USE_SUFFIX);
}

static void add_probe_key(const struct call *call, struct text *text)
{
    if (call->subject != NULL)
        add_key(text, KEY_PREFIX, call->subject, USE_SUFFIX);
    else
        add_argument(text, PROBE_KEY, sizeof(PROBE_KEY) - 1);
}

static void add_note_keys(const struct call *call, struct text *text)
{
    char suffix[STORE_KIND_MAX + 3];

    for (size_t i = 0; i < call->notes.count; i++) {
        const struct note_item *item = &call->notes.items[i];

        (void)stpcpy(stpcpy(suffix, *item->kind != '\0' ? "}:" : "}"), item->kind);
        if (item->action == NOTE_LIST)
            add_probe_key(call, text);
        else
            add_key(text, KEY_PREFIX, item->subject, suffix);
    }
}

/* The plan, with what is to be done about notes behind it, and how long that is. */
static void add_plan(const struct call *call, struct text *text)
{
    const struct note_items *notes = &call->notes;
    struct plan_room room;
    uint8_t length[NOTES_LENGTH_SIZE];
    size_t plan_size;
    char count = (char)notes->count;
    size_t size = 1;

    make_room(call, &room);
    plan_size = write_plan(call, room.bytes);
    if (notes->count == 0) {
        add_argument(text, room.bytes, plan_size);
        goto done;
    }
    for (size_t i = 0; i < notes->count; i++)
        size += notes->items[i].length;
    (void)save(length, NOTES_LENGTH_SIZE, size);
    add_head(text, '$', plan_size + size + NOTES_LENGTH_SIZE);
    text_add(text, (const char *)room.bytes, plan_size);
    text_add(text, &count, 1);
    for (size_t i = 0; i < notes->count; i++)
        text_add(text, notes->items[i].bytes, notes->items[i].length);
    text_add(text, (const char *)length, NOTES_LENGTH_SIZE);
    text_add(text, "\r\n", 2);
done:
    free_room(&room);
}

void script_plan(const struct call *call, struct text *plan_r)
{
    struct plan_room room;

    make_room(call, &room);
    text_clear(plan_r);
    text_add(plan_r, (const char *)room.bytes, write_plan(call, room.bytes));
    free_room(&room);
}

static void add_reserve(const struct call *call, struct text *text)
{
    char mode = (char)call->reserve->mode;

    add_argument(text, call->reserve->extra, call->reserve->extra_length);
    add_argument(text, call->message, strlen(call->message));
    add_argument(text, &mode, 1);
}

void script_command(const struct call *call, const char *sha, struct text *text)
{
    bool alone = call->reserve == NULL; /* else the record is in the subject's hash */
    size_t keys = call->nsubjects + call->notes.count;
    size_t fields = 0;

    if (call->operation == CALL_RESET) {
        add_reset(call, text);
        return;
    }
    for (size_t i = 0; i < call->nlimits; i++)
        fields += !call->limits[i].same_field;
    keys += call->operation == CALL_PROBE || (*call->message != '\0' && alone);
    add_head(text, '*', 4 + keys + fields + (alone ? 0u : 3u));
    add_argument(text, "EVALSHA", 7);
    add_argument(text, sha, SCRIPT_SHA_SIZE - 1);
    add_number(text, keys);
    if (call->operation == CALL_PROBE)
        add_probe_key(call, text);
    else if (*call->message != '\0' && alone)
        add_key(text, MESSAGE_PREFIX, call->message, "}");
    for (size_t i = 0; i < call->nlimits; i++)
        if (call->limits[i].first)
            add_key(text, KEY_PREFIX, call->limits[i].subject, USE_SUFFIX);
    add_note_keys(call, text);
    for (size_t i = 0; i < call->nlimits; i++)
        if (!call->limits[i].same_field)
            add_argument(text, call->limits[i].field, strlen(call->limits[i].field));
    add_plan(call, text);
    if (!alone)
        add_reserve(call, text);
}

bool script_answer(struct call *call, const char *bytes, size_t length)
{
    size_t fixed = ANSWER_HEADER_SIZE + call->nlimits * ANSWER_LIMIT_SIZE;

    if (length < fixed ||
        !note_answer_read(&call->note_answer, bytes + fixed, length - fixed, call->notes.nreads))
        return false;
    call->refused = bytes[0] != 0;
    call->known = bytes[1] != 0;
    call->now_ms = load(bytes + 2, 6);
    bytes += ANSWER_HEADER_SIZE;
    for (size_t i = 0; i < call->nlimits; i++, bytes += ANSWER_LIMIT_SIZE) {
        struct store_limit_answer *answer = &call->answers[call->limits[i].index];
        int64_t added = load(bytes + 6, 6);
        int64_t fits_ms = load(bytes + 12, 6);

        call->limits[i].added = added;
        answer->used = load(bytes, 6) + (call->refused ? 0 : added);
        answer->retry_after_us = fits_ms == NEVER_MS ? -1 : fits_ms * 1000;
        answer->over = (bytes[18] & FLAG_OVER) != 0;
        answer->near = (bytes[18] & FLAG_NEAR) != 0;
    }
    return true;
}
