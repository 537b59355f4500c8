/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/receive.h"

#include "lib/auth/lookups.h"
#include "lib/auth/results.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/decide/received.h"
#include "lib/decide/verdict.h"
#include "milter/edit.h"

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

    (void)lookups_start_with(waiting->services->loop, waiting->services->dns,
                             waiting->services->spf_engine, waiting->timeout_ms, evaluate, on_done,
                             waiting);
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

/* --- headers -------------------------------------------------------------------------- */

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
            removed = edit_remove(context, RESULTS_HEADER, number);
        number--;
    }
    return removed;
}

/* Takes the value. */
static bool insert(SMFICTX *context, const struct session *session, const char *name, char *value)
{
    const bool inserted = edit_insert(context, session, name, value);

    free(value);
    return inserted;
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
        .dmarc_sample = (unsigned)(hash_table(message->queue_id, strlen(message->queue_id)) % 100),
        .verify = session->verify,
    };
    verify_body_end(session->verify);
    wait_for(services, session->conf, incoming_gather, &incoming);
    incoming_judge(&incoming);
    wait_for(services, session->conf, incoming_conclude, &incoming);
    received_decide(session->conf, message, &incoming);
    if (!verdict_refuses(&message->verdict))
        changed = change_headers(context, session, &incoming);
    incoming_clear(&incoming);
    return changed;
}
