/* SPDX-License-Identifier: BSD-2-Clause */
/* A store that a test asks and waits for. */
#include "tests/lib/store/ask.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PATIENCE_MS 60000

static _Noreturn void fail_hard(const char *what)
{
    fprintf(stderr, "%s\n", what);
    abort();
}

static void on_event(const struct store_event *event, void *context)
{
    struct ask *ask = context;

    if (event->kind == STORE_EVENT_DOWN) {
        ask->events.downs++;
        (void)snprintf(ask->events.problem, sizeof(ask->events.problem), "%s", event->problem);
        return;
    }
    ask->events.ups++;
    ask->events.replayed += event->replayed;
    ask->events.lost += event->lost;
}

void ask_open(struct ask *ask, const struct store_settings *settings)
{
    struct store_settings mine = *settings;
    char *problem = NULL;

    memset(ask, 0, sizeof(*ask));
    mine.timeout_ms = mine.timeout_ms > 0 ? mine.timeout_ms : ASK_TIMEOUT_MS;
    mine.event = on_event;
    mine.event_context = ask;
    ask->loop = loop_new();
    ask->store = ask->loop != NULL ? store_open(ask->loop, &mine, &problem) : NULL;
    if (ask->store == NULL)
        fail_hard(problem != NULL ? problem : "no loop");
}

void ask_close(struct ask *ask)
{
    store_close(&ask->store);
    loop_free(&ask->loop);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct store_pair *)a)->name, ((const struct store_pair *)b)->name);
}

static void write_note(const struct store_note *note, char text_r[ASK_NOTE_SIZE])
{
    struct store_pair pairs[STORE_NOTE_FIELDS_MAX];
    size_t length = 0;

    if (note->npairs > STORE_NOTE_FIELDS_MAX)
        fail_hard("a note is larger than a test expects");
    if (note->npairs > 0)
        memcpy(pairs, note->pairs, note->npairs * sizeof(pairs[0]));
    qsort(pairs, note->npairs, sizeof(pairs[0]), by_name);
    *text_r = '\0';
    for (size_t i = 0; i < note->npairs && length < ASK_NOTE_SIZE; i++)
        length += (size_t)snprintf(text_r + length, ASK_NOTE_SIZE - length, "%s=%s;", pairs[i].name,
                                   pairs[i].value);
}

void ask_on_answer(const struct store_answer *answer, void *context)
{
    struct ask *ask = context;

    ask->answers++;
    ask->answer = *answer;
    ask->answer.notes = NULL;
    for (size_t i = 0; i < answer->nnotes && i < ASK_NOTES_MAX; i++)
        write_note(&answer->notes[i], ask->notes[i]);
    if (answer->limits == NULL)
        return;
    memcpy(ask->limits, answer->limits, answer->nlimits * sizeof(ask->limits[0]));
    ask->answer.limits = ask->limits;
}

static int64_t patience_end(void)
{
    return clock_now_us(&clock_steady) + PATIENCE_MS * 1000;
}

static void turn(struct ask *ask, int64_t end_us, const char *what)
{
    if (clock_now_us(&clock_steady) > end_us)
        fail_hard(what);
    loop_run_once(ask->loop, 50);
}

void ask_wait_answers(struct ask *ask, unsigned answers)
{
    int64_t end_us = patience_end();

    while (ask->answers < answers)
        turn(ask, end_us, "the store does not answer");
}

void ask_wait_up(struct ask *ask)
{
    struct store_status status;
    int64_t end_us = patience_end();

    for (;;) {
        store_status(ask->store, &status);
        if (status.up && status.journal == 0 && ask->events.ups >= ask->events.downs)
            return;
        turn(ask, end_us, "the store does not come up");
    }
}

void ask_wait_down(struct ask *ask)
{
    int64_t end_us = patience_end();

    while (store_is_up(ask->store) || ask->events.downs == ask->events.ups)
        turn(ask, end_us, "the store does not notice that it is away");
}

enum store_outcome ask_look(struct ask *ask, const struct store_request *request)
{
    unsigned before = ask->answers;

    store_look(ask->store, request, ask_on_answer, ask);
    ask_wait_answers(ask, before + 1);
    return ask->answer.outcome;
}

enum store_outcome ask_charge(struct ask *ask, const struct store_request *request)
{
    unsigned before = ask->answers;

    store_charge(ask->store, request, ask_on_answer, ask);
    ask_wait_answers(ask, before + 1);
    return ask->answer.outcome;
}

enum store_outcome ask_give_back(struct ask *ask, const struct store_request *request)
{
    unsigned before = ask->answers;

    store_give_back(ask->store, request, ask_on_answer, ask);
    ask_wait_answers(ask, before + 1);
    return ask->answer.outcome;
}

enum store_outcome ask_reset(struct ask *ask, const char *subject)
{
    unsigned before = ask->answers;

    store_reset(ask->store, subject, ask_on_answer, ask);
    ask_wait_answers(ask, before + 1);
    return ask->answer.outcome;
}

enum store_outcome ask_set(struct ask *ask, const struct store_note_change *change)
{
    unsigned before = ask->answers;

    store_note_set(ask->store, change, ask_on_answer, ask);
    ask_wait_answers(ask, before + 1);
    return ask->answer.outcome;
}

enum store_outcome ask_remove(struct ask *ask, const char *subject, const char *kind,
                              const char *field)
{
    unsigned before = ask->answers;

    store_note_remove(ask->store, subject, kind, field != NULL ? &field : NULL, field != NULL,
                      ask_on_answer, ask);
    ask_wait_answers(ask, before + 1);
    return ask->answer.outcome;
}

const char *ask_note(struct ask *ask, const char *subject, const char *kind)
{
    struct store_wish wish = {.subject = subject, .kind = kind};
    struct store_request request = {.identity = "", .wishes = &wish, .nwishes = 1};

    (void)ask_look(ask, &request);
    return ask->answer.nnotes == 1 ? ask->notes[0] : "no answer";
}
