/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A request on its way through the store: copied, its limits put in the order of the script's keys,
 * with room for the answer.
 *
 * The front owns a call; a backend that has something under way for it holds it as well.
 */
#pragma once

#include "lib/store/note.h"
#include "lib/store/sketch.h"
#include "lib/store/store.h"
#include "lib/store/subject.h"

#define CALL_FIELD_SIZE 12 /* "m4294967295" */
#define CALL_AMOUNT_MAX (INT64_C(1) << 40) /* of one message */

/* How far the ideas that two programs have of the store's clock may be apart. */
#define CALL_SKEW_MS 50

/* Up to PROBE they have these numbers in charge.lua too. */
enum call_operation {
    CALL_LOOK,
    CALL_CHARGE,
    CALL_REPLAY, /* charge of a message that was accepted: at_ms is when, and nothing refuses it */
    CALL_GIVE_BACK, /* what was charged beyond amount */
    CALL_RETURN, /* the same out of a journal: at_ms is when */
    CALL_PROBE,
    CALL_RESET,
    CALL_NOTE, /* reads or changes notes only; charge.lua knows it as a look */
};

/* In a cluster: how one subject's part of a call is sent; reserve.lua has these numbers too. */
enum call_mode { CALL_PLAIN, CALL_RESERVE, CALL_KEEP, CALL_DROP };
struct call_reserve {
    enum call_mode mode;
    bool asking; /* the slot is on its way to that node */
    const char *extra; /* RESERVE: the plan of giving it back; DROP: marks of near, by line */
    size_t extra_length;
};

struct call_limit {
    const char *subject; /* its name */
    size_t index; /* in the request */
    uint64_t tag; /* 48 bits that stand for subject and field */
    int64_t window_sec, amount, max, near;
    char field[CALL_FIELD_SIZE];
    int64_t added; /* answer: how much more than before was charged, in a field's first limit */
    bool first; /* of its subject */
    bool same_field; /* as the limit before: charged together with it */
    bool enforce;
    uint16_t *codes; /* of a limit that counts what is different, its members; owned */
    size_t ncodes;
};

struct call {
    struct call *before, *behind; /* in the backend's list of open calls */
    unsigned holders;
    enum call_operation operation;
    const char *message; /* name of its record; "" when it has none */
    /* CALL_RESET: the subject's name; a node of a cluster is probed with one of its own; else NULL
     */
    const char *subject;
    uint64_t fingerprint;
    int64_t at_ms; /* 0: now */
    struct call_limit *limits;
    size_t nlimits, nsubjects;
    struct note_items notes;

    /* The answer, each limit's at its place in the request. */
    bool refused, known;
    int64_t now_ms;
    struct store_limit_answer *answers;
    struct note_answer note_answer; /* one for each item that reads */

    /* The backend's. */
    int64_t sent_us, deadline_us; /* 0: not sent; no deadline of its own */
    const struct call_reserve *reserve; /* of a part in a cluster; else NULL */
    bool given_up;

    /* The front's. */
    store_callback *callback;
    void *context;
    int64_t started_us;
    bool replayed;
    bool brought; /* a change of notes from while the store was away */
    enum store_outcome outcome;
    bool local;
};

/* Copies the request; the caller holds the call. */
struct call *call_new(const struct subject_hiding *hiding, enum call_operation operation,
                      const struct store_request *request);

/* A call about a subject as a whole. */
struct call *call_new_bare(const struct subject_hiding *hiding, enum call_operation operation,
                           const char *subject);

/* The same for one whose name is known. */
struct call *call_new_raw(enum call_operation operation, const char *name);

/* A call about notes; it takes the items over. */
struct call *call_new_note(struct note_items *items);

/* From what another call had: its names, and its limits in their order (field: the count is
 * enough). */
struct call *call_new_named(enum call_operation operation, const char *message,
                            const struct call_limit *limits, size_t nlimits);

/* Whether the limit counts what is different. */
bool call_is_distinct(const struct call_limit *limit);

void call_hold(struct call *call);
void call_release(struct call *call);
