/* SPDX-License-Identifier: BSD-2-Clause */
/* The memory as the mirror of what Redis said. */
#include "lib/store/memory.h"

#include "lib/store/memory_private.h"

#include <string.h>

/* Who else there was, Redis did not say: only what this process charges is known. */
static void learn_members(struct memory *memory, const struct call *call,
                          const struct call_limit *limit)
{
    struct trial *trial = &memory->trials[0];

    if (call->operation != CALL_CHARGE || call->refused || limit->ncodes == 0)
        return;
    trial->use = memory_charge_use(memory, limit->subject);
    memory_load_window(trial, limit, call->now_ms);
    sketch_add(trial->sketch, limit->codes, limit->ncodes, trial->slice);
    use_write_sketch(trial->use, limit->field, trial->sketch);
    use_keep(trial->use, call->now_ms, limit->window_sec);
    memory_end_trials(memory, 1);
}

static void learn_limit(struct memory *memory, const struct call *call,
                        const struct call_limit *limit)
{
    int64_t used = call->answers[limit->index].used;
    struct trial *trial = &memory->trials[0];

    trial->use = memory_find_use(memory, limit->subject, call->now_ms);
    if (used == 0 && trial->use == NULL)
        return;
    memory_load_window(trial, limit, call->now_ms);
    window_settle(&trial->window, used);
    trial->use = memory_charge_use(memory, limit->subject);
    use_write(trial->use, limit->field, &trial->window);
    use_keep(trial->use, call->now_ms, limit->window_sec);
}

static void learn_record(struct memory *memory, const struct call *call)
{
    struct record *record = memory_charge_record(memory, call, call->now_ms);

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

    memory_drop_old(memory, call->now_ms);
    if (call->operation == CALL_RESET)
        use_free(map_remove(memory->subjects, call->subject, strlen(call->subject)));
    for (size_t i = 0; i < call->nlimits; i++)
        if (!call->limits[i].same_field && call_is_distinct(&call->limits[i]))
            learn_members(memory, call, &call->limits[i]);
        else if (!call->limits[i].same_field)
            learn_limit(memory, call, &call->limits[i]);
    if (call->operation == CALL_CHARGE && !call->refused)
        learn_record(memory, call);
    record = memory_find_record(memory, call, call->now_ms);
    if ((call->operation == CALL_GIVE_BACK || call->operation == CALL_RETURN) && record != NULL)
        record_free(map_remove(memory->messages, call->message, strlen(call->message)));
    memory_notes_learn(memory->notes, call);
}

int64_t memory_charged(const struct memory *memory, const struct call *call,
                       const struct call_limit *limit, int64_t now_ms)
{
    const struct record *record = memory_find_record(memory, call, now_ms);

    return record != NULL ? record_charged(record, limit->tag) : 0;
}
