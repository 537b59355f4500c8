/* SPDX-License-Identifier: BSD-2-Clause */
/* A command as a call. */
#include "lib/store/script_call.h"

#include "lib/base/mem.h"
#include "lib/store/packed.h"
#include "lib/store/window.h"

#include <stdlib.h>
#include <string.h>

#define KEY_PREFIX "sluice:{"
#define MESSAGE_PREFIX "msg:"
#define USE_SUFFIX "use"
#define NOTES_FLAG 128
#define NOTES_LENGTH_SIZE 3
#define PLAN_HEADER_SIZE 16
#define PLAN_LIMIT_SIZE 29
#define ITEM_HEADER_SIZE 10
#define MARK_NUMBERS_SIZE 10
#define NEVER_MS ((INT64_C(1) << 48) - 1)

enum { FLAG_ENFORCE = 1, FLAG_SAME_FIELD = 2, FLAG_DISTINCT = 4, FLAG_OVER = 1, FLAG_NEAR = 2 };

/* "sluice:{NAME}:KIND", taken apart. */
struct key {
    char name[SUBJECT_NAME_SIZE];
    char kind[STORE_KIND_MAX + 1];
};

/* A command while it is read. */
struct reading {
    const struct script_word *keys, *fields, *end; /* what comes next of them, and the plan */
    struct key *subjects;
    size_t nsubjects;
    struct packed_reader plan, notes;
    enum call_operation operation;
    size_t nitems;
    int64_t at_ms;
    uint64_t fingerprint;
    char message[SUBJECT_NAME_SIZE];
    struct call_limit limits[STORE_LIMITS_MAX];
    size_t nlimits;
};

static bool read_key(const struct script_word *word, struct key *key_r)
{
    const char *start = word->bytes + strlen(KEY_PREFIX);
    const char *end = word->bytes + word->length;
    const char *brace = memrchr(word->bytes, '}', word->length);
    const char *kind;

    if (word->length < strlen(KEY_PREFIX) || brace == NULL || brace < start ||
        memcmp(word->bytes, KEY_PREFIX, strlen(KEY_PREFIX)) != 0 ||
        (size_t)(brace - start) >= sizeof(key_r->name) ||
        memchr(word->bytes, '\0', word->length) != NULL)
        return false;
    kind = brace + 1 + (brace + 1 < end && brace[1] == ':');
    if ((size_t)(end - kind) >= sizeof(key_r->kind) || (kind == brace + 1 && kind != end))
        return false;
    *stpncpy(key_r->name, start, (size_t)(brace - start)) = '\0';
    *stpncpy(key_r->kind, kind, (size_t)(end - kind)) = '\0';
    return true;
}

/* The plan's last part says how long what it says about notes is. */
static bool part_plan(struct reading *reading, const struct script_word *plan, bool notes)
{
    const char *end = plan->bytes + plan->length;
    struct packed_reader tail = {end - NOTES_LENGTH_SIZE, end, false};
    size_t length;

    reading->plan = (struct packed_reader){plan->bytes, end, false};
    reading->notes = (struct packed_reader){end, end, false};
    if (!notes)
        return true;
    length = (size_t)packed_read_number(&tail, NOTES_LENGTH_SIZE) + NOTES_LENGTH_SIZE;
    if (length > plan->length - PLAN_HEADER_SIZE)
        return false;
    reading->plan.end -= length;
    reading->notes = (struct packed_reader){reading->plan.end, end - NOTES_LENGTH_SIZE, false};
    reading->nitems = (size_t)packed_read_number(&reading->notes, 1);
    return true;
}

static bool read_header(struct reading *reading, const struct script_word *plan)
{
    int64_t operation;

    if (plan->length < PLAN_HEADER_SIZE ||
        !part_plan(reading, plan, ((uint8_t)*plan->bytes & NOTES_FLAG) != 0))
        return false;
    operation = packed_read_number(&reading->plan, 1) & ~NOTES_FLAG;
    reading->operation = (enum call_operation)operation;
    reading->nsubjects = (size_t)packed_read_number(&reading->plan, 1);
    reading->at_ms = packed_read_number(&reading->plan, 6);
    reading->fingerprint = (uint64_t)packed_read_number(&reading->plan, 8);
    return operation <= CALL_PROBE && reading->nsubjects <= STORE_LIMITS_MAX;
}

static bool read_codes(struct reading *reading, struct call_limit *limit)
{
    size_t count = (size_t)packed_read_number(&reading->plan, 2);

    if (reading->plan.bad || (size_t)(reading->plan.end - reading->plan.at) < 2 * count)
        return false;
    limit->ncodes = count;
    limit->codes = mem_new(count + 1, sizeof(*limit->codes));
    for (size_t i = 0; i < count; i++)
        limit->codes[i] = (uint16_t)packed_read_number(&reading->plan, 2);
    return true;
}

static bool read_limit(struct reading *reading, size_t *left)
{
    struct call_limit *limit = &reading->limits[reading->nlimits];
    int64_t flags;

    memset(limit, 0, sizeof(*limit));
    (void)packed_read_number(&reading->plan, 6); /* the tag is made from the names */
    limit->window_sec = packed_read_number(&reading->plan, 4);
    limit->amount = packed_read_number(&reading->plan, 6);
    limit->max = packed_read_number(&reading->plan, 6);
    limit->near = packed_read_number(&reading->plan, 6);
    flags = packed_read_number(&reading->plan, 1);
    limit->enforce = (flags & FLAG_ENFORCE) != 0;
    if (reading->plan.bad || limit->window_sec < 1 || limit->amount > CALL_AMOUNT_MAX ||
        limit->max > WINDOW_COUNT_MAX || limit->near > WINDOW_COUNT_MAX)
        return false;
    if ((flags & FLAG_SAME_FIELD) != 0) {
        if (reading->nlimits == 0)
            return false;
        limit->subject = limit[-1].subject;
        limit->field[0] = limit[-1].field[0];
    } else {
        if (*left == 0 || reading->fields == reading->end || reading->fields->length == 0 ||
            *reading->fields->bytes <= ' ')
            return false;
        (*left)--;
        limit->subject = reading->subjects->name;
        limit->field[0] = *reading->fields++->bytes;
    }
    reading->nlimits++;
    return ((flags & FLAG_DISTINCT) != 0) == call_is_distinct(limit) &&
           ((flags & FLAG_DISTINCT) == 0 || read_codes(reading, limit));
}

/* How many fields each subject has stands before the limits. */
static bool read_limits(struct reading *reading)
{
    const char *counts = packed_read_bytes(&reading->plan, reading->nsubjects);
    struct key *last = reading->subjects + reading->nsubjects;
    size_t left = 0;

    if (counts == NULL)
        return false;
    while (reading->plan.at < reading->plan.end) {
        bool next = left == 0 &&
                    (size_t)(reading->plan.end - reading->plan.at) >= PLAN_LIMIT_SIZE &&
                    (reading->plan.at[PLAN_LIMIT_SIZE - 1] & FLAG_SAME_FIELD) == 0;

        if (reading->nlimits == STORE_LIMITS_MAX)
            return false;
        if (next && reading->nlimits > 0)
            reading->subjects++;
        if (next && reading->subjects == last)
            return false;
        if (next)
            left = (uint8_t)*counts++;
        if (!read_limit(reading, &left))
            return false;
    }
    return reading->fields == reading->end && left == 0;
}

static bool skip_string(struct packed_reader *reader)
{
    size_t length = (size_t)packed_read_number(reader, 2);

    return packed_read_bytes(reader, length) != NULL;
}

/* Goes behind an item; false: it is none. */
static bool skip_item(struct packed_reader *reader, enum note_action *action_r)
{
    const char *header = packed_read_bytes(reader, ITEM_HEADER_SIZE);
    size_t parts;

    if (header == NULL || *header < NOTE_READ || *header > NOTE_LIST)
        return false;
    *action_r = (enum note_action) * header;
    parts = (uint8_t)header[1];
    /* Names without values, and a list without a cursor, are nothing. */
    if (((*action_r == NOTE_SET || *action_r == NOTE_REPLACE) && parts % 2 != 0) ||
        (*action_r == NOTE_LIST && parts != 2))
        return false;
    for (size_t i = 0; i < parts; i++)
        if (!skip_string(reader) ||
            (*action_r == NOTE_MARK &&
             (packed_read_bytes(reader, MARK_NUMBERS_SIZE) == NULL || !skip_string(reader))))
            return false;
    return true;
}

/* A list's kind is in its pattern, "sluice:{*}:KIND"; it has no key of its own. */
static bool read_list(const char *bytes, size_t length, struct key *key_r)
{
    struct packed_reader reader = {bytes + ITEM_HEADER_SIZE, bytes + length, false};
    struct script_word pattern;

    (void)skip_string(&reader);
    pattern.length = (size_t)packed_read_number(&reader, 2);
    pattern.bytes = packed_read_bytes(&reader, pattern.length);
    if (pattern.bytes == NULL || !read_key(&pattern, key_r))
        return false;
    *key_r->name = '\0';
    return true;
}

/* The items' memory is: name, kind and packed octets of each, one behind the other. */
static bool read_items(struct reading *reading, struct note_items *items_r)
{
    struct text text = TEXT_EMPTY;
    size_t places[2 * STORE_NOTES_MAX][3];

    memset(items_r, 0, sizeof(*items_r));
    if (reading->nitems > 2 * STORE_NOTES_MAX)
        return false;
    items_r->items = mem_new(reading->nitems + 1, sizeof(*items_r->items));
    for (size_t i = 0; i < reading->nitems; i++) {
        struct note_item *item = &items_r->items[i];
        const char *start = reading->notes.at;
        struct key key;

        if (!skip_item(&reading->notes, &item->action) || !read_key(reading->keys++, &key))
            break;
        if (item->action == NOTE_LIST &&
            !read_list(start, (size_t)(reading->notes.at - start), &key))
            break;
        places[i][0] = text.length;
        packed_name(&text, key.name);
        places[i][1] = text.length;
        packed_name(&text, key.kind);
        places[i][2] = text.length;
        item->length = (size_t)(reading->notes.at - start);
        text_add(&text, start, item->length);
        items_r->count++;
        if (item->action == NOTE_READ || item->action == NOTE_LIST)
            items_r->nreads++;
    }
    items_r->memory_size = text.length;
    items_r->memory = text.length > 0 ? text_take(&text) : mem_copy("");
    for (size_t i = 0; i < items_r->count; i++) {
        items_r->items[i].subject = items_r->memory + places[i][0];
        items_r->items[i].kind = items_r->memory + places[i][1];
        items_r->items[i].bytes = items_r->memory + places[i][2];
    }
    return items_r->count == reading->nitems && reading->notes.at == reading->notes.end;
}

static bool read_subjects(struct reading *reading)
{
    for (size_t i = 0; i < reading->nsubjects; i++)
        if (!read_key(reading->keys++, &reading->subjects[i]) ||
            strcmp(reading->subjects[i].kind, USE_SUFFIX) != 0)
            return false;
    return true;
}

static bool read_message(struct reading *reading, size_t nkeys)
{
    struct key key;

    if (nkeys == reading->nsubjects + reading->nitems)
        return true;
    if (nkeys != reading->nsubjects + reading->nitems + 1 || !read_key(reading->keys++, &key) ||
        *key.kind != '\0' || strncmp(key.name, MESSAGE_PREFIX, strlen(MESSAGE_PREFIX)) != 0)
        return false;
    (void)stpcpy(reading->message, key.name + strlen(MESSAGE_PREFIX));
    return true;
}

static struct call *read_plan(struct reading *reading, size_t nkeys)
{
    struct note_items items = {0};
    struct call *call = NULL;

    if (reading->operation == CALL_PROBE)
        return call_new_named(CALL_PROBE, "", NULL, 0);
    if (!read_message(reading, nkeys) || !read_subjects(reading) || !read_items(reading, &items) ||
        !read_limits(reading)) {
        note_items_free(&items);
        return NULL;
    }
    call = call_new_named(reading->operation, reading->message, reading->limits, reading->nlimits);
    call->fingerprint = reading->fingerprint;
    call->at_ms = reading->at_ms;
    call->notes = items;
    return call;
}

static struct call *read_evalsha(const struct script_word *words, size_t count)
{
    struct reading reading = {.nlimits = 0};
    struct key *subjects;
    struct call *call = NULL;
    int64_t nkeys;

    if (count < 4 || !text_number(words[2].bytes, words[2].length, &nkeys) ||
        nkeys > (int64_t)count - 4 || !read_header(&reading, &words[count - 1]))
        return NULL;
    reading.keys = words + 3;
    reading.fields = words + 3 + nkeys;
    reading.end = words + count - 1;
    subjects = mem_new(reading.nsubjects + 1, sizeof(*subjects));
    reading.subjects = subjects;
    call = read_plan(&reading, (size_t)nkeys);
    for (size_t i = 0; i < reading.nlimits; i++)
        free(reading.limits[i].codes);
    free(subjects);
    return call;
}

static bool is(const struct script_word *word, const char *name)
{
    return word->length == strlen(name) && memcmp(word->bytes, name, word->length) == 0;
}

struct call *script_call(const struct script_word *words, size_t count)
{
    struct key key;
    struct call *call;

    if (is(&words[0], "EVALSHA"))
        return read_evalsha(words, count);
    if (count != 2 || !is(&words[0], "UNLINK") || !read_key(&words[1], &key))
        return NULL;
    call = call_new_raw(CALL_RESET, key.name);
    return call;
}

void script_write_answer(const struct call *call, struct text *answer)
{
    text_clear(answer);
    packed_number(answer, 1, call->refused);
    packed_number(answer, 1, call->known);
    packed_number(answer, 6, call->now_ms);
    for (size_t i = 0; i < call->nlimits; i++) {
        const struct store_limit_answer *its = &call->answers[call->limits[i].index];

        packed_number(answer, 6, its->used);
        packed_number(answer, 6, 0); /* is in what was used already */
        packed_number(answer, 6,
                      its->retry_after_us < 0 ? NEVER_MS : (its->retry_after_us + 999) / 1000);
        packed_number(answer, 1, (its->over ? FLAG_OVER : 0) | (its->near ? FLAG_NEAR : 0));
    }
    for (size_t i = 0; i < call->note_answer.count; i++) {
        const struct store_note *note = &call->note_answer.notes[i];
        size_t start = note_answer_start(answer);

        for (size_t k = 0; k < note->npairs; k++) {
            const struct store_pair *pair = &note->pairs[k];

            note_answer_string(answer, start, pair->name, strlen(pair->name));
            note_answer_string(answer, start, pair->value, strlen(pair->value));
        }
    }
}
