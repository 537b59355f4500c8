/* SPDX-License-Identifier: BSD-2-Clause */
/* Counters in this process's memory. */
#include "lib/store/memory.h"

#include "lib/store/memory_private.h"

#include <string.h>

/* A record without charges: one from before it was given back, which comes late out of another
 * program's journal, is void. */
static bool is_void(const struct memory *memory, const struct call *call, int64_t placed_ms)
{
    const struct record *record = memory_any_record(memory, call, call->now_ms);

    return call->operation == CALL_REPLAY && record != NULL &&
           record->fingerprint == call->fingerprint && record->count == 0 &&
           placed_ms < record->given_back_ms + CALL_SKEW_MS;
}

/* What the members come to that were not counted yet. */
static void try_members(const struct call_limit *limit, struct trial *trial)
{
    int64_t more;

    sketch_add(trial->sketch, limit->codes, limit->ncodes, trial->to);
    more = sketch_estimate(trial->sketch) - trial->window.total;
    trial->delta = more > 0 ? more : 0;
}

static void try_limit(const struct call *call, const struct call_limit *limit, struct trial *trial,
                      int64_t before, int64_t placed_ms)
{
    int64_t room = WINDOW_COUNT_MAX - trial->window.total;

    trial->part = limit->amount > before ? limit->amount - before : 0;
    trial->delta = trial->part < room ? trial->part : room;
    trial->to = trial->slice;
    if (call->operation == CALL_REPLAY && placed_ms < call->now_ms)
        trial->to = window_slice(limit->window_sec, placed_ms);
    if (trial->sketch != NULL && trial->part > 0)
        try_members(limit, trial);
    else if (trial->sketch == NULL)
        trial->part = trial->delta;
    trial->counted = trial->part > 0 && trial->to >= trial->slice - WINDOW_SLICES;
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
    slice = trial->sketch != NULL ? sketch_frees(trial->sketch, limit->max)
                                  : window_frees(&trial->window, excess);
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
            use = memory_find_use(memory, limit->subject, call->now_ms);
        trial->use = use;
        memory_load_window(trial, limit, call->now_ms);
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

    if (trial->part == 0)
        return;
    if (trial->counted)
        answer->used = total;
    if (!limit->same_field) {
        trial->use = memory_charge_use(memory, limit->subject);
        if (trial->sketch != NULL) {
            use_write_sketch(trial->use, limit->field, trial->sketch);
        } else if (trial->counted) {
            window_add(&trial->window, trial->to, trial->delta);
            use_write(trial->use, limit->field, &trial->window);
        }
        use_keep(trial->use, call->now_ms, limit->window_sec);
        if (record != NULL)
            record_add(record, limit->tag, trial->to, trial->part, total);
    }
    if (call->operation == CALL_CHARGE && trial->delta > 0 && limit->near > 0 &&
        total >= limit->near)
        answer->near = use_say_near(memory_charge_use(memory, limit->subject), limit->field,
                                    limit->max, trial->slice);
}

static void give_back_limit(struct use *use, struct record *record, struct call *call,
                            const struct call_limit *limit, struct trial *trial)
{
    int64_t excess;
    int64_t slice = 0;
    int64_t taken;

    trial->use = use;
    memory_load_window(trial, limit, call->now_ms);
    if (record == NULL)
        return;
    excess = record_charged(record, limit->tag) - limit->amount;
    while ((taken = record_take(record, limit->tag, excess, &slice)) > 0) {
        excess -= taken;
        if (trial->sketch != NULL)
            continue;
        window_take(&trial->window, slice, taken);
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
            use = memory_find_use(memory, limit->subject, call->now_ms);
        if (!limit->same_field)
            give_back_limit(use, record, call, limit, trial);
        call->answers[limit->index] = (struct store_limit_answer){.used = trial->window.total};
    }
}

static void charge(struct memory *memory, struct call *call, int64_t placed_ms)
{
    const struct record *before = memory_find_record(memory, call, call->now_ms);
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
        any = any || memory->trials[i].part > 0;
    if (any)
        record = memory_charge_record(memory, call, call->now_ms);
    for (size_t i = 0; i < call->nlimits; i++)
        charge_limit(memory, call, &call->limits[i], &memory->trials[i], record);
}

static void give_back(struct memory *memory, struct call *call, int64_t placed_ms)
{
    const struct record *other = memory_any_record(memory, call, call->now_ms);
    struct record *record;

    give_back_limits(memory, call, memory_find_record(memory, call, call->now_ms));
    if (other != NULL && other->fingerprint != call->fingerprint)
        return;
    record = memory_charge_record(memory, call, call->now_ms);
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
    memory_drop_old(memory, call->now_ms);
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
    case CALL_NOTE:
        break;
    }
    memory_end_trials(memory, call->nlimits > 0 ? call->nlimits : 1);
    memory_notes_run(memory->notes, call);
}

void memory_run_notes(struct memory *memory, struct call *call, int64_t now_ms)
{
    call->now_ms = now_ms;
    memory_notes_run(memory->notes, call);
}
