/* SPDX-License-Identifier: BSD-2-Clause */
/* One request from its attributes to the action that answers it. */
#include "policy/judge.h"

#include "lib/base/clock.h"
#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/decide/report.h"
#include "lib/decide/verdict.h"
#include "policy/answer.h"
#include "policy/translate.h"

#include <stdlib.h>
#include <string.h>

/* A request while it is being judged. */
struct judging {
    struct judge *judge;
    struct transaction *transaction;
    enum assess_charge charge;
    judge_callback *callback;
    void *context;
};

static enum assess_charge charge_at(const struct conf *conf, enum stage stage)
{
    static const bool charges[][STAGE_END_OF_MESSAGE + 1] = {
        [CHARGE_AT_END] = {[STAGE_DATA] = true, [STAGE_END_OF_MESSAGE] = true},
        [CHARGE_AT_RCPT] =
            {[STAGE_RCPT] = true, [STAGE_DATA] = true, [STAGE_END_OF_MESSAGE] = true},
    };

    return charges[conf->charge_at][stage] ? ASSESS_CHARGE : ASSESS_LOOK;
}

/* --- before: the transaction ---------------------------------------------------------- */

static void leave_last(struct judge *judge, struct judge_client *client, const char *instance)
{
    const size_t length = strlen(instance);

    if (strcmp(client->instance, instance) == 0)
        return;
    if (client->instance[0] != '\0')
        transactions_leave(judge->transactions, client->instance);
    client->instance[0] = '\0';
    if (length < sizeof(client->instance))
        memcpy(client->instance, instance, length + 1);
}

/* Whether the request is about the very same message; of one that has ended its end alone is. */
static bool belongs(const struct transaction *transaction, const struct protocol_request *request,
                    uint64_t fingerprint, enum stage stage)
{
    const char *queue_id = request->values[ATTRIBUTE_QUEUE_ID];

    return transaction->fingerprint == fingerprint &&
           (!transaction->ended || (stage == STAGE_END_OF_MESSAGE &&
                                    strcmp(queue_id, transaction->message->queue_id) == 0));
}

/* The transaction that the request belongs to, out of the table, or a new one. */
static struct transaction *
find_transaction(struct judge *judge, const struct protocol_request *request, enum stage stage)
{
    const uint64_t fingerprint = translate_fingerprint(request);
    const char *instance = request->values[ATTRIBUTE_INSTANCE];
    struct transaction *transaction = NULL;
    struct conf *conf;

    if (instance[0] != '\0')
        transaction = transactions_take(judge->transactions, instance);
    if (transaction != NULL && belongs(transaction, request, fingerprint, stage))
        return transaction;
    transaction_free(&transaction);
    conf = conf_slot_get(judge->conf);
    transaction = transaction_new(conf, translate_begin(request, conf->hostname));
    transaction->fingerprint = fingerprint;
    return transaction;
}

/* A service that is listed in two restriction lists is asked twice about one recipient. */
static void add_recipient(struct transaction *transaction, const struct protocol_request *request)
{
    struct message *message = transaction->message;
    const char *recipient = request->values[ATTRIBUTE_RECIPIENT];
    const uint64_t hash = hash_table(recipient, strlen(recipient));

    if (hash == transaction->last_recipient)
        return;
    /* After a refused DATA the client may go on with more recipients. */
    if (message->nrecipients_total < message->nrecipients)
        message->nrecipients_total = message->nrecipients;
    (void)message_add_recipient(message, recipient);
    transaction->last_recipient = hash;
}

static void bring_up_to_date(struct transaction *transaction,
                             const struct protocol_request *request, enum stage stage)
{
    struct message *message = transaction->message;

    translate_progress(message, request, stage);
    if (stage == STAGE_RCPT)
        add_recipient(transaction, request);
    else if (stage > STAGE_RCPT)
        translate_recipients(message, request);
}

/* With charge-at = rcpt the identity has to be the instance from first to last; the log still shows
 * the queue id. */
static void hide_queue_id(struct transaction *transaction)
{
    struct message *message = transaction->message;

    if (transaction->conf->charge_at != CHARGE_AT_RCPT || message->instance[0] == '\0')
        return;
    free(transaction->queue_id);
    transaction->queue_id = mem_copy(message->queue_id);
    message_set(&message->queue_id, NULL);
}

static void show_queue_id(struct transaction *transaction)
{
    if (transaction->queue_id != NULL)
        message_set(&transaction->message->queue_id, transaction->queue_id);
}

/* --- after: the log, the table, the answer -------------------------------------------- */

/* Whether something was found that no message line of the transaction has said.  At RCPT a cause
 * may be found again for each recipient. */
static bool has_news(struct transaction *transaction)
{
    const struct message *message = transaction->message;
    bool news = false;

    for (size_t i = 0; i < message->findings.count; i++) {
        const struct finding *finding = &message->findings.items[i];

        if (finding->action <= (int)ACTION_IGNORE)
            continue;
        if (transaction_has_cause(&transaction->reported, finding->cause))
            news = news || (message->stage == STAGE_RCPT && finding->recipient >= 0);
        else
            news = transaction_add_cause(&transaction->reported, finding->cause) || news;
    }
    return news;
}

static void report(struct judging *judging)
{
    struct transaction *transaction = judging->transaction;
    const struct message *message = transaction->message;

    if (verdict_refuses(&message->verdict)) {
        report_message(judging->judge->services, transaction->conf, message);
        /* A recipient that is refused is not the message. */
        transaction->logged = transaction->logged || message->stage >= STAGE_DATA;
        return;
    }
    if (judging->charge == ASSESS_LOOK || (!has_news(transaction) && transaction->logged))
        return;
    report_message(judging->judge->services, transaction->conf, message);
    transaction->logged = true;
}

/* Leaves what was found and asked to the next stage, which does it anew, but for what the resolver
 * said of the sender: a table full of the rest would be large. */
static void forget_findings(struct message *message)
{
    const struct mail_domain_fact sender_domain = message->facts.sender_domain;

    message->facts.sender_domain = (struct mail_domain_fact){0};
    facts_clear(&message->facts);
    message->facts.sender_domain = sender_domain;
    message->verdict = (struct verdict){0};
    findings_clear(&message->findings);
}

/* Keeps the transaction for the requests to come. */
static void keep(struct judge *judge, struct transaction *transaction)
{
    struct message *message = transaction->message;

    if (message->instance[0] == '\0') {
        transaction_free(&transaction);
        return;
    }
    transaction->ended = message->stage == STAGE_END_OF_MESSAGE;
    if (message->stage == STAGE_RCPT && verdict_refuses(&message->verdict)) {
        message_drop_recipient(message);
        transaction->last_recipient = 0;
    }
    forget_findings(message);
    transactions_put(judge->transactions, transaction, clock_now_us(judge->services->steady));
}

static void on_assessed(struct message *message, void *context)
{
    struct judging judging = *(struct judging *)context;
    char action[ANSWER_MAX];

    (void)message;
    free(context);
    show_queue_id(judging.transaction);
    answer_make(judging.transaction, action);
    report(&judging);
    keep(judging.judge, judging.transaction);
    judging.callback(action, judging.context);
}

void judge_request(struct judge *judge, struct judge_client *client,
                   const struct protocol_request *request, judge_callback *callback, void *context)
{
    struct judging *judging;
    struct transaction *transaction;
    enum stage stage;

    if (!translate_stage(request, &stage)) {
        callback(ANSWER_NOTHING, context);
        return;
    }
    leave_last(judge, client, request->values[ATTRIBUTE_INSTANCE]);
    transaction = find_transaction(judge, request, stage);
    transaction->message->started_us = clock_now_us(judge->services->steady);
    bring_up_to_date(transaction, request, stage);
    hide_queue_id(transaction);
    judging = mem_new(1, sizeof(*judging));
    *judging = (struct judging){judge, transaction, charge_at(transaction->conf, stage), callback,
                                context};
    assess(judge->services, transaction->conf, transaction->message, judging->charge, on_assessed,
           judging);
}
