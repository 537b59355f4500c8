/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The journal's way to a store that is back: the oldest entries first, some of them under way at a
 * time, and out of the journal when the store has them all.
 *
 * Charges that are made meanwhile go to the store at once: a window does not mind the order.  What
 * concerns one message is kept in order.
 */
#include "lib/store/store_private.h"

#include <string.h>

#define REPLAY_AGAIN_MS 100

void store_replay_soon(struct store *store)
{
    if (store->replay_timer != NULL && store->replaying == 0)
        loop_timer_start(store->replay_timer, REPLAY_AGAIN_MS);
}

static bool same_message(struct call *const *calls, size_t count, const struct call *call)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(calls[i]->message, call->message) == 0)
            return true;
    return false;
}

static void end_round(struct store *store)
{
    /* Entries are idempotent: a round that broke off is simply made again. */
    if (store->replay_failed > 0) {
        if (store->up)
            store_replay_soon(store);
        return;
    }
    journal_done(store->journal, store->replay_round);
    store->replayed += store->replay_round - store->replay_lost;
    store->lost += store->replay_lost;
    store_replay(store);
}

void store_replay_done(struct store *store, struct call *call, enum backend_result result)
{
    /* What the store cannot take now it will not take later, and must not keep from it the rest. */
    store->replay_lost += result == BACKEND_FAILED;
    store->replay_failed += result == BACKEND_UNSENT || result == BACKEND_UNCERTAIN;
    call_release(call);
    if (--store->replaying == 0)
        end_round(store);
}

void store_replay(void *context)
{
    struct store *store = context;
    struct call *calls[STORE_REPLAY_MAX];
    size_t count = 0;

    if (!store->up || store->closing || store->replaying > 0)
        return;
    while (count < STORE_REPLAY_MAX && count < journal_count(store->journal)) {
        struct call *call = journal_call(store->journal, count);

        if (call == NULL && count == 0) {
            journal_done(store->journal, 1);
            store->lost++;
            continue;
        }
        if (call == NULL)
            break;
        call->replayed = true;
        if (same_message(calls, count, call)) {
            call_release(call);
            break;
        }
        calls[count++] = call;
    }
    if (count == 0) {
        store_tell_up(store);
        return;
    }
    store->replay_failed = 0;
    store->replay_lost = 0;
    store->replay_round = count;
    /* One more, so that the round cannot end before all of it is sent. */
    store->replaying = count + 1;
    for (size_t i = 0; i < count; i++)
        store_submit(store, calls[i]);
    if (--store->replaying == 0)
        end_round(store);
}
