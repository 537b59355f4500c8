/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/try.h"

#include "ctl/ctl.h"
#include "ctl/evaluate.h"
#include "ctl/try_tell.h"

#include "lib/auth/sign.h"
#include "lib/auth/standing.h"
#include "lib/auth/verify.h"
#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/content/content.h"
#include "lib/decide/received.h"
#include "lib/decide/verdict.h"

#include <stdlib.h>
#include <string.h>

#define STEP_MS 50
#define STANDING_MS 10000 /* for the reverse names and blocklists of all our addresses */
#define SECOND_US INT64_C(1000000)

/* What one program makes of it. */
struct run {
    const struct trial *trial;
    const struct conf *conf;
    struct services *services;
    struct message *message;
    struct signer *signer;
    struct signature *signature;
    const char *unsigned_reason;
    struct verify *verify; /* of mail from outside */
    struct incoming incoming;
    json_t *lookups; /* asked since the last judgement */
    json_t *programs; /* what is told; NULL: print */
    bool done;
};

/* --- the message ------------------------------------------------------------------------- */

/* "TLSv1.2/AES256-SHA"; without a cipher, what most programs agree on. */
static void set_tls(struct message *message, const char *tls)
{
    const size_t length = strcspn(tls, "/");
    char *protocol = mem_copy_n(tls, length);
    const char *usual =
        strcmp(protocol, "TLSv1.3") == 0 ? "TLS_AES_256_GCM_SHA384" : "ECDHE-RSA-AES256-GCM-SHA384";

    message_set(&message->tls_protocol, protocol);
    message_set(&message->tls_cipher, tls[length] == '/' ? tls + length + 1
                                      : length > 0       ? usual
                                                         : "");
    free(protocol);
}

static struct message *make_message(const struct trial *trial, const struct conf *conf,
                                    enum message_program program)
{
    struct message *message = message_new(program, conf->hostname);
    const bool login = trial->user != NULL && trial->user[0] != '\0';
    const char *tls = trial->tls != NULL ? trial->tls : login ? "TLSv1.3" : "";

    (void)ip_parse(trial->client, &message->client);
    message_set(&message->helo, trial->helo);
    message_set_user(message, trial->user);
    set_tls(message, tls);
    message_set(&message->tls_certificate, trial->certificate);
    message->tls_told = true;
    message->server_port = (uint16_t)(trial->port != 0 ? trial->port : login ? 587 : 25);
    message_set_sender(message, trial->from);
    message->size = trial->path != NULL ? (int64_t)trial->mail.total : trial->size;
    message->direction = assess_direction(conf, message);
    return message;
}

static void add_recipients(struct run *run)
{
    for (size_t i = 0; i < run->trial->recipients.count; i++)
        (void)message_add_recipient(run->message, run->trial->recipients.items[i]);
}

/* --- judging ----------------------------------------------------------------------------- */

static void assessed(struct message *message, void *context)
{
    (void)message;
    ((struct run *)context)->done = true;
}

static void judge(struct run *run, enum stage stage)
{
    run->message->stage = stage;
    run->message->started_us = clock_now_us(run->services->steady);
    run->done = false;
    assess(run->services, run->conf, run->message, ASSESS_LOOK, assessed, run);
    while (!run->done)
        loop_run_once(run->services->loop, STEP_MS);
}

static void wait_for_standing(const struct services *services)
{
    const int64_t end_us = clock_now_us(services->steady) + STANDING_MS * 1000;

    while (!standing_view(services->standing)->complete && clock_now_us(services->steady) < end_us)
        loop_run_once(services->loop, STEP_MS);
}

/* As the milter does while the body passes. */
static void read_message(struct run *run)
{
    const struct mail *mail = &run->trial->mail;
    struct message *message = run->message;
    struct content *content = NULL;

    for (size_t i = 0; i < mail->message->nheaders; i++) {
        const struct header *header = &mail->message->headers[i];

        message_add_header(message, header->name, header->value);
        wire_header(&message->wire, header->name, header->value, false);
    }
    run->signature = signature_begin(run->signer, run->conf, message, &run->unsigned_reason);
    message->facts.unsigned_reason = run->signature == NULL ? run->unsigned_reason : NULL;
    while (run->signature != NULL && message->facts.nsigning < FACTS_SIGNING_MAX &&
           signature_key(run->signature, message->facts.nsigning,
                         &message->facts.signing[message->facts.nsigning]))
        message->facts.nsigning++;
    if (message->direction == DIRECTION_OUT && run->conf->content_checks)
        content = content_new(run->conf, message);
    wire_body(&message->wire, mail->body, mail->body_length);
    wire_end(&message->wire);
    if (content != NULL) {
        content_body(content, mail->body, mail->body_length);
        content_end(content, &message->facts.content);
        content_free(&content);
        message->facts.signs_unsubscribe = run->signature != NULL;
    }
    if (run->signature != NULL)
        (void)signature_body(run->signature, mail->body, mail->body_length);
}

/* --- mail from outside ------------------------------------------------------------------- */

/* As the milter does at the end of the message. */
static void receive(struct run *run)
{
    const struct mail *mail = &run->trial->mail;
    const int64_t now_sec = clock_now_us(&clock_wall) / SECOND_US;
    struct evaluator evaluator = {run->services->loop, run->services->dns,
                                  run->services->spf_engine};

    run->verify = verify_new(mail->message, false, now_sec);
    run->incoming = (struct incoming){
        .message = mail->message,
        .client = run->message->client,
        .helo = run->message->helo,
        .sender = run->message->sender.text,
        .receiver = run->conf->hostname,
        .now_sec = now_sec,
        .discovery = run->conf->dmarc_discovery == DMARC_BY_SUFFIX_LIST ? DMARC_SUFFIX_LIST
                                                                        : DMARC_TREE_WALK,
        .verify = run->verify,
    };
    verify_body(run->verify, mail->body, mail->body_length);
    verify_body_end(run->verify);
    evaluator_run(&evaluator, incoming_gather, &run->incoming);
    incoming_judge(&run->incoming);
    evaluator_run(&evaluator, incoming_conclude, &run->incoming);
    received_decide(run->conf, run->message, &run->incoming);
}

/* --- what was asked ---------------------------------------------------------------------- */

static void keep_lookup(const struct dns_answer *answer, void *context)
{
    static const char *const answers[] = {
        [DNS_FOUND] = "found",   [DNS_NO_DATA] = "no data", [DNS_ABSENT] = "does not exist",
        [DNS_FAILED] = "failed", [DNS_BOGUS] = "bogus",
    };
    static const struct {
        enum dns_type type;
        const char *word;
    } types[] = {
        {DNS_A, "A"}, {DNS_PTR, "PTR"}, {DNS_MX, "MX"}, {DNS_TXT, "TXT"}, {DNS_AAAA, "AAAA"},
    };
    const char *type = "?";

    for (size_t i = 0; i < COUNT_OF(types); i++)
        if (types[i].type == answer->type)
            type = types[i].word;
    json_array_append_new(context, json_pack("{s:s, s:s, s:s, s:b}", "name", answer->name, "type",
                                             type, "answer", answers[answer->status], "known",
                                             (int)answer->from_cache));
}

/* --- the programs ------------------------------------------------------------------------ */

/* Ends the signature: what is left of it will be added. */
static void end_signature(struct run *run)
{
    if (run->signature == NULL || signature_end(run->signature, &run->unsigned_reason))
        return;
    signature_free(&run->signature);
}

static void tell(const struct run *run, const char *program, const char *recipient)
{
    const struct judgement judgement = {
        .program = program,
        .recipient = recipient,
        .client = run->trial->client,
        .conf = run->conf,
        .message = run->message,
        .signature = run->signature,
        .unsigned_reason = run->signer != NULL && run->message->direction == DIRECTION_OUT
                               ? run->unsigned_reason
                               : NULL,
        .incoming = run->verify != NULL ? &run->incoming : NULL,
        .lookups = run->lookups,
    };
    json_t *object = judgement_json(&judgement);

    if (run->programs == NULL)
        judgement_print(object);
    else
        (void)json_array_append(run->programs, object);
    json_decref(object);
}

/* At RCPT each recipient has an answer of its own. */
static bool run_policy(struct run *run)
{
    const struct trial *trial = run->trial;
    bool passed = true;

    run->message = make_message(trial, run->conf, PROGRAM_POLICY);
    if (trial->stage != STAGE_RCPT) {
        if (trial->stage > STAGE_RCPT)
            add_recipients(run);
        judge(run, trial->stage);
        tell(run, "sluice-policyd", NULL);
        passed = judgement_passes(run->message);
    }
    for (size_t i = 0; trial->stage == STAGE_RCPT && i < trial->recipients.count; i++) {
        json_array_clear(run->lookups);
        (void)message_add_recipient(run->message, trial->recipients.items[i]);
        judge(run, STAGE_RCPT);
        tell(run, "sluice-policyd", trial->recipients.items[i]);
        passed = passed && judgement_passes(run->message);
        if (verdict_refuses(&run->message->verdict))
            message_drop_recipient(run->message);
    }
    message_free(&run->message);
    return passed;
}

static bool run_milter(struct run *run)
{
    char *problem = NULL;
    bool passed;

    run->signer = signer_new(run->conf, NULL, &problem);
    if (run->signer == NULL) {
        ctl_complain("%s", problem != NULL ? problem : "cannot sign");
        free(problem);
        return false;
    }
    run->message = make_message(run->trial, run->conf, PROGRAM_MILTER);
    add_recipients(run);
    read_message(run);
    judge(run, STAGE_END_OF_MESSAGE);
    if (run->message->direction == DIRECTION_IN && run->conf->verify_incoming &&
        !verdict_refuses(&run->message->verdict))
        receive(run);
    end_signature(run);
    tell(run, "sluice-milter", NULL);
    passed = judgement_passes(run->message);
    incoming_clear(&run->incoming);
    verify_free(&run->verify);
    signature_free(&run->signature);
    message_free(&run->message);
    signer_release(&run->signer);
    return passed;
}

int trial_run(const struct trial *trial, const struct conf *conf, struct services *services)
{
    struct run run = {.trial = trial,
                      .conf = conf,
                      .services = services,
                      .lookups = json_array(),
                      .programs = trial->json ? json_array() : NULL};
    bool passed = true;

    dns_trace(services->dns, keep_lookup, run.lookups);
    wait_for_standing(services);
    if (trial->as_policy)
        passed = run_policy(&run);
    json_array_clear(run.lookups);
    if (trial->as_milter)
        passed = run_milter(&run) && passed;
    dns_trace(services->dns, NULL, NULL);
    json_decref(run.lookups);
    if (run.programs != NULL)
        ctl_print_json(json_pack("{s:b, s:o}", "passes", (int)passed, "programs", run.programs));
    return passed ? EX_OK : EXIT_NEGATIVE;
}
