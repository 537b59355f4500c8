/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters in this process's memory. */
#include "lib/store/memory.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/store/record.h"
#include "lib/store/use.h"
#include "lib/store/window.h"

#include <stdlib.h>
#include <string.h>

/* One limit of the call in hand, tried before anything is changed. */
struct trial {
    struct use *use;
    struct window window; /* as it is now */
    int64_t slice; /* that now lies in, or the newest one when the clock went back */
    int64_t delta; /* to be charged */
    int64_t to; /* the slice it is charged to */
    bool counted; /* to is within the window */
};

struct memory {
    struct map *subjects; /* name: struct use */
    struct map *messages; /* name: struct record */
    size_t subjects_max, messages_max;
    struct trial trials[STORE_LIMITS_MAX];
};

static void free_use(void *use)
{
    use_free(use);
}

static void free_record(void *record)
{
    record_free(record);
}

struct memory *memory_new(size_t subjects_max, size_t messages_max)
{
    struct memory *memory = mem_new(1, sizeof(*memory));

    memory->subjects = map_new();
    memory->messages = map_new();
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
    free(*memory);
    *memory = NULL;
}

/* Drops what expired, or is too much, from the old end of both tables. */
static void drop_old(struct memory *memory, int64_t now_ms)
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

static struct use *find_use(const struct memory *memory, const char *subject, int64_t now_ms)
{
    struct use *use = map_peek(memory->subjects, subject, strlen(subject));

    return use != NULL && use->expires_ms > now_ms ? use : NULL;
}

/* The subject's use, made if need be and moved to the young end. */
static struct use *charge_use(struct memory *memory, const char *subject)
{
    struct use *use = map_get(memory->subjects, subject, strlen(subject));

    if (use == NULL) {
        use = use_new();
        (void)map_put(memory->subjects, subject, strlen(subject), use);
    }
    return use;
}

/* The record under the message's identity, which may be another message's: MTAs use queue ids
 * again. */
static struct record *any_record(const struct memory *memory, const struct call *call,
                                 int64_t now_ms)
{
    struct record *record = NULL;

    if (*call->message != '\0')
        record = map_peek(memory->messages, call->message, strlen(call->message));
    return record != NULL && record->at_ms + RECORD_LIFE_MS > now_ms ? record : NULL;
}

static struct record *find_record(const struct memory *memory, const struct call *call,
                                  int64_t now_ms)
{
    struct record *record = any_record(memory, call, now_ms);

    if (record == NULL || record->fingerprint != call->fingerprint || record->count == 0)
        return NULL;
    return record;
}

/* A record without charges: one from before it was given back, which comes late out of another
 * program's journal, is void. */
static bool is_void(const struct memory *memory, const struct call *call, int64_t placed_ms)
{
    const struct record *record = any_record(memory, call, call->now_ms);

    return call->operation == CALL_REPLAY && record != NULL &&
           record->fingerprint == call->fingerprint && record->count == 0 &&
           placed_ms < record->given_back_ms;
}

/* The message's record, made or emptied if need be; NULL when it has no identity. */
static struct record *charge_record(struct memory *memory, const struct call *call, int64_t now_ms)
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

static void load_window(struct trial *trial, const struct call_limit *limit, int64_t now_ms)
{
    trial->slice = window_slice(limit->window_sec, now_ms);
    use_read(trial->use, limit->field, &trial->window);
    window_advance(&trial->window, trial->slice);
    if (trial->slice < trial->window.newest)
        trial->slice = trial->window.newest;
}

static void try_limit(const struct call *call, const struct call_limit *limit, struct trial *trial,
                      int64_t before, int64_t placed_ms)
{
    int64_t room = WINDOW_COUNT_MAX - trial->window.total;

    trial->delta = limit->amount > before ? limit->amount - before : 0;
    trial->delta = trial->delta < room ? trial->delta : room;
    trial->to = trial->slice;
    if (call->operation == CALL_REPLAY && placed_ms < call->now_ms)
        trial->to = window_slice(limit->window_sec, placed_ms);
    trial->counted = trial->delta > 0 && trial->to >= trial->slice - WINDOW_SLICES;
}

/* Only what is asked for anew is refused.  Who asks again about a message hears what was said
 * first. */
static bool is_over(const struct call *call, const struct call_limit *limit,
                    const struct trial *trial, const struct record *record)
{
    if (trial->delta > 0)
        return trial->window.total + trial->delta > limit->max;
    return record != NULL && call->operation < CALL_REPLAY && !limit->enforce &&
           record_seen(record, limit->tag) > limit->max;
}

static int64_t fits_in_us(const struct call *call, const struct call_limit *limit,
                          const struct trial *trial)
{
    int64_t excess = trial->window.total + trial->delta - limit->max;
    int64_t slice;

    if (limit->amount > limit->max)
        return -1;
    if (excess <= 0)
        return 0;
    slice = window_frees(&trial->window, excess);
    return (window_slice_forgotten_ms(limit->window_sec, slice) - call->now_ms) * 1000;
}

static void try_limits(struct memory *memory, struct call *call, const struct record *record,
                       int64_t placed_ms)
{
    struct use *use = NULL;

    for (size_t i = 0; i < call->nlimits; i++) {
        const struct call_limit *limit = &call->limits[i];
        struct store_limit_answer *answer = &call->answers[limit->index];
        struct trial *trial = &memory->trials[i];
        int64_t before = record != NULL ? record_charged(record, limit->tag) : 0;

        if (limit->first)
            use = find_use(memory, limit->subject, call->now_ms);
        trial->use = use;
        load_window(trial, limit, call->now_ms);
        try_limit(call, limit, trial, before, placed_ms);
        answer->used = trial->window.total;
        answer->near = false;
        answer->over = is_over(call, limit, trial, record);
        answer->retry_after_us = answer->over ? fits_in_us(call, limit, trial) : 0;
        call->refused = call->refused || (answer->over && limit->enforce);
    }
}

static void charge_limit(struct memory *memory, struct call *call, const struct call_limit *limit,
                         struct trial *trial, struct record *record)
{
    struct store_limit_answer *answer = &call->answers[limit->index];
    int64_t total = trial->window.total + trial->delta;

    if (trial->delta == 0)
        return;
    if (trial->counted)
        answer->used = total;
    if (!limit->same_field) {
        trial->use = charge_use(memory, limit->subject);
        if (trial->counted) {
            window_add(&trial->window, trial->to, trial->delta);
            use_write(trial->use, limit->field, &trial->window);
        }
        use_keep(trial->use, call->now_ms, limit->window_sec);
        if (record != NULL)
            record_add(record, limit->tag, trial->to, trial->delta, total);
    }
    if (call->operation == CALL_CHARGE && limit->near > 0 && total >= limit->near)
        answer->near = use_say_near(charge_use(memory, limit->subject), limit->field, limit->max,
                                    trial->slice);
}

static void give_back_limit(struct use *use, struct record *record, struct call *call,
                            const struct call_limit *limit, struct trial *trial)
{
    int64_t excess;
    int64_t slice = 0;
    int64_t taken;

    trial->use = use;
    load_window(trial, limit, call->now_ms);
    if (record == NULL)
        return;
    excess = record_charged(record, limit->tag) - limit->amount;
    while ((taken = record_take(record, limit->tag, excess, &slice)) > 0) {
        window_take(&trial->window, slice, taken);
        excess -= taken;
        if (use != NULL && use_has(use, limit->field))
            use_write(use, limit->field, &trial->window);
    }
}

/* Gives back what the record, if any, says beyond each limit's amount, and answers what is used. */
static void give_back_limits(struct memory *memory, struct call *call, struct record *record)
{
    struct use *use = NULL;

    call->known = record != NULL;
    for (size_t i = 0; i < call->nlimits; i++) {
        const struct call_limit *limit = &call->limits[i];
        struct trial *trial = &memory->trials[0];

        if (limit->first)
            use = find_use(memory, limit->subject, call->now_ms);
        if (!limit->same_field)
            give_back_limit(use, record, call, limit, trial);
        call->answers[limit->index] = (struct store_limit_answer){.used = trial->window.total};
    }
}

static void charge(struct memory *memory, struct call *call, int64_t placed_ms)
{
    const struct record *before = find_record(memory, call, call->now_ms);
    struct record *record = NULL;
    bool any = false;

    if (is_void(memory, call, placed_ms)) {
        give_back_limits(memory, call, NULL);
        call->known = true;
        return;
    }
    call->known = before != NULL;
    try_limits(memory, call, before, placed_ms);
    if (call->operation == CALL_LOOK || call->refused)
        return;
    for (size_t i = 0; i < call->nlimits; i++)
        any = any || memory->trials[i].delta > 0;
    if (any)
        record = charge_record(memory, call, call->now_ms);
    for (size_t i = 0; i < call->nlimits; i++)
        charge_limit(memory, call, &call->limits[i], &memory->trials[i], record);
}

static void give_back(struct memory *memory, struct call *call, int64_t placed_ms)
{
    const struct record *other = any_record(memory, call, call->now_ms);
    struct record *record;

    give_back_limits(memory, call, find_record(memory, call, call->now_ms));
    if (other != NULL && other->fingerprint != call->fingerprint)
        return;
    record = charge_record(memory, call, call->now_ms);
    if (record != NULL)
        record->given_back_ms = placed_ms;
}

static void reset(struct memory *memory, struct call *call)
{
    struct use *use = map_remove(memory->subjects, call->subject, strlen(call->subject));

    call->known = use != NULL;
    use_free(use);
}

void memory_run(struct memory *memory, struct call *call, int64_t now_ms)
{
    int64_t placed_ms = call->at_ms > 0 ? call->at_ms : now_ms;

    call->refused = false;
    call->known = false;
    call->now_ms = placed_ms;
    if (call->operation == CALL_REPLAY || call->operation == CALL_RETURN) {
        call->now_ms = now_ms;
        placed_ms = placed_ms < now_ms ? placed_ms : now_ms;
    }
    drop_old(memory, call->now_ms);
    switch (call->operation) {
    case CALL_LOOK:
    case CALL_CHARGE:
    case CALL_REPLAY:
        charge(memory, call, placed_ms);
        break;
    case CALL_GIVE_BACK:
    case CALL_RETURN:
        give_back(memory, call, placed_ms);
        break;
    case CALL_RESET:
        reset(memory, call);
        break;
    case CALL_PROBE:
        break;
    }
}

static void learn_limit(struct memory *memory, const struct call *call,
                        const struct call_limit *limit)
{
    int64_t used = call->answers[limit->index].used;
    struct trial *trial = &memory->trials[0];

    trial->use = find_use(memory, limit->subject, call->now_ms);
    if (used == 0 && trial->use == NULL)
        return;
    load_window(trial, limit, call->now_ms);
    window_settle(&trial->window, used);
    trial->use = charge_use(memory, limit->subject);
    use_write(trial->use, limit->field, &trial->window);
    use_keep(trial->use, call->now_ms, limit->window_sec);
}

static void learn_record(struct memory *memory, const struct call *call)
{
    struct record *record = charge_record(memory, call, call->now_ms);

    if (record == NULL)
        return;
    if (!call->known)
        record_clear(record, call->fingerprint);
    for (size_t i = 0; i < call->nlimits; i++) {
        const struct call_limit *limit = &call->limits[i];
        int64_t more = limit->amount - record_charged(record, limit->tag);

        if (!limit->same_field && more > 0)
            record_add(record, limit->tag, window_slice(limit->window_sec, call->now_ms), more,
                       call->answers[limit->index].used);
    }
}

void memory_learn(struct memory *memory, const struct call *call)
{
    const struct record *record;

    drop_old(memory, call->now_ms);
    if (call->operation == CALL_RESET)
        use_free(map_remove(memory->subjects, call->subject, strlen(call->subject)));
    for (size_t i = 0; i < call->nlimits; i++)
        if (!call->limits[i].same_field)
            learn_limit(memory, call, &call->limits[i]);
    if (call->operation == CALL_CHARGE && !call->refused)
        learn_record(memory, call);
    record = find_record(memory, call, call->now_ms);
    if ((call->operation == CALL_GIVE_BACK || call->operation == CALL_RETURN) && record != NULL)
        record_free(map_remove(memory->messages, call->message, strlen(call->message)));
}

int64_t memory_charged(const struct memory *memory, const struct call *call,
                       const struct call_limit *limit, int64_t now_ms)
{
    const struct record *record = find_record(memory, call, now_ms);

    return record != NULL ? record_charged(record, limit->tag) : 0;
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
