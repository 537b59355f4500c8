/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/receive.h"

#include "lib/auth/arc.h"
#include "lib/auth/lookups.h"
#include "lib/auth/results.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/decide/verdict.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)
#define FOLD "\n\t"

static int64_t now_sec(void)
{
    return clock_now_us(&clock_wall) / SECOND_US;
}

void receive_begin(struct session *session)
{
    struct message *message = session->message;

    if (session->verifying_decided)
        return;
    session->verifying_decided = true;
    message->direction = assess_direction(session->conf, message);
    if (message->direction == DIRECTION_IN && session->conf->verify_incoming)
        session->verify = verify_new(message, !(session->protocol & SMFIP_HDR_LEADSPC), now_sec());
    else if (message->direction == DIRECTION_OUT &&
             message_header(message, "DKIM-Signature", 0) != NULL)
        session->carried = verify_new(message, !(session->protocol & SMFIP_HDR_LEADSPC), now_sec());
}

void receive_body(struct session *session, const void *bytes, size_t length)
{
    if (session->verify != NULL)
        verify_body(session->verify, bytes, length);
    if (session->carried != NULL)
        verify_body(session->carried, bytes, length);
}

/* --- waiting for the DNS -------------------------------------------------------------- */

struct waiting {
    struct services *services;
    int64_t timeout_ms;
    lookups_evaluate *evaluate;
    void *argument;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

static void on_done(int64_t ttl_sec, void *context)
{
    struct waiting *waiting = context;

    (void)ttl_sec;
    pthread_mutex_lock(&waiting->lock);
    waiting->done = true;
    pthread_cond_signal(&waiting->changed);
    pthread_mutex_unlock(&waiting->lock);
}

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct waiting *waiting = context;

    return waiting->evaluate(lookup, waiting->argument);
}

static void start(void *context)
{
    struct waiting *waiting = context;

    (void)lookups_start(waiting->services->loop, waiting->services->dns, waiting->timeout_ms,
                        evaluate, on_done, waiting);
}

/* The lookups end by their own deadline, far below the MTA's patience. */
static void wait_for(struct services *services, const struct conf *conf, lookups_evaluate *step,
                     void *argument)
{
    struct waiting waiting = {
        .services = services,
        .timeout_ms = conf->dns_timeout_ms,
        .evaluate = step,
        .argument = argument,
    };

    pthread_mutex_init(&waiting.lock, NULL);
    pthread_cond_init(&waiting.changed, NULL);
    loop_post(services->loop, start, &waiting);
    pthread_mutex_lock(&waiting.lock);
    while (!waiting.done)
        pthread_cond_wait(&waiting.changed, &waiting.lock);
    pthread_mutex_unlock(&waiting.lock);
    pthread_cond_destroy(&waiting.changed);
    pthread_mutex_destroy(&waiting.lock);
}

/* --- signatures of mail of ours --------------------------------------------------------- */

static bool learn_keys(const struct lookup *lookup, void *context)
{
    return verify_learn_keys(context, lookup);
}

void receive_carried(struct session *session, struct services *services)
{
    struct verify *verify;

    receive_begin(session);
    verify = session->carried;
    if (verify == NULL)
        return;
    verify_body_end(verify);
    wait_for(services, session->conf, learn_keys, verify);
    verify_judge(verify);
    for (size_t i = 0; i < verify->count; i++)
        if (verify->signatures[i].status == VERIFY_PASS)
            strings_add(&session->message->facts.carried, verify->signatures[i].signature.domain);
}

/* --- facts ---------------------------------------------------------------------------- */

/* "pass:example.com,fail:example.net", or "none". */
static char *dkim_fact(const struct verify *verify)
{
    struct text text = TEXT_EMPTY;

    for (size_t i = 0; i < verify->count; i++) {
        const struct verify_signature *one = &verify->signatures[i];

        text_print(&text, "%s%s", i > 0 ? "," : "", verify_status_name(one->status));
        if (one->signature.domain != NULL)
            text_print(&text, ":%s", one->signature.domain);
    }
    if (verify->count == 0)
        text_add_string(&text, "none");
    return text_take(&text);
}

static char *dmarc_fact(const struct dmarc_result *dmarc)
{
    if (dmarc->status == DMARC_STATUS_FAIL)
        return mem_print("fail(%s)", dmarc_policy_name(dmarc->policy));
    return mem_copy(dmarc_status_name(dmarc->status));
}

static void set_facts(struct facts *facts, const struct incoming *incoming)
{
    free(facts->dkim);
    free(facts->spf);
    free(facts->dmarc);
    facts->dkim = dkim_fact(incoming->verify);
    facts->spf =
        incoming_has_client(incoming) ? mem_copy(spf_status_name(incoming->spf.status)) : NULL;
    facts->dmarc = dmarc_fact(&incoming->dmarc);
}

/* --- findings ------------------------------------------------------------------------- */

/* A finding where the configuration asks for one. */
static struct finding *find(struct session *session, enum cause_id cause, const char *domain,
                            enum conf_result result)
{
    int action = conf_verify_action(session->conf, domain, result);
    struct finding *finding = NULL;

    if (action > (int)ACTION_IGNORE)
        finding = findings_add(&session->message->findings, cause_get(cause));
    if (finding != NULL)
        finding->action_asked = action;
    finding_field(finding, "domain", "%s", domain);
    return finding;
}

/* The last forwarder that sealed the message, where it is one that is trusted and its seal is not
 * known to be false; else NULL. */
static const char *trusted_sealer(const struct session *session)
{
    const struct arc *arc = session->verify->arc;
    const enum arc_status status = arc_status(arc);

    if ((status != ARC_PASS && status != ARC_UNKNOWN) || arc->sealer == NULL ||
        !strings_have_case(&session->conf->trusted_arc, arc->sealer))
        return NULL;
    return arc->sealer;
}

static void find_dmarc(struct session *session, const struct incoming *incoming)
{
    const struct dmarc_result *dmarc = &incoming->dmarc;
    bool fails = dmarc->status == DMARC_STATUS_FAIL;
    bool asks_nothing = dmarc->policy_domain != NULL && dmarc->policy == DMARC_NONE;
    enum conf_result result = CONF_DMARC_TEMPERROR;
    struct finding *finding;
    const char *sealer;

    if (incoming->from_domain == NULL || asks_nothing ||
        (!fails && dmarc->status != DMARC_STATUS_TEMPERROR))
        return;
    if (fails)
        result = dmarc->policy == DMARC_REJECT ? CONF_DMARC_REJECT : CONF_DMARC_QUARANTINE;
    finding = find(session, CAUSE_DNS_UNALIGNED, incoming->from_domain, result);
    sealer = trusted_sealer(session);
    if (finding != NULL && sealer != NULL)
        finding->action_asked = (int)ACTION_LOG;
    finding_field(finding, "dmarc", "%s", session->message->facts.dmarc);
    if (sealer != NULL)
        finding_field(finding, "arc", "%s:%s",
                      arc_status(session->verify->arc) == ARC_PASS ? "pass" : "not-verified",
                      sealer);
    finding_sentence(finding, "The message does not prove that it comes from %s (DMARC).",
                     incoming->from_domain);
    finding_hint(finding, "if the message is genuine, its domain's administrator has to sign it "
                          "with DKIM or to allow its server by SPF");
}

static void find_spf(struct session *session, const struct incoming *incoming)
{
    struct finding *finding;

    if (!incoming_has_client(incoming) || incoming->spf.status != SPF_FAIL)
        return;
    finding = find(session, CAUSE_DNS_SPF_FAIL, incoming->spf.domain, CONF_SPF_FAIL);
    finding_field(finding, "spf", "%s", incoming->spf.mechanism);
    finding_sentence(finding, "%s does not allow your mail server to send its mail (SPF).",
                     incoming->spf.domain);
    finding_hint(finding, "if the message is genuine, its domain's administrator has to allow "
                          "its server by SPF");
}

/* RFC 7372 section 3.1: no signature passes. */
static void find_dkim(struct session *session, const struct incoming *incoming)
{
    const struct verify *verify = incoming->verify;
    const char *failed = NULL;
    struct finding *finding;

    for (size_t i = 0; i < verify->count; i++) {
        if (verify->signatures[i].status == VERIFY_PASS)
            return;
        if (verify->signatures[i].status == VERIFY_FAIL && failed == NULL)
            failed = verify->signatures[i].signature.domain;
    }
    if (failed == NULL)
        return;
    finding = find(session, CAUSE_DNS_DKIM_MISMATCH, failed, CONF_DKIM_FAIL);
    if (finding != NULL) {
        finding->reply_code = 550;
        finding->enhanced = mem_copy("5.7.20");
    }
    finding_sentence(finding, "The message was changed after %s signed it (DKIM).", failed);
    finding_hint(finding, "a server on the way changes messages, or the signature is forged");
}

/* --- headers -------------------------------------------------------------------------- */

/* libmilter's prototypes lack the const; it copies what it is given. */
static char *unconst(const char *string)
{
    return (char *)(uintptr_t)string;
}

/* From the bottom up, since each that goes changes the number of those below it. */
static bool remove_claims(SMFICTX *context, const struct session *session)
{
    const struct message *message = session->message;
    const char *authserv_id = conf_authserv_id(session->conf);
    bool removed = true;
    int number = 0;

    for (size_t i = 0; i < message->nheaders; i++)
        number += verify_is_named(&message->headers[i], RESULTS_HEADER);
    for (size_t i = message->nheaders; i-- > 0 && removed;) {
        const struct header *header = &message->headers[i];

        if (!verify_is_named(header, RESULTS_HEADER))
            continue;
        if (results_claim(header->value, authserv_id))
            removed = smfi_chgheader(context, unconst(RESULTS_HEADER), number, NULL) == MI_SUCCESS;
        number--;
    }
    return removed;
}

static bool insert(SMFICTX *context, const struct session *session, const char *name, char *value)
{
    char *padded = mem_print("%s%s", session->protocol & SMFIP_HDR_LEADSPC ? " " : "", value);
    int result = smfi_insheader(context, 0, unconst(name), padded);

    free(padded);
    free(value);
    return result == MI_SUCCESS;
}

static bool change_headers(SMFICTX *context, const struct session *session,
                           const struct incoming *incoming)
{
    bool changed = !(session->actions & SMFIF_CHGHDRS) || remove_claims(context, session);

    if (changed && session->conf->received_spf && incoming_has_client(incoming))
        changed = insert(context, session, RESULTS_SPF_HEADER,
                         results_received_spf(incoming, incoming->sender[0] == '\0', FOLD));
    return changed && insert(context, session, RESULTS_HEADER,
                             results_format(incoming, conf_authserv_id(session->conf), FOLD));
}

/* --- the end -------------------------------------------------------------------------- */

bool receive_end(SMFICTX *context, struct session *session, struct services *services)
{
    struct message *message = session->message;
    struct incoming incoming;
    bool changed = true;

    receive_begin(session);
    if (session->verify == NULL || verdict_refuses(&message->verdict))
        return true;
    incoming = (struct incoming){
        .message = message,
        .client = message->client,
        .helo = message->helo,
        .sender = message->sender.text,
        .receiver = session->conf->hostname,
        .now_sec = now_sec(),
        .discovery = session->conf->dmarc_discovery == DMARC_BY_SUFFIX_LIST ? DMARC_SUFFIX_LIST
                                                                            : DMARC_TREE_WALK,
        .verify = session->verify,
    };
    verify_body_end(session->verify);
    wait_for(services, session->conf, incoming_gather, &incoming);
    incoming_judge(&incoming);
    wait_for(services, session->conf, incoming_conclude, &incoming);
    set_facts(&message->facts, &incoming);
    find_dmarc(session, &incoming);
    find_spf(session, &incoming);
    find_dkim(session, &incoming);
    verdict_set(session->conf, message);
    if (!verdict_refuses(&message->verdict))
        changed = change_headers(context, session, &incoming);
    incoming_clear(&incoming);
    return changed;
}
