/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/try_tell.h"

#include "lib/auth/results.h"
#include "lib/causes/causes.h"
#include "lib/decide/reply.h"
#include "lib/decide/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_HEADER "DKIM-Signature"

bool judgement_passes(const struct message *message)
{
    return message->verdict.action < (int)ACTION_HOLD;
}

/* --- as JSON ----------------------------------------------------------------------------- */

/* What strangers wrote need not be UTF-8. */
static json_t *words(const char *text)
{
    json_t *value = json_string(text);
    char *plain;

    if (value != NULL)
        return value;
    plain = strdup(text);
    for (char *c = plain; c != NULL && *c != '\0'; c++)
        if ((unsigned char)*c >= 0x80)
            *c = '?';
    value = json_string(plain != NULL ? plain : "");
    free(plain);
    return value;
}

static const char *verdict_word(int action)
{
    return action <= (int)ACTION_LOG ? "accept" : action_name((enum action)action);
}

static json_t *findings_json(const struct findings *findings)
{
    json_t *list = json_array();

    for (size_t i = 0; i < findings->count; i++) {
        const struct finding *finding = &findings->items[i];
        const enum severity severity =
            finding->severity >= 0 ? (enum severity)finding->severity : finding->cause->severity;
        json_t *facts = json_object();
        json_t *object =
            json_pack("{s:s, s:s, s:s, s:s}", "cause", finding->cause->id, "severity",
                      severity_name(severity), "action", action_name((enum action)finding->action),
                      "would", action_name((enum action)finding->would));

        for (size_t j = 0; j < finding->nfields; j++)
            json_object_set_new(facts, finding->fields[j].name, words(finding->fields[j].value));
        json_object_set_new(object, "facts", facts);
        json_object_set_new(object, "hint",
                            words(finding->hint != NULL ? finding->hint : finding->cause->remedy));
        json_array_append_new(list, object);
    }
    return list;
}

static json_t *reply_words(const struct verdict *verdict, const struct reply *reply)
{
    if (verdict_refuses(verdict))
        return json_sprintf("%u %s %s", reply->code, reply->enhanced, reply->text);
    if (verdict->action == (int)ACTION_HOLD)
        return json_sprintf("HOLD %s", reply->text);
    return NULL;
}

/* What the client would be told if what is only observed were enforced; NULL: nothing. */
static json_t *reply_if_enforced(const struct judgement *judgement)
{
    struct message *message = judgement->message;
    const struct verdict verdict = message->verdict;
    struct finding enforced;
    struct reply reply;
    json_t *told;
    size_t i = 0;

    while (i < message->findings.count && message->findings.items[i].would != verdict.would)
        i++;
    if (i == message->findings.count)
        return NULL;
    enforced = message->findings.items[i];
    enforced.action = verdict.would;
    message->verdict.action = verdict.would;
    message->verdict.decisive = &enforced;
    reply_make(judgement->conf, message, &reply);
    told = reply_words(&message->verdict, &reply);
    message->verdict = verdict;
    return told;
}

static void add_verdict(json_t *object, const struct judgement *judgement)
{
    const struct verdict *verdict = &judgement->message->verdict;
    struct reply reply;
    json_t *told;

    json_object_set_new(object, "verdict", json_string(verdict_word(verdict->action)));
    json_object_set_new(object, "enforcing", json_string(verdict_word(verdict->would)));
    reply_make(judgement->conf, judgement->message, &reply);
    told = reply_words(verdict, &reply);
    if (told != NULL)
        json_object_set_new(object, "reply", told);
    told = verdict->would > verdict->action ? reply_if_enforced(judgement) : NULL;
    if (told != NULL)
        json_object_set_new(object, "enforced", told);
}

static void add_header(json_t *headers, const char *name, const char *value)
{
    json_array_append_new(headers, json_pack("{s:s, s:o}", "name", name, "value", words(value)));
}

static void add_warnings(json_t *headers, const struct judgement *judgement)
{
    const struct findings *findings = &judgement->message->findings;
    char text[REPLY_TEXT_MAX], last[REPLY_TEXT_MAX] = "";

    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].action != (int)ACTION_WARN)
            continue;
        reply_warning(judgement->conf, judgement->message, &findings->items[i], text);
        if (strcmp(text, last) != 0)
            add_header(headers, REPLY_WARNING_HEADER, text);
        memcpy(last, text, sizeof(last));
    }
}

static void add_received(json_t *headers, json_t *removed, const struct judgement *judgement)
{
    const struct incoming *incoming = judgement->incoming;
    const char *authserv_id = conf_authserv_id(judgement->conf);
    char *value = results_format(incoming, authserv_id, " ");

    add_header(headers, RESULTS_HEADER, value);
    free(value);
    if (judgement->conf->received_spf && incoming_has_client(incoming)) {
        value = results_received_spf(incoming, incoming->sender[0] == '\0', " ");
        add_header(headers, RESULTS_SPF_HEADER, value);
        free(value);
    }
    for (size_t i = 0; i < incoming->message->nheaders; i++) {
        const struct header *header = &incoming->message->headers[i];

        if (verify_is_named(header, RESULTS_HEADER) && results_claim(header->value, authserv_id))
            add_header(removed, RESULTS_HEADER, header->value + strspn(header->value, " \t"));
    }
}

static void add_headers(json_t *object, const struct judgement *judgement)
{
    json_t *headers = json_array(), *removed = json_array();
    struct signature *signature = judgement->signature;

    add_warnings(headers, judgement);
    for (size_t n = 0; signature != NULL && signature_value(signature, n) != NULL; n++)
        add_header(headers, SIGNATURE_HEADER, signature_value(signature, n));
    if (judgement->incoming != NULL)
        add_received(headers, removed, judgement);
    json_object_set_new(object, "headers", headers);
    json_object_set_new(object, "removed", removed);
    if (signature == NULL && judgement->unsigned_reason != NULL)
        json_object_set_new(object, "unsigned", json_string(judgement->unsigned_reason));
}

static void add_store(json_t *object, const struct message *message)
{
    static const char *const states[] = {
        [STORE_UNASKED] = "not asked",
        [STORE_ANSWERED] = "looked at, nothing charged",
        [STORE_ANSWERED_LOCALLY] = "away: local counters",
        [STORE_NO_ANSWER] = "away",
    };
    json_t *limits = json_array();

    for (size_t i = 0; i < message->facts.nlimits; i++) {
        const struct limit_fact *fact = &message->facts.limits[i];

        json_array_append_new(
            limits, json_pack("{s:s, s:o, s:I, s:I, s:I}", "limit", fact->limit->name, "subject",
                              words(fact->subject), "used", (json_int_t)fact->used, "max",
                              (json_int_t)fact->max, "adds", (json_int_t)fact->amount));
    }
    json_object_set_new(object, "store", json_string(states[message->facts.store]));
    json_object_set_new(object, "limits", limits);
}

json_t *judgement_json(const struct judgement *judgement)
{
    const struct message *message = judgement->message;
    json_t *object =
        json_pack("{s:s, s:s, s:s}", "program", judgement->program, "client", judgement->client,
                  "direction", message->direction == DIRECTION_OUT ? "out" : "in");

    if (judgement->recipient != NULL)
        json_object_set_new(object, "rcpt", words(judgement->recipient));
    json_object_set_new(object, "findings", findings_json(&message->findings));
    add_verdict(object, judgement);
    if (judgement_passes(message))
        add_headers(object, judgement);
    add_store(object, message);
    json_object_set_new(object, "lookups", json_deep_copy(judgement->lookups));
    return object;
}

/* --- in lines ---------------------------------------------------------------------------- */

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text != NULL ? text : "";
}

static long long number_of(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

/* What strangers wrote does nothing to the terminal. */
static void print_safely(const char *text)
{
    for (; *text != '\0'; text++)
        putchar((unsigned char)*text < ' ' || *text == 0x7f ? '?' : *text);
}

static void print_item(const char *label, const char *text)
{
    printf("  %-8s ", label);
    print_safely(text);
    putchar('\n');
}

static void print_finding(const json_t *finding)
{
    const char *name;
    json_t *value;

    printf("  found    %s  action=%s", text_of(finding, "cause"), text_of(finding, "action"));
    if (strcmp(text_of(finding, "would"), text_of(finding, "action")) != 0)
        printf(" would=%s", text_of(finding, "would"));
    json_object_foreach(json_object_get(finding, "facts"), name, value)
    {
        printf(" %s=\"", name);
        print_safely(json_string_value(value));
        putchar('"');
    }
    printf("\n           hint: ");
    print_safely(text_of(finding, "hint"));
    putchar('\n');
}

static void print_verdict(const json_t *judgement)
{
    const char *verdict = text_of(judgement, "verdict");
    const char *enforcing = text_of(judgement, "enforcing");

    printf("  verdict  %s", verdict);
    if (strcmp(verdict, enforcing) != 0)
        printf(" (enforcing: %s)", enforcing);
    putchar('\n');
    if (json_object_get(judgement, "reply") != NULL)
        print_item("reply", text_of(judgement, "reply"));
    if (json_object_get(judgement, "enforced") != NULL)
        print_item("enforced", text_of(judgement, "enforced"));
}

static void print_headers(const json_t *judgement, const char *list, const char *label)
{
    json_t *header;
    size_t i;

    json_array_foreach(json_object_get(judgement, list), i, header)
    {
        printf("  %-8s %s: ", label, text_of(header, "name"));
        print_safely(text_of(header, "value"));
        putchar('\n');
    }
}

static void print_asked(const json_t *judgement)
{
    json_t *item;
    size_t i;

    print_item("store", text_of(judgement, "store"));
    json_array_foreach(json_object_get(judgement, "limits"), i, item)
    {
        printf("  store    limit %s of ", text_of(item, "limit"));
        print_safely(text_of(item, "subject"));
        printf(": %lld of %lld used, this adds %lld\n", number_of(item, "used"),
               number_of(item, "max"), number_of(item, "adds"));
    }
    json_array_foreach(json_object_get(judgement, "lookups"), i, item)
    {
        printf("  lookup   ");
        print_safely(text_of(item, "name"));
        printf(" %s: %s%s\n", text_of(item, "type"), text_of(item, "answer"),
               json_is_true(json_object_get(item, "known")) ? " (known)" : "");
    }
}

void judgement_print(const json_t *judgement)
{
    const json_t *findings = json_object_get(judgement, "findings");
    const char *recipient = text_of(judgement, "rcpt");
    json_t *finding;
    size_t i;

    printf("%s%s", text_of(judgement, "program"), *recipient != '\0' ? " at RCPT " : "");
    print_safely(recipient);
    printf("\n  client   %s, %s\n", text_of(judgement, "client"),
           strcmp(text_of(judgement, "direction"), "out") == 0 ? "one of us (out)"
                                                               : "from outside (in)");
    if (json_array_size(findings) == 0)
        print_item("found", "nothing");
    json_array_foreach(findings, i, finding) print_finding(finding);
    print_verdict(judgement);
    print_headers(judgement, "headers", "header");
    print_headers(judgement, "removed", "removed");
    if (json_object_get(judgement, "unsigned") != NULL)
        print_item("unsigned", text_of(judgement, "unsigned"));
    print_asked(judgement);
}
