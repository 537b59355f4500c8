/* SPDX-License-Identifier: BSD-2-Clause */
/* From a delivery result to a cause. */
#include "lib/classify/classify.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/classify/normal.h"

#include <stdlib.h>
#include <string.h>

#define CAUSE_NAME_MAX 64

struct classify_scratch {
    struct rules_scratch *rules;
    char text[NORMAL_ROOM];
};

/* What a line of each kind says of a message, where it is not always nothing. */
static const struct {
    bool fails;
    bool known_only; /* without a rule it says nothing */
} kinds[LINE_KIND_COUNT] = {
    [LINE_DELIVERY] = {.fails = true},
    [LINE_ATTEMPT] = {.fails = true},
    [LINE_CONNECT] = {.fails = true},
    [LINE_EXPIRED] = {.fails = true},
    [LINE_RELAY_LOGIN] = {.fails = true},
    [LINE_TLS_OUT] = {.fails = true},
    [LINE_REJECT] = {.fails = true},
    [LINE_SCREEN] = {.fails = true},
    [LINE_LOGIN] = {.fails = true},
    [LINE_RATE] = {.fails = true, .known_only = true},
    [LINE_TLS_IN] = {.fails = true, .known_only = true},
};

/* Causes that pass by themselves, or with another message, whatever the code says. */
static const enum cause_id passing[] = {
    CAUSE_RECIPIENT_MAILBOX_FULL,  CAUSE_RECIPIENT_REFUSES_SIZE, CAUSE_DESTINATION_SIZE,
    CAUSE_DESTINATION_GREYLISTING, CAUSE_DESTINATION_THROTTLING,
};

/* Causes that need no server to reply. */
static const enum cause_id transports[] = {
    CAUSE_DESTINATION_UNREACHABLE,
    CAUSE_DESTINATION_DNS,
    CAUSE_DESTINATION_TLS,
};

static const char *const failure_names[] = {
    [FAILURE_HARD] = "hard", [FAILURE_SOFT] = "soft", [FAILURE_TRANSPORT] = "transport"};

const char *failure_name(enum failure failure)
{
    return failure_names[failure];
}

struct classify_scratch *classify_scratch_new(const struct rules *rules)
{
    struct classify_scratch *scratch = mem_new(1, sizeof(*scratch));

    scratch->rules = rules_scratch_new(rules);
    return scratch;
}

void classify_scratch_free(struct classify_scratch **scratch)
{
    if (*scratch == NULL)
        return;
    rules_scratch_free(&(*scratch)->rules);
    free(*scratch);
    *scratch = NULL;
}

static bool is_one_of(enum cause_id cause, const enum cause_id *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == cause)
            return true;
    return false;
}

static enum failure failure_of(enum cause_id cause, const struct reply *reply,
                               enum line_status status)
{
    bool temporary = status == LINE_STATUS_DEFERRED || reply->code / 100 == 4 ||
                     (reply->code == 0 && reply->enhanced.class == 4);

    if (reply->code == 0 && is_one_of(cause, transports, COUNT_OF(transports)))
        return FAILURE_TRANSPORT;
    if (temporary || is_one_of(cause, passing, COUNT_OF(passing)))
        return FAILURE_SOFT;
    return FAILURE_HARD;
}

/* Sluice's own replies end with the cause: "... [limit.messages]".  A contact may follow it. */
static bool find_named(struct span text, enum cause_id *cause_r)
{
    const char *open = text.length > 0 ? memrchr(text.start, '[', text.length) : NULL;
    struct span name;
    size_t close;

    if (open == NULL)
        return false;
    name = span_from(text, (size_t)(open + 1 - text.start));
    close = span_find_char(name, ']');
    if (close == SPAN_NONE || close > CAUSE_NAME_MAX ||
        span_find_char(span_to(name, close), '.') == SPAN_NONE)
        return false;
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        if (span_equals(span_to(name, close), cause_get((enum cause_id)i)->id)) {
            *cause_r = (enum cause_id)i;
            return true;
        }
    }
    return false;
}

/* What is known of a result before its words are looked at. */
struct result {
    enum line_kind kind;
    enum line_status status;
    struct span relay;
    struct reply reply;
    bool ours; /* our own server's words, or nobody knows whose: a cause that they name counts */
};

static bool is_failure(const struct result *result)
{
    return kinds[result->kind].fails || result->reply.code >= 400 || result->reply.reported ||
           result->reply.enhanced.class >= 4;
}

/* Without a reply code, an enhanced code or the MTA's status says at least whether it is 4xx. */
static unsigned code_of(const struct result *result)
{
    if (result->reply.code != 0)
        return result->reply.code;
    if (result->reply.enhanced.class >= 4)
        return result->reply.enhanced.class * 100U + 50;
    if (result->status == LINE_STATUS_DEFERRED)
        return 450;
    return result->status == LINE_STATUS_BOUNCED ? 550 : 0;
}

static void decide(const struct rules *rules, struct classify_scratch *scratch,
                   const struct result *result, struct classification *classification_r)
{
    const struct reply *reply = &result->reply;
    struct rules_case facts = {
        .code = code_of(result),
        .enhanced = reply->enhanced,
        .stage = reply->stage,
        .kind = result->kind,
        .relay = result->relay,
    };
    enum cause_id cause = CAUSE_DESTINATION_OTHER;
    size_t rule;

    classification_r->reply = *reply;
    if (result->ours && find_named(reply->text, &cause)) {
        classification_r->rule = "named";
    } else {
        facts.text.length = normal_form(reply->text, reply->several_lines, scratch->text);
        facts.text.start = scratch->text;
        rule = rules_match(rules, scratch->rules, &facts);
        if (rule != RULE_NONE) {
            cause = rule_cause(rules, rule);
            classification_r->rule = rule_name(rules, rule);
        } else if (kinds[result->kind].known_only || !is_failure(result)) {
            return;
        }
    }
    classification_r->outcome = OUTCOME_FAILED;
    classification_r->cause = cause;
    classification_r->failure = failure_of(cause, reply, result->status);
}

/* Sendmail's and Postfix' "dsn=" counts where the text has no code of its own. */
static void complete_codes(const struct line *line, struct reply *reply)
{
    struct span dsn = line->fields[FIELD_DSN];

    if (reply->enhanced.class == 0 && dsn.start != NULL)
        (void)enhanced_parse(dsn, &reply->enhanced);
    if (line->fields[FIELD_STAGE].start != NULL)
        reply->stage = stage_find(line->fields[FIELD_STAGE]);
}

void classify_line(const struct rules *rules, struct classify_scratch *scratch,
                   const struct line *line, struct classification *classification_r)
{
    struct span text = line->fields[FIELD_TEXT];
    struct result result = {
        .kind = line->kind,
        .status = line->status,
        .relay = line->fields[FIELD_RELAY_HOST],
        .ours = line->kind == LINE_REJECT || line->kind == LINE_SCREEN,
    };

    *classification_r = (struct classification){.outcome = OUTCOME_NONE};
    if (line->kind == LINE_DELIVERY && line->status == LINE_STATUS_SENT)
        classification_r->outcome = OUTCOME_DELIVERED;
    if (!kinds[line->kind].fails || line->status == LINE_STATUS_SENT ||
        line->status == LINE_STATUS_QUEUED)
        return;
    /* Where a line has no reason apart, all its words are. */
    if (text.start == NULL)
        text = line->fields[FIELD_BODY];
    reply_parse(text, &result.reply);
    complete_codes(line, &result.reply);
    /* Postfix before 2.3: "connect to HOST: server refused to talk to me: 421 ..." */
    if (result.kind == LINE_CONNECT && result.reply.code != 0)
        result.kind = LINE_ATTEMPT;
    decide(rules, scratch, &result, classification_r);
}

/* A reply that says yes, or goes on: "250 2.0.0 Ok", "354 End data with ...". */
static bool is_success(const struct reply *reply)
{
    return (reply->code >= 200 && reply->code < 400) ||
           (reply->code == 0 && reply->enhanced.class == 2);
}

static void classify_reply(const struct rules *rules, struct classify_scratch *scratch,
                           struct span text, struct classification *classification_r)
{
    struct result result = {.kind = LINE_FOREIGN, .ours = true};

    *classification_r = (struct classification){.outcome = OUTCOME_NONE};
    reply_parse(text, &result.reply);
    if (is_success(&result.reply)) {
        classification_r->reply = result.reply;
        if (result.reply.code == 250 || result.reply.enhanced.class == 2)
            classification_r->outcome = OUTCOME_DELIVERED;
        return;
    }
    decide(rules, scratch, &result, classification_r);
}

void classify_text(const struct rules *rules, struct classify_scratch *scratch, struct span text,
                   struct classification *classification_r)
{
    struct line line;

    if (line_parse(text.start, text.length, &line))
        classify_line(rules, scratch, &line, classification_r);
    else
        classify_reply(rules, scratch, span_to(text, LINE_MAX_LENGTH), classification_r);
}

static void check_sentence(const struct rules *rules, struct classify_scratch *scratch,
                           const struct rules_sentence *sentence, struct text *complaints)
{
    struct classification got;

    classify_text(rules, scratch, span_of(sentence->text), &got);
    if (got.outcome == OUTCOME_FAILED && got.rule != NULL &&
        strcmp(got.rule, rule_name(rules, sentence->rule)) == 0)
        return;
    text_print(complaints, "%s:%u: the sentence is not decided by its rule, but ",
               rule_file(rules, sentence->rule), sentence->line);
    if (got.outcome == OUTCOME_FAILED && got.rule != NULL)
        text_print(complaints, "by %s, as %s\n", got.rule, cause_get(got.cause)->id);
    else
        text_add_string(complaints, "by none\n");
}

bool classify_check(const struct rules *rules, struct text *complaints)
{
    struct classify_scratch *scratch = classify_scratch_new(rules);
    bool *tested = mem_new(rules_count(rules) + 1, sizeof(*tested));
    size_t before = complaints->length;

    for (size_t i = 0; i < rules_sentence_count(rules); i++) {
        const struct rules_sentence *sentence = rules_sentence(rules, i);

        tested[sentence->rule] = true;
        check_sentence(rules, scratch, sentence, complaints);
    }
    for (size_t i = 0; i < rules_count(rules); i++)
        if (!tested[i])
            text_print(complaints, "%s: the rule has no test sentence\n", rule_name(rules, i));
    free(tested);
    classify_scratch_free(&scratch);
    return complaints->length == before;
}
