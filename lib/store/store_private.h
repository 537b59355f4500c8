/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the front's parts share: store.c takes requests and gives answers, store_open.c sets up and
 * takes down, store_replay.c brings the journal to a store that is back,
 * store_note.c is about notes alone.
 */
#pragma once

#include "lib/store/backend.h"
#include "lib/store/journal.h"
#include "lib/store/memory.h"
#include "lib/store/store.h"

#define STORE_REPLAY_MAX 64 /* journal entries under way at a time */
#define STORE_CHANGES_MAX 256

struct store {
    struct loop *loop;
    const struct clock *wall, *steady;
    enum store_failure_mode on_failure;
    struct subject_hiding hiding;
    struct backend backend;
    struct memory *memory; /* the counters of "memory:"; else the mirror of the store's */
    bool mirrors;
    struct journal *journal;
    store_event_callback *event;
    void *event_context;

    bool up, closing;
    bool told_down; /* and not yet told that it is up again */
    bool inherited; /* the journal is from before this process, and not yet told to be replayed */
    int64_t down_since_us;
    int64_t down_us; /* how long it has been away, once it is back */
    int64_t offset_ms; /* the store's clock less ours, as last seen */
    bool knows_offset;
    char *problem;
    uint64_t replayed, lost; /* since it went away */

    char identity[24]; /* start of identities made up here */
    uint64_t identities;

    bool submitting; /* what is answered now is told to the caller later */
    struct event *tell; /* calls in the list below their callers' callbacks */
    struct call *answered, **answered_end; /* linked by behind */
    size_t open; /* calls that are not answered */

    struct loop_timer *replay_timer;
    size_t replaying; /* entries under way */
    size_t replay_round; /* how many there were at first */
    size_t replay_failed, replay_lost; /* of them: to be brought again; never to be taken */

    struct call *changes[STORE_CHANGES_MAX]; /* of notes, from while the store is away */
    size_t nchanges;

    uint64_t charges, looks, refused, timeouts, local;
};

/* store.c */
void store_on_done(void *context, struct call *call, enum backend_result result);
void store_on_tell(evutil_socket_t fd, short events, void *context);
void store_submit(struct store *store, struct call *call);
int64_t store_now_ms(const struct store *store);

void store_start(struct store *store, struct call *call, store_callback *callback, void *context);

/* store_note.c: keeps a change for when the store is back; brings those kept; takes in what became
 * of one; forgets them. */
void store_note_keep(struct store *store, const struct call *call);
void store_note_bring(struct store *store);
void store_note_brought(struct store *store, struct call *call, enum backend_result result);
void store_note_forget(struct store *store);

/* store_replay.c */
void store_replay(void *context);
void store_replay_soon(struct store *store);
void store_replay_done(struct store *store, struct call *call, enum backend_result result);

/* store_open.c */
void store_tell_up(struct store *store);
