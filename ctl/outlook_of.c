/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/outlook_of.h"

#include "lib/auth/mx.h"
#include "lib/base/mem.h"
#include "lib/decide/checks.h"
#include "lib/decide/foresight.h"
#include "lib/decide/gather.h"
#include "lib/decide/gather_outlook.h"

#include <stdlib.h>

#define TIMEOUT_MS 20000 /* RFC 7208 section 4.6.4 asks for no less */
#define STEP_MS 100

/* An ordinary message, so that only what is about the domain is found. */
static struct message *message_of(const struct conf *conf, const char *domain)
{
    struct message *message = message_new(PROGRAM_MILTER, conf->hostname);
    char *sender = mem_print("postmaster@%s", domain);
    char *id = mem_print("<check@%s>", domain);

    message->stage = STAGE_END_OF_MESSAGE;
    message->direction = DIRECTION_OUT;
    message_set_sender(message, sender);
    message_add_header(message, "From", sender);
    message_add_header(message, "Date", "Sat, 21 Nov 2026 00:00:00 +0000");
    message_add_header(message, "Message-ID", id);
    free(sender);
    free(id);
    return message;
}

static void list_keys(const struct signer *signer, struct domain_outlook *outlook)
{
    struct facts *facts = &outlook->message->facts;

    while (outlook->nviews < OUTLOOK_VIEWS_MAX &&
           signer_view(signer, &outlook->message->sender, outlook->nviews,
                       &outlook->views[outlook->nviews])) {
        const struct signer_view *view = &outlook->views[outlook->nviews++];

        if (view->problem == NULL && view->state != KEY_STATE_RETIRE &&
            facts->nsigning < FACTS_SIGNING_MAX)
            facts->signing[facts->nsigning++] = (struct signing_fact){
                .domain = view->domain, .selector = view->selector, .key = view->key};
    }
    facts->unsigned_reason = outlook->nviews == 0 ? SIGN_NO_KEY : NULL;
}

/* All ways that the domain's mail may go. */
static uint64_t all_routes(const struct conf *conf, const struct message *message)
{
    uint64_t routes = UINT64_C(1) << conf_relay_for(conf, message->sender.domain, "");

    for (size_t i = 0; i < conf->nrelays; i++)
        for (size_t j = 0; j < conf->relays[i].recipients.count; j++)
            routes |= UINT64_C(1) << conf_relay_for(conf, message->sender.domain,
                                                    conf->relays[i].recipients.items[j]);
    return routes;
}

static void on_outlook(struct outlook *outlook, void *context)
{
    struct facts *facts = context;

    facts->outlook = outlook;
    facts->outlook_release = outlook_release;
    facts->spf = mem_copy(foresight_spf_word(outlook));
    facts->dmarc = foresight_dmarc_word(outlook);
}

static void on_gathered(void *context)
{
    *(bool *)context = true;
}

/* --- where the domain's own mail goes ---------------------------------------------------- */

struct mx_question {
    const struct conf *conf;
    const char *domain;
    struct mx_flaw flaws[MX_FLAWS_MAX];
    size_t count;
};

static bool look_at_mx(const struct lookup *lookup, void *context)
{
    struct mx_question *question = context;

    return mx_look(lookup, question->conf, question->domain, question->flaws, &question->count);
}

static void find_mx(struct evaluator *evaluator, const struct conf *conf, struct message *message)
{
    struct mx_question question = {.conf = conf, .domain = message->sender.domain};

    evaluator_run(evaluator, look_at_mx, &question);
    for (size_t i = 0; i < question.count; i++)
        find_broken_mx(conf, message, question.domain, -1, &question.flaws[i]);
    mx_flaws_clear(question.flaws, question.count);
}

void outlook_of(struct evaluator *evaluator, const struct conf *conf, const struct signer *signer,
                const char *domain, struct domain_outlook *outlook_r)
{
    struct services services = {
        .loop = evaluator->loop, .dns = evaluator->dns, .spf_engine = evaluator->spf_engine};
    struct outlook_query query;
    struct message *message = message_of(conf, domain);
    bool gathered = false;

    *outlook_r = (struct domain_outlook){.message = message};
    list_keys(signer, outlook_r);
    gather_outlook_query(conf, message, &query);
    query.from_domain = message->sender.domain;
    query.routes = all_routes(conf, message);
    outlooks_find(NULL, evaluator->loop, evaluator->dns, evaluator->spf_engine, TIMEOUT_MS, &query,
                  on_outlook, &message->facts);
    while (message->facts.outlook == NULL)
        loop_run_once(evaluator->loop, STEP_MS);
    gather(&services, conf, message,
           checks_needs(conf, message) & ~(unsigned)(NEED_LIMITS | NEED_NOTES), on_gathered,
           &gathered);
    while (!gathered)
        loop_run_once(evaluator->loop, STEP_MS);
    checks_run(conf, message);
    find_mx(evaluator, conf, message);
}

void outlook_of_clear(struct domain_outlook *outlook)
{
    if (outlook->message != NULL)
        message_free(&outlook->message);
}
