/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/history.h"

#include "lib/base/mem.h"
#include "lib/decide/checks.h"
#include "lib/decide/outcomes.h"

#include <stdlib.h>
#include <string.h>

#define HEADERS_ADDED 4096 /* octets at most that the MTA and we put before a message */

/* The order in which they are asked, and answered. */
static const char rates[HISTORY_LIMITS] = {OUTCOME_RESULTS, OUTCOME_HARD, OUTCOME_COMPLAINTS};

/* --- what to ask ---------------------------------------------------------------------- */

static bool is_asked(const struct outcomes *outcomes, const char *subject)
{
    for (size_t i = 0; i < outcomes->count; i++)
        if (strcmp(outcomes->facts[i].subject, subject) == 0)
            return true;
    return false;
}

static void plan_one(struct outcomes *outcomes, const struct text *subject, long recipient,
                     bool is_destination, size_t *nasked)
{
    if (*nasked == OUTCOMES_ASKED_MAX || is_asked(outcomes, text_string(subject)))
        return;
    ++*nasked;
    outcomes->facts[outcomes->count++] =
        (struct outcome_fact){.subject = mem_copy(text_string(subject)),
                              .recipient = recipient,
                              .is_destination = is_destination};
}

/* What the MTA logs of a recipient is in lower case here. */
static void recipient_subject(const struct address *address, struct text *subject)
{
    char *lower = text_lower(mem_copy(address->text));

    outcome_recipient(lower, subject);
    free(lower);
}

void history_plan(const struct conf *conf, struct message *message)
{
    struct outcomes *outcomes = outcomes_new();
    struct text subject = TEXT_EMPTY;
    size_t recipients = 0, destinations = 0;

    outcomes_free(&message->facts.outcomes);
    message->facts.outcomes = outcomes;
    if (message->user[0] != '\0')
        outcomes->user = outcome_user(conf, message->user);
    for (size_t i = checks_first_recipient(message); i < message->nrecipients; i++) {
        const struct recipient *recipient = &message->recipients[i];

        if (recipient->local || recipient->address.domain[0] == '\0')
            continue;
        recipient_subject(&recipient->address, &subject);
        plan_one(outcomes, &subject, (long)i, false, &recipients);
        outcome_destination(recipient->address.domain, &subject);
        plan_one(outcomes, &subject, (long)i, true, &destinations);
    }
    text_free(&subject);
}

void history_ask(const struct conf *conf, const struct message *message, struct notes_request *room)
{
    const struct outcomes *outcomes = message->facts.outcomes;

    (void)conf;
    for (size_t i = 0; outcomes && i < outcomes->count; i++)
        (void)notes_wish(room, outcomes->facts[i].subject, OUTCOME_KIND);
}

void history_add_rates(const struct conf *conf, const struct message *message,
                       struct store_limit *limits, struct store_request *request)
{
    struct outcomes *outcomes = message->facts.outcomes;

    if (!outcomes || !outcomes->user || request->nlimits + HISTORY_LIMITS > STORE_LIMITS_MAX)
        return;
    outcomes->rates_asked = true;
    for (size_t i = 0; i < HISTORY_LIMITS; i++)
        limits[request->nlimits++] =
            (struct store_limit){.subject = outcomes->user,
                                 .count = rates[i],
                                 .window_sec = conf->bounce_rate_window_ms / 1000,
                                 .max = OUTCOME_COUNT_MAX};
}

/* --- the answers ---------------------------------------------------------------------- */

void history_answered(const struct conf *conf, const struct store_answer *answer,
                      const struct store_note *notes, struct message *message)
{
    struct outcomes *outcomes = message->facts.outcomes;
    const size_t have = answer->nnotes - (size_t)(notes - answer->notes);

    (void)conf;
    for (size_t i = 0; outcomes && i < outcomes->count && i < have; i++) {
        struct outcome_fact *fact = &outcomes->facts[i];
        struct outcome_seen seen;

        if (!outcome_latest(&notes[i], FOUND_POLICY | FOUND_MILTER, message->size + HEADERS_ADDED,
                            &seen))
            continue;
        fact->cause = seen.cause;
        fact->since_sec = seen.since_sec;
        fact->last_sec = seen.last_sec;
        fact->count = seen.count;
        fact->refused_size = seen.refused_size;
        free(fact->text);
        fact->text = mem_copy(seen.text);
    }
}

void history_rates_answered(const struct store_answer *answer, struct message *message)
{
    struct outcomes *outcomes = message->facts.outcomes;
    const struct store_limit_answer *said;

    if (!outcomes || !outcomes->rates_asked || !answer->limits || answer->nlimits < HISTORY_LIMITS)
        return;
    said = answer->limits + answer->nlimits - HISTORY_LIMITS;
    outcomes->rates_known = true;
    outcomes->results = said[0].used;
    outcomes->hard = said[1].used;
    outcomes->complaints = said[2].used;
}

const struct outcome_fact *history_destination(const struct message *message)
{
    const struct outcomes *outcomes = message->facts.outcomes;
    const struct outcome_fact *worst = NULL;

    for (size_t i = 0; outcomes && i < outcomes->count; i++) {
        const struct outcome_fact *fact = &outcomes->facts[i];

        if (fact->is_destination && fact->cause &&
            (!worst || fact->cause->severity > worst->cause->severity))
            worst = fact;
    }
    return worst;
}
