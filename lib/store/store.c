/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's front: requests become calls, and whatever the backend says becomes an answer. */
#include "lib/store/store.h"

#include "lib/store/local.h"
#include "lib/store/store_private.h"

#include <stdio.h>
#include <stdlib.h>

#define CLOCK_WAS_SET_MS 1000 /* a change of offset that no delay explains */

static const struct {
    bool counts_locally;
    bool keeps; /* the message goes its way, so that what it comes to is charged later */
} modes[] = {
    [STORE_ON_FAILURE_LOCAL] = {true, true},
    [STORE_ON_FAILURE_ACCEPT] = {false, true},
    [STORE_ON_FAILURE_DEFER] = {false, false},
};

int64_t store_now_ms(const struct store *store)
{
    return clock_now_us(store->wall) / 1000 + store->offset_ms;
}

static void tell(struct store *store, struct call *call)
{
    struct store_answer answer = {
        .outcome = call->outcome,
        .known = call->known,
        .local = call->local,
        .limits = call->outcome != STORE_OUTCOME_AWAY ? call->answers : NULL,
        .nlimits = call->nlimits,
        .notes = call->note_answer.notes,
        .nnotes = call->note_answer.count,
        .now_us = (call->now_ms > 0 ? call->now_ms : store_now_ms(store)) * 1000,
        .waited_us = clock_now_us(store->steady) - call->started_us,
    };

    store->open--;
    store->refused += call->outcome == STORE_OUTCOME_OVER && call->operation == CALL_CHARGE;
    store->local += call->local;
    if (call->callback != NULL)
        call->callback(&answer, call->context);
    call_release(call);
}

void store_on_tell(evutil_socket_t fd, short events, void *context)
{
    struct store *store = context;

    (void)fd;
    (void)events;
    while (store->answered != NULL) {
        struct call *call = store->answered;

        store->answered = call->behind;
        if (store->answered == NULL)
            store->answered_end = &store->answered;
        tell(store, call);
    }
}

/* Never while the caller is still asking: who asks may hold what the answer changes. */
static void tell_when_due(struct store *store, struct call *call)
{
    if (!store->submitting) {
        tell(store, call);
        return;
    }
    call->behind = NULL;
    *store->answered_end = call;
    store->answered_end = &call->behind;
    event_active(store->tell, EV_TIMEOUT, 0);
}

static void keep(struct store *store, enum call_operation operation, const struct call *call)
{
    int64_t at_ms = call->at_ms > 0 ? call->at_ms : store_now_ms(store);

    if (*call->message == '\0' || call->nlimits == 0)
        return;
    if (!journal_add(store->journal, operation, call, at_ms))
        store->lost++;
    else if (store->up)
        store_replay_soon(store);
}

/* A charge that may have been made, for a message that is refused: what goes beyond the message's
 * earlier charges is given back. */
static void keep_refusal(struct store *store, const struct call *call)
{
    struct call *earlier =
        call_new_named(CALL_GIVE_BACK, call->message, call->limits, call->nlimits);

    earlier->fingerprint = call->fingerprint;
    /* This is our own order of things: what we charge for the message from now on is not meant. */
    earlier->at_ms = (call->at_ms > 0 ? call->at_ms : store_now_ms(store)) - CALL_SKEW_MS;
    for (size_t i = 0; i < call->nlimits; i++)
        earlier->limits[i].amount =
            memory_charged(store->memory, call, &call->limits[i], store_now_ms(store));
    keep(store, CALL_RETURN, earlier);
    call_release(earlier);
}

static enum store_outcome outcome_of(const struct call *call)
{
    return call->refused ? STORE_OUTCOME_OVER : STORE_OUTCOME_DONE;
}

/* No answer from the backend: store-failure decides. */
static void answer_away(struct store *store, struct call *call, bool uncertain)
{
    bool keeps = modes[store->on_failure].keeps;

    call->outcome = STORE_OUTCOME_AWAY;
    if (modes[store->on_failure].counts_locally && !store->closing) {
        memory_run(store->memory, call, store_now_ms(store));
        call->local = call->operation != CALL_RESET && call->operation != CALL_NOTE;
        call->outcome = call->local ? outcome_of(call) : STORE_OUTCOME_AWAY;
        keeps = call->outcome != STORE_OUTCOME_OVER;
    } else {
        memory_run_notes(store->memory, call, store_now_ms(store));
    }
    if (call->operation == CALL_NOTE)
        store_note_keep(store, call);
    else if (call->operation == CALL_GIVE_BACK)
        keep(store, CALL_RETURN, call);
    else if (call->operation == CALL_CHARGE && keeps)
        keep(store, CALL_REPLAY, call);
    else if (call->operation == CALL_CHARGE && uncertain)
        keep_refusal(store, call);
}

/* An answer that was long on its way makes our clock look fast and never slow, so the largest
 * offset is the truest, until a clock has been set. */
static void learn_offset(struct store *store, int64_t now_ms)
{
    int64_t offset_ms = now_ms - clock_now_us(store->wall) / 1000;

    if (!store->knows_offset || offset_ms > store->offset_ms ||
        offset_ms < store->offset_ms - CLOCK_WAS_SET_MS)
        store->offset_ms = offset_ms;
    store->knows_offset = true;
}

void store_on_done(void *context, struct call *call, enum backend_result result)
{
    struct store *store = context;

    store->timeouts += result == BACKEND_UNCERTAIN;
    if (result == BACKEND_ANSWERED && store->mirrors) {
        if (call->operation != CALL_RESET && (call->at_ms == 0 || call->replayed))
            learn_offset(store, call->now_ms);
        memory_learn(store->memory, call);
    }
    if (call->replayed) {
        store_replay_done(store, call, result);
        return;
    }
    if (call->brought) {
        store_note_brought(store, call, result);
        return;
    }
    if (result == BACKEND_ANSWERED)
        call->outcome = outcome_of(call);
    else
        answer_away(store, call, result == BACKEND_UNCERTAIN);
    tell_when_due(store, call);
}

void store_submit(struct store *store, struct call *call)
{
    bool before = store->submitting;

    store->submitting = true;
    store->backend.kind->submit(store->backend.object, call);
    store->submitting = before;
}

void store_start(struct store *store, struct call *call, store_callback *callback, void *context)
{
    call->callback = callback;
    call->context = context;
    call->started_us = clock_now_us(store->steady);
    store->open++;
    store_submit(store, call);
}

void store_look(struct store *store, const struct store_request *request, store_callback *callback,
                void *context)
{
    store->looks++;
    store_start(store, call_new(&store->hiding, CALL_LOOK, request), callback, context);
}

void store_charge(struct store *store, const struct store_request *request,
                  store_callback *callback, void *context)
{
    struct store_request named = *request;
    char identity[sizeof(store->identity) + 24];

    store->charges++;
    /* Without an identity, a charge whose answer is lost could not be made again without being made
     * twice. */
    if (*named.identity == '\0' && named.nlimits > 0 && store->mirrors) {
        (void)snprintf(identity, sizeof(identity), "%s%llu", store->identity,
                       (unsigned long long)store->identities++);
        named.identity = identity;
    }
    store_start(store, call_new(&store->hiding, CALL_CHARGE, &named), callback, context);
}

void store_give_back(struct store *store, const struct store_request *request,
                     store_callback *callback, void *context)
{
    store_start(store, call_new(&store->hiding, CALL_GIVE_BACK, request), callback, context);
}

void store_reset(struct store *store, const char *subject, store_callback *callback, void *context)
{
    store_start(store, call_new_bare(&store->hiding, CALL_RESET, subject), callback, context);
}

bool store_is_up(const struct store *store)
{
    return store->up;
}

void store_status(const struct store *store, struct store_status *status_r)
{
    /* A journal that is empty has nothing to lose. */
    const char *unsaved =
        journal_count(store->journal) > 0 ? journal_problem(store->journal) : NULL;
    const char *problem;

    if (unsaved == NULL)
        unsaved = backend_local_problem(&store->backend);
    problem = store->up ? unsaved : store->problem;
    *status_r = (struct store_status){
        .up = store->up,
        .address = store->backend.kind->address(store->backend.object),
        .server = store->backend.kind->server(store->backend.object),
        .problem = problem != NULL ? problem : "",
        .unsaved = unsaved != NULL ? unsaved : "",
        .down_us = store->up ? 0 : clock_now_us(store->steady) - store->down_since_us,
        .journal = journal_count(store->journal),
        .journal_max = journal_max(store->journal),
        .charges = store->charges,
        .looks = store->looks,
        .refused = store->refused,
        .timeouts = store->timeouts,
        .local = store->local,
    };
}
