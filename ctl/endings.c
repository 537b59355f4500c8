/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/endings.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* --- what a line tells ------------------------------------------------------------------ */

static char *copy(struct span span)
{
    return mem_copy_n(span.start != NULL ? span.start : "", span.length);
}

static char *copy_value(const struct log_record *record, const char *name)
{
    const char *value = log_record_value(record, name);

    return mem_copy(value != NULL ? value : "");
}

static enum ending ending_of_verdict(const char *verdict)
{
    if (strcmp(verdict, "reject") == 0 || strcmp(verdict, "defer") == 0)
        return ENDING_REFUSED;
    return strcmp(verdict, "hold") == 0 ? ENDING_HELD : ENDING_NONE;
}

static enum ending ending_of_status(const char *status)
{
    static const struct {
        const char *status;
        enum ending ending;
    } rows[] = {{"sent", ENDING_DELIVERED},
                {"deferred", ENDING_DEFERRED},
                {"bounced", ENDING_BOUNCED},
                {"expired", ENDING_BOUNCED}};

    for (size_t i = 0; i < COUNT_OF(rows); i++)
        if (strcmp(rows[i].status, status) == 0)
            return rows[i].ending;
    return ENDING_NONE;
}

static const struct cause *first_cause(const char *causes)
{
    char *first = mem_copy_n(causes, strcspn(causes, ","));
    const struct cause *cause = cause_find(first);

    free(first);
    return cause;
}

/* Of a message that is refused, the cause is the one that asked for it. */
static const struct cause *refusing_cause(const struct asked *asked, const char *queue_id,
                                          const char *trace, const char *verdict)
{
    for (size_t i = 0; i < asked->timeline.count; i++) {
        const struct log_record *record = &asked->timeline.entries[i].record;
        const char *event = log_record_value(record, "event");
        const char *action = log_record_value(record, "action");
        const char *its = log_record_value(record, "trace");

        if (event != NULL && action != NULL && strcmp(event, "cause") == 0 &&
            strcmp(action, verdict) == 0 && its != NULL && trace != NULL &&
            strcmp(its, trace) == 0 && strcmp(record->queue_id, queue_id) == 0)
            return cause_find(log_record_value(record, "cause"));
    }
    return NULL;
}

static struct end end_of_record(const struct asked *asked, const struct log_record *record)
{
    const char *event = log_record_value(record, "event");
    const char *verdict = log_record_value(record, "verdict");
    const char *status = log_record_value(record, "status");
    const char *causes = log_record_value(record, "causes");
    const char *cause = log_record_value(record, "cause");
    struct end end = {.ending = ENDING_NONE};

    if (event != NULL && strcmp(event, "message") == 0 && verdict != NULL) {
        end.ending = ending_of_verdict(verdict);
        end.cause =
            refusing_cause(asked, record->queue_id, log_record_value(record, "trace"), verdict);
        if (end.cause == NULL && causes != NULL)
            end.cause = first_cause(causes);
    } else if (event != NULL && strcmp(event, "delivery") == 0 && status != NULL) {
        end.ending = ending_of_status(status);
        end.cause = cause != NULL ? cause_find(cause) : NULL;
    }
    if (end.ending == ENDING_NONE)
        return end;
    end.queue_id = mem_copy(record->queue_id);
    end.recipient = copy_value(record, "rcpt");
    end.user = copy_value(record, "user");
    end.text = copy_value(record, "text");
    return end;
}

static struct end end_of_line(const struct asked *asked, const struct line *line,
                              struct span recipient)
{
    struct classification classification;
    struct end end = {.ending = ENDING_NONE};

    classify_line(asked->rules, asked->scratch, line, &classification);
    if (span_ends(line->fields[FIELD_ACTION], "hold"))
        end.ending = ENDING_HELD;
    else if (line->kind == LINE_REJECT || line->kind == LINE_SCREEN)
        end.ending = ENDING_REFUSED;
    else if (line->kind == LINE_LOGIN)
        end.ending = ENDING_LOGIN;
    else if (line->kind == LINE_EXPIRED || line->status == LINE_STATUS_BOUNCED)
        end.ending = ENDING_BOUNCED;
    else if (line->kind == LINE_DELIVERY)
        end.ending = line->status == LINE_STATUS_SENT ? ENDING_DELIVERED : ENDING_DEFERRED;
    if (end.ending == ENDING_NONE)
        return end;
    if (classification.outcome == OUTCOME_FAILED)
        end.cause = cause_get(classification.cause);
    end.queue_id = copy(line->fields[FIELD_QUEUE_ID]);
    end.recipient = copy(recipient);
    end.user = copy(line->fields[FIELD_USER]);
    end.text = copy(line->fields[FIELD_TEXT]);
    return end;
}

static void add_end(struct asked *asked, size_t entry, struct end end)
{
    if (end.ending == ENDING_NONE)
        return;
    end.entry = entry;
    asked->ends = mem_grow(asked->ends, asked->nends + 1, sizeof(*asked->ends));
    asked->ends[asked->nends++] = end;
}

/* A line that names nobody has one end, too. */
static void add_ends(struct asked *asked, size_t entry, const struct line *line)
{
    struct span list = line->fields[FIELD_RECIPIENT];
    struct span recipient = {NULL, 0};

    (void)line_next_recipient(&list, &recipient);
    do
        add_end(asked, entry, end_of_line(asked, line, recipient));
    while (line_next_recipient(&list, &recipient));
}

void endings_find(struct asked *asked)
{
    for (size_t i = 0; i < asked->timeline.count; i++) {
        const struct timeline_entry *entry = &asked->timeline.entries[i];

        if (entry->record.queue_id != NULL)
            add_end(asked, i, end_of_record(asked, &entry->record));
        else
            add_ends(asked, i, &entry->line);
    }
}

/* --- which one counts --------------------------------------------------------------------- */

bool endings_same_way(const struct end *one, const struct end *other)
{
    return strcmp(one->queue_id, other->queue_id) == 0 &&
           (*one->recipient == '\0' || strcasecmp(one->recipient, other->recipient) == 0);
}

static bool ended_well_later(const struct asked *asked, size_t index)
{
    for (size_t i = index + 1; i < asked->nends; i++)
        if (asked->ends[i].ending == ENDING_DELIVERED &&
            endings_same_way(&asked->ends[index], &asked->ends[i]))
            return true;
    return false;
}

/* Sluice knows why a message is on hold, and Postfix, whose line is the later one, only that it is.
 */
static const struct end *with_cause(const struct asked *asked, const struct end *end)
{
    for (const struct end *one = end; one-- > asked->ends;)
        if (end->ending == ENDING_HELD && end->cause == NULL && one->ending == ENDING_HELD &&
            one->cause != NULL && strcmp(one->queue_id, end->queue_id) == 0)
            return one;
    return end;
}

static bool is_to(const struct end *end, const char *recipient)
{
    return strcasecmp(end->recipient, recipient) == 0;
}

static bool has_end_to(const struct asked *asked, const char *recipient)
{
    for (size_t i = 0; i < asked->nends; i++)
        if (is_to(&asked->ends[i], recipient))
            return true;
    return false;
}

const struct end *endings_decisive(const struct asked *asked, const char *target)
{
    const bool to_target = has_end_to(asked, target);
    const struct end *latest = NULL;

    for (size_t i = asked->nends; i-- > 0;) {
        const struct end *end = &asked->ends[i];

        if (to_target && !is_to(end, target) && *end->recipient != '\0')
            continue;
        if (end->ending != ENDING_DELIVERED && !ended_well_later(asked, i))
            return with_cause(asked, end);
        latest = latest != NULL ? latest : end;
    }
    return latest;
}

/* Whether a later line tells of the same message and recipient. */
static bool is_last_way(const struct asked *asked, const struct end *end)
{
    for (const struct end *one = end + 1; one < asked->ends + asked->nends; one++)
        if (endings_same_way(end, one))
            return false;
    return true;
}

struct others endings_others(const struct asked *asked, const struct end *end)
{
    struct others others = {.delivered = 0};

    for (const struct end *one = asked->ends; one < asked->ends + asked->nends; one++) {
        if (*one->recipient == '\0' || strcmp(one->queue_id, "NOQUEUE") == 0 ||
            strcmp(one->queue_id, end->queue_id) != 0 ||
            strcasecmp(one->recipient, end->recipient) == 0 || !is_last_way(asked, one))
            continue;
        others.delivered += one->ending == ENDING_DELIVERED;
        others.deferred += one->ending == ENDING_DEFERRED;
        others.bounced += one->ending == ENDING_BOUNCED;
    }
    return others;
}

bool endings_of_notice(const struct asked *asked, const struct end *end)
{
    for (size_t i = 0; i < asked->timeline.count; i++) {
        const struct timeline_entry *entry = &asked->timeline.entries[i];
        const struct span sender = entry->line.fields[FIELD_SENDER];

        if (entry->record.queue_id == NULL && entry->line.kind == LINE_QUEUED &&
            sender.start != NULL && sender.length == 0 &&
            span_equals(entry->line.fields[FIELD_QUEUE_ID], end->queue_id))
            return true;
    }
    return false;
}

void endings_free(struct asked *asked)
{
    for (size_t i = 0; i < asked->nends; i++) {
        free(asked->ends[i].queue_id);
        free(asked->ends[i].recipient);
        free(asked->ends[i].user);
        free(asked->ends[i].text);
    }
    free(asked->ends);
}
