/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/report.h"

#include "lib/base/count.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/decide/foresight.h"
#include "lib/decide/history.h"
#include "lib/decide/notices.h"
#include "lib/decide/report_recipients.h"
#include "lib/decide/reply.h"
#include "lib/decide/suspend.h"
#include "lib/decide/verdict.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DAY_SEC 86400

static int priority(enum severity severity)
{
    static const int priorities[] = {
        [SEVERITY_INFO] = LOG_INFO, [SEVERITY_WARN] = LOG_WARNING, [SEVERITY_ERROR] = LOG_ERR};

    return priorities[severity];
}

static const char *stage_name(enum stage stage)
{
    static const char *const names[] = {[STAGE_MAIL] = "mail",
                                        [STAGE_RCPT] = "rcpt",
                                        [STAGE_DATA] = "data",
                                        [STAGE_END_OF_MESSAGE] = "end-of-message"};

    return names[stage];
}

/* What is logged is what is done, or would be done, about it. */
static bool is_logged(const struct finding *finding)
{
    return finding->action >= (int)ACTION_LOG || finding->would >= (int)ACTION_LOG;
}

/* "accept" is what a message line calls everything that is let through without a word to anybody.
 */
static const char *verdict_name(int action)
{
    return action <= (int)ACTION_LOG ? "accept" : action_name((enum action)action);
}

static void add_cause_ids(const struct message *message, struct text *ids)
{
    for (size_t i = 0; i < message->findings.count; i++) {
        const struct finding *finding = &message->findings.items[i];
        bool told = !is_logged(finding);

        for (size_t before = 0; before < i && !told; before++)
            told = message->findings.items[before].cause == finding->cause &&
                   is_logged(&message->findings.items[before]);
        if (told)
            continue;
        if (ids->length > 0)
            text_add_char(ids, ',');
        text_add_string(ids, finding->cause->id);
    }
}

/* Whether the message is nearer to a's maximum; over it is nearest. */
static bool is_tighter(const struct limit_fact *a, const struct limit_fact *b)
{
    if (a->over != b->over)
        return a->over;
    return (double)a->used * (double)b->max > (double)b->used * (double)a->max;
}

/* Of all limits the one that stops the message, else the one that is used up most: that is the one
 * that will stop the sender. */
static const struct limit_fact *tightest(const struct facts *facts)
{
    const struct limit_fact *best = NULL;

    if (facts->store != STORE_ANSWERED && facts->store != STORE_ANSWERED_LOCALLY)
        return NULL;
    for (size_t i = 0; i < facts->nlimits; i++) {
        const struct limit_fact *fact = &facts->limits[i];

        if (fact->limit->window_sec == 0 || fact->limit->shadow)
            continue;
        if (!best || is_tighter(fact, best))
            best = fact;
    }
    return best;
}

static void add_outcome(struct log_event *event, const struct message *message)
{
    const struct verdict *verdict = &message->verdict;
    const struct limit_fact *used = tightest(&message->facts);
    struct text ids = TEXT_EMPTY;

    add_cause_ids(message, &ids);
    log_string(event, "verdict", verdict_name(verdict->action));
    log_string(event, "causes", ids.length > 0 ? text_string(&ids) : NULL);
    log_string(event, "dkim", message->facts.dkim);
    log_string(event, "spf", message->facts.spf);
    log_string(event, "dmarc", message->facts.dmarc);
    if (used)
        log_share(event, "used", used->used, used->max);
    text_free(&ids);
}

/* Where some are our own; else all that were seen are external. */
static void add_external(struct log_event *event, const struct message *message)
{
    size_t local = 0;

    for (size_t i = 0; i < message->nrecipients; i++)
        local += message->recipients[i].local;
    if (local > 0 && message->direction == DIRECTION_OUT)
        log_number(event, "external", (int64_t)(message->nrecipients_total - local));
}

/* "dest=gmail.com:throttling since=14:02 n=37": a destination that slows us down or blocks us. */
static void add_destination(struct log_event *event, const struct message *message)
{
    const struct outcome_fact *fact = history_destination(message);
    const char *name;
    struct tm local;
    char since[32] = "";
    time_t when;

    if (!fact)
        return;
    name = strchr(fact->cause->id, '.');
    when = (time_t)fact->since_sec;
    if (localtime_r(&when, &local))
        strftime(since, sizeof since, time(NULL) - when < DAY_SEC ? "%H:%M" : "%Y-%m-%dT%H:%M",
                 &local);
    log_print(event, "dest", "%s:%s", strchr(fact->subject, ':') + 1, name + 1);
    log_string(event, "since", since);
    log_number(event, "n", fact->count);
}

/* What is foretold of mail that leaves. */
static void add_outlook(struct log_event *event, const struct conf *conf,
                        const struct message *message)
{
    char *predicted = foresight_predict(conf, message);

    log_string(event, "dkim-check", message->facts.dkim_check);
    log_string(event, "predict", predicted);
    free(predicted);
}

static void report_line(struct services *services, const struct conf *conf,
                        const struct message *message)
{
    const struct verdict *verdict = &message->verdict;
    struct log_event event;
    char client[IP_TEXT_MAX], trace[17];

    ip_format(&message->client, client);
    message_trace(message, trace);
    log_begin(&event, services->log, verdict_refuses(verdict) ? LOG_NOTICE : LOG_INFO,
              message->queue_id, "message");
    log_string(&event, "dir", message->direction == DIRECTION_OUT ? "out" : "in");
    log_string(&event, "user", message->user[0] ? message->user : NULL);
    log_string(&event, "from", address_is_null(&message->sender) ? "<>" : message->sender.text);
    log_number(&event, "nrcpt", (int64_t)message->nrecipients_total);
    log_number(&event, "size", message->size);
    log_string(&event, "client", client[0] ? client : NULL);
    add_outcome(&event, message);
    log_ms(&event, "ms", clock_now_us(services->steady) - message->started_us);
    log_string(&event, "trace", trace);
    log_string(&event, "would",
               verdict->would > verdict->action ? verdict_name(verdict->would) : NULL);
    log_string(&event, "stage", stage_name(message->stage));
    if (message->stage == STAGE_RCPT && message->nrecipients > 0)
        log_string(&event, "rcpt", message->recipients[message->nrecipients - 1].address.text);
    log_string(&event, "store",
               message->facts.store == STORE_ANSWERED_LOCALLY ? "local"
               : message->facts.store == STORE_NO_ANSWER      ? "away"
                                                              : NULL);
    add_external(&event, message);
    log_string(&event, "dkim-survival", message->facts.dkim_survival);
    add_outlook(&event, conf, message);
    add_destination(&event, message);
    if (message->findings.dropped > 0)
        log_number(&event, "causes-dropped", (int64_t)message->findings.dropped);
    if (message->direction == DIRECTION_OUT && !verdict_refuses(verdict))
        report_recipients(&event, message);
    log_write(&event);
}

/* Checks write all fields as text; in JSON those that are numbers on a message line are numbers. */
static void add_field(struct log_event *event, const struct finding_field *field)
{
    static const char *const numbers[] = {"used", "max", "window", "retry-after", "size"};
    bool digits = field->value[0] != '\0' && strspn(field->value, "0123456789") < 19 &&
                  field->value[strspn(field->value, "0123456789")] == '\0';

    for (size_t i = 0; digits && i < COUNT_OF(numbers); i++) {
        if (strcmp(numbers[i], field->name) == 0) {
            log_number(event, field->name, strtoll(field->value, NULL, 10));
            return;
        }
    }
    log_string(event, field->name, field->value);
}

static enum severity severity_of(const struct finding *finding)
{
    return finding->severity >= 0 ? (enum severity)finding->severity : finding->cause->severity;
}

static void report_finding(struct services *services, const struct message *message,
                           const struct finding *finding)
{
    struct log_event event;
    unsigned code;
    char enhanced[CAUSE_ENHANCED_SIZE], trace[17];

    message_trace(message, trace);
    log_begin(&event, services->log, priority(severity_of(finding)), message->queue_id, "cause");
    log_string(&event, "cause", finding->cause->id);
    log_string(&event, "severity", severity_name(severity_of(finding)));
    log_string(&event, "action", action_name((enum action)finding->action));
    if (finding->would > finding->action)
        log_string(&event, "would", action_name((enum action)finding->would));
    for (size_t i = 0; i < finding->nfields; i++)
        add_field(&event, &finding->fields[i]);
    reply_code(finding, (enum action)finding->would, &code, enhanced);
    if (code != 0)
        log_print(&event, "reply", "%u %s", code, enhanced);
    log_string(&event, "hint", finding->hint ? finding->hint : finding->cause->remedy);
    log_string(&event, "trace", trace);
    log_write(&event);
}

void report_message(struct services *services, const struct conf *conf,
                    const struct message *message)
{
    report_line(services, conf, message);
    for (size_t i = 0; i < message->findings.count; i++)
        if (is_logged(&message->findings.items[i]))
            report_finding(services, message, &message->findings.items[i]);
    suspend_for_findings(services, conf, message);
    notices_of(services, conf, message);
}

static void log_cause(struct log *log, const char *queue_id, const struct cause *cause,
                      const char *hint, va_list fields)
{
    struct log_event event;
    const char *name;

    log_begin(&event, log, priority(cause->severity), queue_id, "cause");
    log_string(&event, "cause", cause->id);
    log_string(&event, "severity", severity_name(cause->severity));
    log_string(&event, "action", action_name(cause->action));
    while ((name = va_arg(fields, const char *)) != NULL)
        log_string(&event, name, va_arg(fields, const char *));
    log_string(&event, "hint", hint);
    log_write(&event);
}

void report_cause(struct log *log, const char *queue_id, const char *cause_id, const char *hint,
                  ...)
{
    const struct cause *cause = cause_find(cause_id);
    va_list fields;

    if (!cause)
        return;
    va_start(fields, hint);
    log_cause(log, queue_id, cause, hint, fields);
    va_end(fields);
}

/* Each program of a host is a subject: what it cannot do, another one may. */
static void tell_own_cause(struct services *services, const struct conf *conf,
                           const struct cause *cause, const char *hint, va_list fields)
{
    struct message *message = message_new(PROGRAM_POLICY, conf->hostname);
    struct finding *finding = findings_add(&message->findings, cause);
    const enum action action = verdict_configured(conf, cause, -1);
    const char *name;

    finding->action = finding->would = (int)action;
    finding_field(finding, "subject", "%s@%s", services->program, conf->hostname);
    while ((name = va_arg(fields, const char *)) != NULL) {
        const char *value = va_arg(fields, const char *);

        finding_field(finding, name, "%s", value);
        if (strcmp(name, "problem") == 0)
            finding_sentence(finding, "%s", value);
    }
    finding_hint(finding, "%s", hint);
    if (action >= ACTION_LOG)
        notices_tell(services, conf, message, finding);
    message_free(&message);
}

void report_own_cause(struct services *services, const char *cause_id, const char *hint, ...)
{
    const struct cause *cause = cause_find(cause_id);
    struct conf *conf;
    va_list fields;

    if (!cause)
        return;
    va_start(fields, hint);
    log_cause(services->log, NULL, cause, hint, fields);
    va_end(fields);
    if (services->conf == NULL)
        return;
    conf = conf_slot_get(services->conf);
    va_start(fields, hint);
    tell_own_cause(services, conf, cause, hint, fields);
    va_end(fields);
    conf_release(&conf);
}
