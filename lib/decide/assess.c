/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/assess.h"

#include "lib/auth/standing.h"
#include "lib/base/mem.h"
#include "lib/decide/checks.h"
#include "lib/decide/class_lookup.h"
#include "lib/decide/gather.h"
#include "lib/decide/history.h"
#include "lib/decide/limits.h"
#include "lib/decide/notes.h"
#include "lib/decide/verdict.h"

#include <stdlib.h>

struct assessment {
    struct services *services;
    const struct conf *conf;
    struct message *message;
    enum assess_charge charge;
    assess_callback *callback;
    void *context;
};

enum direction assess_direction(const struct conf *conf, const struct message *message)
{
    bool ours = message->user[0] != '\0' || message->local_submission ||
                conf_is_internal(conf, &message->client);

    return ours ? DIRECTION_OUT : DIRECTION_IN;
}

/* --- the steps ------------------------------------------------------------------------ */

static void finish(struct assessment *assessment)
{
    assessment->callback(assessment->message, assessment->context);
    free(assessment);
}

static void decide(struct assessment *assessment)
{
    const struct standing *standing = assessment->services->standing;

    /* it may be another one by the next time */
    assessment->message->facts.standing = standing != NULL ? standing_view(standing) : NULL;
    checks_run(assessment->conf, assessment->message);
    assessment->message->facts.standing = NULL;
    verdict_set(assessment->conf, assessment->message);
}

static bool has_windows(const struct message *message)
{
    for (size_t i = 0; i < message->facts.nlimits; i++)
        if (message->facts.limits[i].limit->window_sec > 0)
            return true;
    return false;
}

/* What another stage or program charged for a message that is refused now.  A recipient that is
 * refused leaves its message alive, and with it what was charged. */
static void give_back_refused(struct assessment *assessment)
{
    struct message *message = assessment->message;
    struct store_limit limits[STORE_LIMITS_MAX];
    struct store_request request;
    char *identity;

    if (assessment->charge != ASSESS_CHARGE || message->stage == STAGE_RCPT ||
        !has_windows(message))
        return;
    limits_request(assessment->conf, message, limits, &identity, &request);
    if (identity[0] != '\0')
        store_give_back(assessment->services->store, &request, NULL, NULL);
    free(identity);
}

static void store_answered(const struct store_answer *answer, void *context)
{
    struct assessment *assessment = context;
    struct facts *facts = &assessment->message->facts;

    if (answer->nlimits > 0)
        limits_answered(assessment->message, answer);
    notes_answered(assessment->conf, answer, assessment->message);
    history_rates_answered(answer, assessment->message);
    if (has_windows(assessment->message) && assessment->charge == ASSESS_CHARGE &&
        answer->outcome == STORE_OUTCOME_DONE) {
        facts->charged = true;
        facts->charged_by_us = !answer->known;
    }
    decide(assessment);
    if (verdict_refuses(&assessment->message->verdict))
        give_back_refused(assessment);
    else if (facts->habits && assessment->charge == ASSESS_CHARGE)
        habits_cache_learn(assessment->services->habits, facts->habits, !answer->known);
    finish(assessment);
}

/* Everything but the limits is decided first: what is refused anyway is not charged. */
static void judge(struct assessment *assessment)
{
    struct message *message = assessment->message;
    struct store *store = assessment->services->store;
    unsigned needs = checks_needs(assessment->conf, message);
    struct store_limit limits[STORE_LIMITS_MAX];
    struct notes_request notes;
    struct store_request request;
    char *identity;

    if (needs & NEED_LIMITS)
        limits_plan(assessment->conf, message);
    if (needs & NEED_NOTES)
        notes_plan(assessment->conf, assessment->services->geo, assessment->services->habits,
                   clock_now_us(&clock_wall) / 1000000, message);
    decide(assessment);
    if (verdict_refuses(&message->verdict)) {
        give_back_refused(assessment);
        finish(assessment);
        return;
    }
    limits_request(assessment->conf, message, limits, &identity, &request);
    notes_add(assessment->conf, message, &notes, &request);
    history_add_rates(assessment->conf, message, limits, &request);
    if (request.nlimits + request.nwishes == 0)
        finish(assessment);
    else if (assessment->charge == ASSESS_CHARGE)
        store_charge(store, &request, store_answered, assessment);
    else
        store_look(store, &request, store_answered, assessment);
    free(identity);
}

static void class_found(const char *class, void *context)
{
    struct assessment *assessment = context;
    struct facts *facts = &assessment->message->facts;

    free(facts->class);
    facts->class = mem_copy(class);
    judge(assessment);
}

/* What the limits are depends on the class, so it has to be known before they are asked about. */
static void gathered(void *context)
{
    struct assessment *assessment = context;
    struct services *services = assessment->services;
    const struct message *message = assessment->message;

    if (services->classes == NULL || !(checks_needs(assessment->conf, message) & NEED_LIMITS))
        judge(assessment);
    else
        class_lookup_find(services->classes, services, assessment->conf, message, class_found,
                          assessment);
}

void assess(struct services *services, const struct conf *conf, struct message *message,
            enum assess_charge charge, assess_callback *callback, void *context)
{
    struct assessment *assessment = mem_new(1, sizeof *assessment);

    *assessment = (struct assessment){services, conf, message, charge, callback, context};
    message->direction = assess_direction(conf, message);
    for (size_t i = 0; i < message->nrecipients; i++)
        message->recipients[i].local =
            conf_is_local_domain(conf, message->recipients[i].address.domain);
    gather(services, conf, message, checks_needs(conf, message), gathered, assessment);
}
