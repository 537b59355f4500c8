/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay_run.h"

#include "ctl/replay_message.h"
#include "lib/base/mem.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/limits.h"
#include "lib/decide/verdict.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MS 100
#define SAME_MESSAGE_US (3600 * INT64_C(1000000)) /* both daemons' lines are nearer than that */

static void decide(const struct conf *conf, struct message *message)
{
    findings_clear(&message->findings);
    check_limits(conf, message);
    verdict_set(conf, message);
}

static void on_answered(const struct store_answer *answer, void *context)
{
    struct replay *replay = context;

    limits_answered(replay->message, answer);
    replay->answered = true;
}

/* What is asked of the store, and what is known of the message. */
struct request {
    void (*ask)(struct store *store, const struct store_request *request, store_callback *callback,
                void *context);
    const struct past_message *past;
    enum replay_names names;
};

/* As the daemons do: what one message alone may not have first. */

static void ask(struct replay *replay, struct message *message, const struct request *how)
{
    struct store_limit limits[STORE_LIMITS_MAX];
    struct store_request request;
    char *identity;

    limits_plan(replay->conf, message);
    replay_drop_unknown(message, how->past, how->names);
    decide(replay->conf, message);
    if (verdict_refuses(&message->verdict))
        return;
    limits_request(replay->conf, message, limits, &identity, &request);
    replay->message = message;
    replay->answered = false;
    if (request.nlimits > 0) {
        how->ask(replay->store, &request, on_answered, replay);
        while (!replay->answered)
            loop_run_once(replay->loop, STEP_MS);
        decide(replay->conf, message);
    }
    free(identity);
}

static const char *field(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->nfields; i++)
        if (strcmp(finding->fields[i].name, name) == 0)
            return finding->fields[i].value;
    return "";
}

/* A message counts once, however many of its recipients were refused. */
static void note(struct replay *replay, const struct finding *finding, int64_t time_us,
                 bool at_recipient)
{
    char *key = mem_print("%s %s", field(finding, "limit"), field(finding, "subject"));
    struct stop *stop = map_peek(replay->stops, key, strlen(key));

    if (stop == NULL) {
        stop = mem_new(1, sizeof(*stop));
        *stop = (struct stop){.limit = mem_copy(field(finding, "limit")),
                              .subject = mem_copy(field(finding, "subject")),
                              .shadow = finding->shadow,
                              .strength = -1,
                              .first_us = time_us};
        map_put(replay->stops, key, strlen(key), stop);
    }
    if (finding->would > stop->strength) {
        stop->strength = finding->would;
        stop->action = action_name((enum action)finding->would);
    }
    stop->count += stop->message != replay->number;
    stop->message = replay->number;
    stop->recipients += at_recipient;
    stop->last_us = time_us;
    free(key);
}

/* Both daemons tell of a message; what was found is not found again for the other's line. */
static bool was_found(const struct replay *replay, const struct past_message *past)
{
    const int64_t *when = map_peek(replay->found, past->trace, strlen(past->trace));

    return when != NULL && past->time_us - *when < SAME_MESSAGE_US;
}

static void remember_found(struct replay *replay, const struct past_message *past)
{
    int64_t *when = mem_new(1, sizeof(*when));

    *when = past->time_us;
    free(map_put(replay->found, past->trace, strlen(past->trace), when));
}

static bool note_findings(struct replay *replay, const struct message *message)
{
    bool found = false;

    for (size_t i = 0; i < message->findings.count; i++) {
        const struct finding *finding = &message->findings.items[i];

        if (finding->cause == cause_get(CAUSE_LIMIT_NEAR) || finding->would <= (int)ACTION_IGNORE ||
            field(finding, "limit")[0] == '\0')
            continue;
        note(replay, finding, message->sent_us, message->stage == STAGE_RCPT);
        found = true;
    }
    return found;
}

/* As at RCPT: who is one too many is refused, and the others go on.  Returns how many were. */
static int64_t add_recipients(struct replay *replay, struct message *message,
                              const struct past_message *past, enum replay_names names,
                              const struct strings *recipients)
{
    const struct request look = {store_look, past, names};
    int64_t refused = 0;

    message->stage = STAGE_RCPT;
    for (size_t i = 0; i < recipients->count; i++) {
        replay_add_recipient(replay->conf, message, recipients->items[i]);
        ask(replay, message, &look);
        if (!verdict_refuses(&message->verdict))
            continue;
        (void)note_findings(replay, message);
        message_drop_recipient(message);
        refused++;
    }
    return refused;
}

/* What the line does not tell; a line of a message without a client or a HELO is whole. */
static void note_lacking(struct replay *replay, const struct conf_limit *limit,
                         const struct past_message *past, enum replay_names names)
{
    const char *what = replay_lacks(limit, past, names);
    struct lacking *lacking;

    if (what == NULL)
        return;
    lacking = map_peek(replay->lacking, limit->name, strlen(limit->name));
    if (lacking == NULL) {
        lacking = mem_new(1, sizeof(*lacking));
        *lacking = (struct lacking){.limit = limit->name, .what = what};
        map_put(replay->lacking, limit->name, strlen(limit->name), lacking);
    }
    lacking->count++;
}

static void note_all_lacking(struct replay *replay, const struct past_message *past,
                             enum replay_names names)
{
    const struct conf *conf = replay->conf;

    for (size_t i = 0; i < conf->nlimits; i++)
        note_lacking(replay, &conf->limits[i], past, names);
    for (size_t i = 0; i < conf->nwarmups; i++)
        note_lacking(replay, &conf->warmups[i].limit, past, names);
}

static void try_message(struct replay *replay, const struct past_message *past)
{
    struct strings recipients = {.count = 0};
    struct message *message;
    struct request charge = {.ask = store_charge, .past = past};
    size_t named;
    int64_t refused;

    if (was_found(replay, past))
        return;
    replay->number++;
    charge.names = replay_recipients(past, &recipients);
    named = recipients.count;
    note_all_lacking(replay, past, charge.names);
    message = replay_message(replay->conf, past);
    replay_classes_find(&replay->classes, replay->conf, message);
    refused = add_recipients(replay, message, past, charge.names, &recipients);
    if ((size_t)past->nrcpt > named)
        message->nrecipients_total += (size_t)past->nrcpt - named;
    message->stage = STAGE_END_OF_MESSAGE;
    if (message->nrecipients_total > 0) {
        ask(replay, message, &charge);
        if (note_findings(replay, message) || refused > 0)
            remember_found(replay, past);
    } else {
        remember_found(replay, past);
    }
    if (message->nrecipients_total == 0 || message->verdict.action >= (int)ACTION_HOLD)
        replay->stopped++;
    else
        replay->recipients += refused;
    message_free(&message);
    strings_free(&recipients);
}

/* --- all of them ---------------------------------------------------------------------- */

/* A message counts once, whoever of the two daemons told of it. */
static int64_t count_messages(const struct past *past)
{
    struct map *seen = map_new();
    int64_t count = 0;

    for (size_t i = 0; i < past->count; i++) {
        const char *trace = past->messages[i].trace;

        if (map_put(seen, trace, strlen(trace), seen) == NULL)
            count++;
    }
    map_free(&seen, NULL);
    return count;
}

void replay_run(struct replay *replay, struct past *past)
{
    past_sort(past);
    for (size_t i = 0; i < past->count; i++)
        try_message(replay, &past->messages[i]);
    replay->messages = count_messages(past);
}

bool replay_start(struct replay *replay, const struct conf *conf, char **problem_r)
{
    const struct store_settings settings = {
        .url = "memory:", .client_name = "sluicectl", .timeout_ms = conf->store_timeout_ms};

    *replay = (struct replay){.conf = conf,
                              .loop = loop_new(),
                              .stops = map_new(),
                              .found = map_new(),
                              .lacking = map_new()};
    if (replay->loop == NULL)
        *problem_r = mem_copy("cannot make an event loop");
    else
        replay->store = store_open(replay->loop, &settings, problem_r);
    return replay->store != NULL && replay_classes_start(&replay->classes, conf, problem_r);
}

static void free_stop(void *value)
{
    struct stop *stop = value;

    free(stop->limit);
    free(stop->subject);
    free(stop);
}

void replay_end(struct replay *replay)
{
    replay_classes_end(&replay->classes);
    if (replay->store != NULL)
        store_close(&replay->store);
    if (replay->loop != NULL)
        loop_free(&replay->loop);
    map_free(&replay->stops, free_stop);
    map_free(&replay->found, free);
    map_free(&replay->lacking, free);
}
