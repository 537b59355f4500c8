/* SPDX-License-Identifier: BSD-2-Clause */
/* The store, asked and waited for. */
#include "ctl/client.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/daemon/services.h"
#include "lib/decide/habits.h"

#include <errno.h>
#include <string.h>

#define CONNECT_MS_LEAST 1000 /* to connect takes more steps than a question */
#define STEP_MS 100

/* A question that is under way. */
struct question {
    struct store_limit_answer *answers_r;
    size_t nanswers;
    struct note_fact *note_r; /* where the one note goes that was asked for; may be NULL */
    struct store_answer answer; /* without its limits and notes */
    bool answered;
};

static void on_answer(const struct store_answer *answer, void *context)
{
    struct question *question = context;

    question->answered = true;
    question->answer = *answer;
    question->answer.limits = NULL;
    question->answer.notes = NULL;
    for (size_t i = 0;
         question->note_r != NULL && answer->nnotes == 1 && i < answer->notes[0].npairs; i++)
        note_fact_add(question->note_r, answer->notes[0].pairs[i].name,
                      answer->notes[0].pairs[i].value);
    if (answer->limits == NULL)
        return;
    for (size_t i = 0; i < answer->nlimits && i < question->nanswers; i++)
        question->answers_r[i] = answer->limits[i];
}

/* The store answers each question exactly once, at the latest after its time-out. */
static bool wait_for(struct client *client, const struct question *question)
{
    while (!question->answered)
        loop_run_once(client->loop, STEP_MS);
    return question->answer.outcome != STORE_OUTCOME_AWAY && !question->answer.local;
}

static char *no_answer(const struct client *client)
{
    struct store_status status = {.up = false};

    store_status(client->store, &status);
    return mem_print(
        "the store (%s) does not answer: %s; start it, or correct store in sluice.conf",
        status.address != NULL ? status.address : "not found",
        status.problem != NULL && *status.problem != '\0' ? status.problem
                                                          : "no connection in time");
}

bool client_open(struct client *client, const struct conf *conf, char **problem_r)
{
    /* No journal: what the daemons keep there is theirs.  Nor local counting: it would answer for
     * a store that is away. */
    struct store_settings settings = services_store_settings("sluicectl", conf);
    int64_t patience_ms = conf->store_timeout_ms;
    int64_t deadline_us;

    settings.on_failure = STORE_ON_FAILURE_DEFER;
    memset(client, 0, sizeof(*client));
    client->timeout_ms = conf->store_timeout_ms;
    if (strcmp(conf->store, "memory:") == 0) {
        *problem_r = mem_copy("store = memory: each daemon counts in its own memory, where nobody "
                              "else can look; set store to a Redis");
        return false;
    }
    client->loop = loop_new();
    if (client->loop == NULL) {
        *problem_r = mem_print("cannot make an event loop: %s", strerror(errno));
        return false;
    }
    client->store = store_open(client->loop, &settings, problem_r);
    if (client->store == NULL)
        return false;
    if (patience_ms < CONNECT_MS_LEAST)
        patience_ms = CONNECT_MS_LEAST;
    deadline_us = clock_now_us(&clock_steady) + patience_ms * 1000;
    while (!store_is_up(client->store) && clock_now_us(&clock_steady) < deadline_us)
        loop_run_once(client->loop, STEP_MS);
    if (store_is_up(client->store))
        return true;
    *problem_r = no_answer(client);
    return false;
}

void client_close(struct client *client)
{
    if (client->store != NULL)
        store_close(&client->store);
    if (client->loop != NULL)
        loop_free(&client->loop);
}

bool client_look(struct client *client, const struct store_request *request,
                 struct store_limit_answer *answers_r, int64_t *waited_us_r)
{
    struct question question = {.answers_r = answers_r, .nanswers = request->nlimits};

    int64_t start_us = clock_now_us(&clock_steady);

    store_look(client->store, request, on_answer, &question);
    if (!wait_for(client, &question))
        return false;
    if (waited_us_r != NULL)
        *waited_us_r = clock_now_us(&clock_steady) - start_us;
    return true;
}

bool client_reset(struct client *client, const char *subject, bool *known_r)
{
    struct question question = {.answered = false};

    store_reset(client->store, subject, on_answer, &question);
    if (!wait_for(client, &question))
        return false;
    *known_r = question.answer.known;
    return true;
}

bool client_forget(struct client *client, const char *subject, const char *kind, bool *known_r)
{
    struct question question = {.answered = false};

    store_note_remove(client->store, subject, kind, NULL, 0, on_answer, &question);
    if (!wait_for(client, &question))
        return false;
    *known_r = question.answer.known;
    return true;
}

bool client_note(struct client *client, const char *subject, const char *kind,
                 struct note_fact *note_r, int64_t *now_us_r)
{
    const struct store_wish wish = {.subject = subject, .kind = kind};
    const struct store_request request = {.identity = "", .wishes = &wish, .nwishes = 1};
    struct question question = {.note_r = note_r};

    memset(note_r, 0, sizeof(*note_r));
    store_look(client->store, &request, on_answer, &question);
    if (!wait_for(client, &question))
        return false;
    if (now_us_r != NULL)
        *now_us_r = question.answer.now_us;
    return true;
}

bool client_suspend(struct client *client, const char *subject, const struct suspension *suspension)
{
    struct question question = {.answered = false};

    suspension_set(client->store, subject, suspension, on_answer, &question);
    return wait_for(client, &question);
}

bool client_lift(struct client *client, const char *subject, bool *known_r)
{
    struct question question = {.answered = false};

    suspension_lift(client->store, subject, on_answer, &question);
    if (!wait_for(client, &question))
        return false;
    *known_r = question.answer.known;
    return true;
}

bool client_forgive(struct client *client, const char *subject)
{
    struct note_fact flag;
    struct question question = {.answered = false};
    int64_t now_us = 0;
    bool answered = client_note(client, subject, SUSPENSION_KIND, &flag, &now_us);

    note_fact_clear(&flag);
    if (!answered)
        return false;
    habits_forgive(client->store, subject, now_us / 1000000, on_answer, &question);
    return wait_for(client, &question);
}

struct listing {
    void (*show)(const char *subject, const struct store_note *note, void *context);
    void *context;
    bool done, complete;
};

static void on_shown(const char *subject, const struct store_note *note, void *context)
{
    struct listing *listing = context;

    listing->show(subject, note, listing->context);
}

static void on_listed(bool complete, void *context)
{
    struct listing *listing = context;

    listing->done = true;
    listing->complete = complete;
}

bool client_list(struct client *client, const char *kind,
                 void (*show)(const char *subject, const struct store_note *note, void *context),
                 void *context)
{
    struct listing listing = {.show = show, .context = context};

    store_note_list(client->store, kind, &(struct store_note_list){on_shown, on_listed, &listing});
    while (!listing.done)
        loop_run_once(client->loop, STEP_MS);
    return listing.complete;
}
