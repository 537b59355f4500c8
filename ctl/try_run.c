/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/try.h"

#include "ctl/ctl.h"
#include "ctl/evaluate.h"

#include "lib/auth/results.h"
#include "lib/auth/sign.h"
#include "lib/auth/standing.h"
#include "lib/auth/verify.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/causes/causes.h"
#include "lib/content/content.h"
#include "lib/decide/reply.h"
#include "lib/decide/verdict.h"

#include <inttypes.h>
#include <stdio.h>
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
    bool done;
};

/* --- the message ------------------------------------------------------------------------- */

static struct message *make_message(const struct trial *trial, const struct conf *conf,
                                    enum message_program program)
{
    struct message *message = message_new(program, conf->hostname);
    const bool login = trial->user != NULL && trial->user[0] != '\0';
    const char *tls = trial->tls != NULL ? trial->tls : login ? "TLSv1.3" : "";

    (void)ip_parse(trial->client, &message->client);
    message_set(&message->helo, trial->helo);
    message_set_user(message, trial->user);
    message_set(&message->tls_protocol, tls);
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

/* --- printing ---------------------------------------------------------------------------- */

/* What strangers wrote does nothing to the terminal. */
static void print_value(const char *value)
{
    putchar('"');
    for (; *value != '\0'; value++)
        putchar((unsigned char)*value < ' ' || *value == 0x7f ? '?' : *value);
    putchar('"');
}

static void print_findings(const struct message *message)
{
    if (message->findings.count == 0)
        puts("  found    nothing");
    for (size_t i = 0; i < message->findings.count; i++) {
        const struct finding *finding = &message->findings.items[i];

        printf("  found    %s  action=%s", finding->cause->id,
               action_name((enum action)finding->action));
        if (finding->would > finding->action)
            printf(" would=%s", action_name((enum action)finding->would));
        for (size_t j = 0; j < finding->nfields; j++) {
            printf(" %s=", finding->fields[j].name);
            print_value(finding->fields[j].value);
        }
        printf("\n           hint: %s\n",
               finding->hint != NULL ? finding->hint : finding->cause->remedy);
    }
}

/* What the client would be told if what is only observed were enforced. */
static void print_reply_if_enforced(const struct run *run)
{
    struct message *message = run->message;
    const struct verdict verdict = message->verdict;
    size_t i = 0;

    while (i < message->findings.count && message->findings.items[i].would != verdict.would)
        i++;
    if (i == message->findings.count)
        return;

    struct finding enforced = message->findings.items[i];
    struct reply reply;

    enforced.action = verdict.would;
    message->verdict.action = verdict.would;
    message->verdict.decisive = &enforced;
    reply_make(run->conf, message, &reply);
    if (verdict_refuses(&message->verdict))
        printf("  enforced %u %s %s\n", reply.code, reply.enhanced, reply.text);
    else if (verdict.would == (int)ACTION_HOLD)
        printf("  enforced HOLD %s\n", reply.text);
    message->verdict = verdict;
}

static void print_reply(const struct run *run)
{
    const struct verdict *verdict = &run->message->verdict;
    struct reply reply;

    printf("  verdict  %s", verdict->action <= (int)ACTION_LOG
                                ? "accept"
                                : action_name((enum action)verdict->action));
    if (verdict->would > verdict->action)
        printf(" (enforcing: %s)", action_name((enum action)verdict->would));
    putchar('\n');
    reply_make(run->conf, run->message, &reply);
    if (verdict_refuses(verdict))
        printf("  reply    %u %s %s\n", reply.code, reply.enhanced, reply.text);
    else if (verdict->action == (int)ACTION_HOLD)
        printf("  reply    HOLD %s\n", reply.text);
    if (verdict->would > verdict->action)
        print_reply_if_enforced(run);
}

static void print_warnings(const struct run *run)
{
    const struct findings *findings = &run->message->findings;

    for (size_t i = 0; i < findings->count; i++) {
        char text[REPLY_TEXT_MAX];

        if (findings->items[i].action != (int)ACTION_WARN)
            continue;
        reply_warning(run->conf, run->message, &findings->items[i], text);
        printf("  header   " REPLY_WARNING_HEADER ": %s\n", text);
    }
}

static void print_signatures(struct run *run)
{
    if (run->signature == NULL || !signature_end(run->signature, &run->unsigned_reason)) {
        printf("  unsigned %s\n", run->unsigned_reason);
        return;
    }
    for (size_t n = 0; signature_value(run->signature, n) != NULL; n++)
        printf("  header   DKIM-Signature: %s\n", signature_value(run->signature, n));
}

/* For mail from outside. */
static void print_results(const struct run *run)
{
    const struct mail *mail = &run->trial->mail;
    const int64_t now_sec = clock_now_us(&clock_wall) / SECOND_US;
    struct verify *verify = verify_new(mail->message, false, now_sec);
    struct evaluator evaluator = {run->services->loop, run->services->dns};
    struct incoming incoming = {
        .message = mail->message,
        .client = run->message->client,
        .helo = run->message->helo,
        .sender = run->message->sender.text,
        .receiver = run->conf->hostname,
        .now_sec = now_sec,
        .discovery = run->conf->dmarc_discovery == DMARC_BY_SUFFIX_LIST ? DMARC_SUFFIX_LIST
                                                                        : DMARC_TREE_WALK,
        .verify = verify,
    };
    char *value;

    verify_body(verify, mail->body, mail->body_length);
    verify_body_end(verify);
    evaluator_run(&evaluator, incoming_gather, &incoming);
    incoming_judge(&incoming);
    evaluator_run(&evaluator, incoming_conclude, &incoming);
    value = results_format(&incoming, conf_authserv_id(run->conf), " ");
    printf("  header   Authentication-Results: %s\n", value);
    free(value);
    incoming_clear(&incoming);
    verify_free(&verify);
}

static void print_lookup(const struct dns_answer *answer, void *context)
{
    static const char *const words[] = {
        [DNS_FOUND] = "found",   [DNS_NO_DATA] = "no data", [DNS_ABSENT] = "does not exist",
        [DNS_FAILED] = "failed", [DNS_BOGUS] = "bogus",
    };
    static const struct {
        enum dns_type type;
        const char *word;
    } types[] = {
        {DNS_A, "A"}, {DNS_PTR, "PTR"}, {DNS_MX, "MX"}, {DNS_TXT, "TXT"}, {DNS_AAAA, "AAAA"},
    };
    struct text *lookups = context;
    const char *type = "?";

    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (types[i].type == answer->type)
            type = types[i].word;
    text_print(lookups, "  lookup   %s %s: %s%s\n", answer->name, type, words[answer->status],
               answer->from_cache ? " (known)" : "");
}

static void print_store(const struct message *message)
{
    static const char *const states[] = {
        [STORE_UNASKED] = "not asked",
        [STORE_ANSWERED] = "looked at, nothing charged",
        [STORE_ANSWERED_LOCALLY] = "away: local counters",
        [STORE_NO_ANSWER] = "away",
    };

    printf("  store    %s\n", states[message->facts.store]);
    for (size_t i = 0; i < message->facts.nlimits; i++) {
        const struct limit_fact *fact = &message->facts.limits[i];

        printf("  store    limit %s of %s: %" PRId64 " of %" PRId64 " used, this adds %" PRId64
               "\n",
               fact->limit->name, fact->subject, fact->used, fact->max, fact->amount);
    }
}

/* --- the programs ------------------------------------------------------------------------ */

static bool passes(const struct message *message)
{
    return message->verdict.action < (int)ACTION_HOLD;
}

static void print_judgement(struct run *run, const struct text *lookups)
{
    printf("  client   %s, %s\n", run->trial->client,
           run->message->direction == DIRECTION_OUT ? "one of us (out)" : "from outside (in)");
    print_findings(run->message);
    print_reply(run);
    if (passes(run->message)) {
        print_warnings(run);
        if (run->signer != NULL && run->message->direction == DIRECTION_OUT)
            print_signatures(run);
        else if (run->signer != NULL && run->conf->verify_incoming)
            print_results(run);
    }
    print_store(run->message);
    fputs(text_string(lookups), stdout);
}

/* At RCPT each recipient has an answer of its own. */
static bool run_policy(struct run *run, struct text *lookups)
{
    const struct trial *trial = run->trial;
    bool passed = true;

    run->message = make_message(trial, run->conf, PROGRAM_POLICY);
    if (trial->stage != STAGE_RCPT) {
        if (trial->stage > STAGE_RCPT)
            add_recipients(run);
        judge(run, trial->stage);
        puts("sluice-policyd");
        print_judgement(run, lookups);
        return passes(run->message);
    }
    for (size_t i = 0; i < trial->recipients.count; i++) {
        text_clear(lookups);
        (void)message_add_recipient(run->message, trial->recipients.items[i]);
        judge(run, STAGE_RCPT);
        printf("sluice-policyd at RCPT %s\n", trial->recipients.items[i]);
        print_judgement(run, lookups);
        passed = passed && passes(run->message);
        if (verdict_refuses(&run->message->verdict))
            message_drop_recipient(run->message);
    }
    return passed;
}

static bool run_milter(struct run *run, struct text *lookups)
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
    puts("sluice-milter");
    print_judgement(run, lookups);
    passed = passes(run->message);
    signature_free(&run->signature);
    message_free(&run->message);
    signer_release(&run->signer);
    return passed;
}

int trial_run(const struct trial *trial, const struct conf *conf, struct services *services)
{
    struct run run = {.trial = trial, .conf = conf, .services = services};
    struct text lookups = TEXT_EMPTY;
    bool passed = true;

    dns_trace(services->dns, print_lookup, &lookups);
    wait_for_standing(services);
    if (trial->as_policy) {
        passed = run_policy(&run, &lookups);
        message_free(&run.message);
    }
    text_clear(&lookups);
    if (trial->as_milter)
        passed = run_milter(&run, &lookups) && passed;
    dns_trace(services->dns, NULL, NULL);
    text_free(&lookups);
    return passed ? EX_OK : EXIT_NEGATIVE;
}
