/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory's two tables: subjects and messages. */
#include "lib/store/memory.h"

#include "lib/base/mem.h"
#include "lib/store/memory_private.h"

#include <stdlib.h>
#include <string.h>

static void free_use(void *use)
{
    use_free(use);
}

static void free_record(void *record)
{
    record_free(record);
}

struct memory *memory_new(size_t subjects_max, size_t messages_max, size_t notes_max)
{
    struct memory *memory = mem_new(1, sizeof(*memory));

    memory->subjects = map_new();
    memory->messages = map_new();
    memory->notes = memory_notes_new(notes_max);
    memory->subjects_max = subjects_max;
    memory->messages_max = messages_max;
    return memory;
}

void memory_free(struct memory **memory)
{
    if (*memory == NULL)
        return;
    map_free(&(*memory)->subjects, free_use);
    map_free(&(*memory)->messages, free_record);
    memory_notes_free(&(*memory)->notes);
    memory_end_trials(*memory, STORE_LIMITS_MAX);
    free(*memory);
    *memory = NULL;
}

void memory_drop_old(struct memory *memory, int64_t now_ms)
{
    const struct use *use;
    const struct record *record;
    const void *key;
    size_t length;

    while ((use = map_oldest(memory->subjects, &key, &length)) != NULL &&
           (use->expires_ms <= now_ms || map_count(memory->subjects) > memory->subjects_max))
        use_free(map_remove(memory->subjects, key, length));
    while ((record = map_oldest(memory->messages, &key, &length)) != NULL &&
           (record->at_ms + RECORD_LIFE_MS <= now_ms ||
            map_count(memory->messages) > memory->messages_max))
        record_free(map_remove(memory->messages, key, length));
}

struct use *memory_find_use(const struct memory *memory, const char *subject, int64_t now_ms)
{
    struct use *use = map_peek(memory->subjects, subject, strlen(subject));

    return use != NULL && use->expires_ms > now_ms ? use : NULL;
}

struct use *memory_charge_use(struct memory *memory, const char *subject)
{
    struct use *use = map_get(memory->subjects, subject, strlen(subject));

    if (use == NULL) {
        use = use_new();
        (void)map_put(memory->subjects, subject, strlen(subject), use);
    }
    return use;
}

struct record *memory_any_record(const struct memory *memory, const struct call *call,
                                 int64_t now_ms)
{
    struct record *record = NULL;

    if (*call->message != '\0')
        record = map_peek(memory->messages, call->message, strlen(call->message));
    return record != NULL && record->at_ms + RECORD_LIFE_MS > now_ms ? record : NULL;
}

struct record *memory_find_record(const struct memory *memory, const struct call *call,
                                  int64_t now_ms)
{
    struct record *record = memory_any_record(memory, call, now_ms);

    if (record == NULL || record->fingerprint != call->fingerprint || record->count == 0)
        return NULL;
    return record;
}

struct record *memory_charge_record(struct memory *memory, const struct call *call, int64_t now_ms)
{
    struct record *record;

    if (*call->message == '\0')
        return NULL;
    record = map_get(memory->messages, call->message, strlen(call->message));
    if (record == NULL) {
        record = mem_new(1, sizeof(*record));
        (void)map_put(memory->messages, call->message, strlen(call->message), record);
    }
    if (record->fingerprint != call->fingerprint || record->at_ms + RECORD_LIFE_MS <= now_ms)
        record_clear(record, call->fingerprint);
    record->at_ms = now_ms;
    return record;
}

void memory_load_window(struct trial *trial, const struct call_limit *limit, int64_t now_ms)
{
    trial->slice = window_slice(limit->window_sec, now_ms);
    sketch_free(&trial->sketch);
    if (call_is_distinct(limit)) {
        trial->sketch = use_sketch(trial->use, limit->field, trial->slice);
        trial->slice = sketch_newest(trial->sketch);
        memset(&trial->window, 0, sizeof(trial->window));
        trial->window.total = sketch_estimate(trial->sketch);
        return;
    }
    use_read(trial->use, limit->field, &trial->window);
    window_advance(&trial->window, trial->slice);
    if (trial->slice < trial->window.newest)
        trial->slice = trial->window.newest;
}

void memory_end_trials(struct memory *memory, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sketch_free(&memory->trials[i].sketch);
}

size_t memory_window(const struct memory *memory, const char *subject, const char *field,
                     uint8_t *bytes_r)
{
    return use_bytes(map_peek(memory->subjects, subject, strlen(subject)), field, bytes_r);
}

size_t memory_subjects(const struct memory *memory)
{
    return map_count(memory->subjects);
}
