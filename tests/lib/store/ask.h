/* SPDX-License-Identifier: BSD-2-Clause */
/* A store that a test asks and waits for. */
#pragma once

#include "lib/store/store.h"

#include <stdbool.h>

#define ASK_LIMITS_MAX 16
#define ASK_NOTES_MAX 4
#define ASK_NOTE_SIZE 2048
#define ASK_TIMEOUT_MS 1000 /* of the store: longer than a Redis that is there is kept waiting */

/* What a store said about itself. */
struct ask_events {
    unsigned downs, ups;
    char problem[256]; /* of the last DOWN */
    uint64_t replayed, lost; /* of all UPs */
};

struct ask {
    struct loop *loop;
    struct store *store;
    struct ask_events events;
    /* The last answer. */
    unsigned answers; /* so far */
    struct store_answer answer; /* limits points to the next member */
    struct store_limit_answer limits[ASK_LIMITS_MAX];
    char notes[ASK_NOTES_MAX][ASK_NOTE_SIZE]; /* "name=value;name=value;", by name */
};

/* Opens; url may be NULL when settings has it.  The test fails when it does not work. */
void ask_open(struct ask *ask, const struct store_settings *settings);
void ask_close(struct ask *ask);

/* Each asks and waits for the answer. */
enum store_outcome ask_look(struct ask *ask, const struct store_request *request);
enum store_outcome ask_charge(struct ask *ask, const struct store_request *request);
enum store_outcome ask_give_back(struct ask *ask, const struct store_request *request);
enum store_outcome ask_reset(struct ask *ask, const char *subject);
enum store_outcome ask_set(struct ask *ask, const struct store_note_change *change);
enum store_outcome ask_remove(struct ask *ask, const char *subject, const char *kind,
                              const char *field);
/* The whole note, as a look of its own has it; "" when there is none. */
const char *ask_note(struct ask *ask, const char *subject, const char *kind);

/* Runs the loop until so many answers came, a number of UPs, or an empty journal.  The test fails
 * after some seconds. */
void ask_wait_answers(struct ask *ask, unsigned answers);
void ask_wait_up(struct ask *ask);
void ask_wait_down(struct ask *ask);

/* The callback that the functions above use; context is the struct ask. */
void ask_on_answer(const struct store_answer *answer, void *context);
