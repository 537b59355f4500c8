/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/timeline.h"

#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <zlib.h>

#define LINE_ROOM ((int)LINE_MAX_LENGTH)

struct search {
    const char *target;
    struct map *ids; /* queue ids that belong to it */
    int64_t since_us, now_us;
    struct timeline *timeline;
    bool collecting; /* the second pass: the ids are known */
    size_t order;
};

/* --- one line ------------------------------------------------------------------------- */

static bool same(struct span value, const char *target)
{
    if (span_starts(value, "<") && span_ends(value, ">") && *target != '<')
        value = span_to(span_from(value, 1), value.length - 2);
    return value.length == strlen(target) && strncasecmp(value.start, target, value.length) == 0;
}

/* An address in the domain that was asked for. */
static bool is_at(struct span address, const char *target)
{
    size_t at = span_find_char(address, '@');

    return at != SPAN_NONE && strchr(target, '.') != NULL &&
           same(span_from(address, at + 1), target);
}

static bool is_among(struct span recipients, const char *target)
{
    struct span recipient;

    while (line_next_recipient(&recipients, &recipient))
        if (same(recipient, target) || is_at(recipient, target))
            return true;
    return false;
}

/* The target may be what a field holds, or one of the recipients, or a recipient's domain. */
static bool field_is(const struct line *line, const char *target)
{
    static const enum line_field fields[] = {FIELD_QUEUE_ID, FIELD_MESSAGE_ID, FIELD_USER,
                                             FIELD_SENDER};

    for (size_t i = 0; i < COUNT_OF(fields); i++)
        if (same(line->fields[fields[i]], target))
            return true;
    return is_among(line->fields[FIELD_RECIPIENT], target) ||
           is_among(line->fields[FIELD_ORIGINAL_RECIPIENT], target);
}

static bool record_is(const struct log_record *record, const char *target)
{
    static const char *const names[] = {"user", "from", "message-id", "domain"};
    static const char *const recipients[] = {"rcpt", "rcpts"};

    if (record->queue_id != NULL && strcasecmp(record->queue_id, target) == 0)
        return true;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *value = log_record_value(record, names[i]);

        if (value != NULL && strcasecmp(value, target) == 0)
            return true;
    }
    for (size_t i = 0; i < COUNT_OF(recipients); i++) {
        const char *value = log_record_value(record, recipients[i]);

        if (value != NULL && is_among(span_of(value), target))
            return true;
    }
    return false;
}

static bool is_id(struct span id)
{
    return id.length > 0 && !span_equals(id, "NOQUEUE");
}

static void add_id(struct search *search, struct span id)
{
    static char known;

    if (is_id(id))
        (void)map_put(search->ids, id.start, id.length, &known);
}

/* A content filter hands a message on under another id. */
static void follow_handover(struct search *search, const struct line *line)
{
    static const char words[] = "queued as ";
    struct span text = line->fields[FIELD_TEXT];
    size_t at = text.start != NULL ? span_find(text, words) : SPAN_NONE;
    size_t length = 0;

    if (at == SPAN_NONE)
        return;
    text = span_from(text, at + sizeof(words) - 1);
    while (length < text.length && (is_digit(text.start[length]) || is_letter(text.start[length])))
        length++;
    add_id(search, span_to(text, length));
}

static void leave_out(struct timeline *timeline, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        log_record_clear(&timeline->entries[i].record);
        free(timeline->entries[i].text);
    }
    timeline->count -= count;
    timeline->left_out += count;
    memmove(timeline->entries, timeline->entries + count,
            timeline->count * sizeof(*timeline->entries));
}

static void collect(struct search *search, struct timeline_entry *entry)
{
    struct timeline *timeline = search->timeline;

    if (timeline->count == 2 * TIMELINE_MAX)
        leave_out(timeline, TIMELINE_MAX);
    entry->order = search->order;
    timeline->entries =
        mem_grow(timeline->entries, timeline->count + 1, sizeof(*timeline->entries));
    timeline->entries[timeline->count++] = *entry;
    *entry = (struct timeline_entry){.text = NULL};
}

/* What belongs together without a queue id. */
static struct span trace_of(const struct timeline_entry *entry)
{
    const char *trace = log_record_value(&entry->record, "trace");

    return span_of(trace != NULL ? trace : "");
}

static bool is_known(const struct search *search, struct span id)
{
    return is_id(id) && map_peek(search->ids, id.start, id.length) != NULL;
}

static struct span id_of(const struct timeline_entry *entry)
{
    if (entry->record.queue_id != NULL)
        return span_of(entry->record.queue_id);
    return entry->line.fields[FIELD_QUEUE_ID];
}

static void read_time(struct search *search, struct timeline_entry *entry)
{
    const char *time = log_record_value(&entry->record, "time");
    struct line own = entry->line;

    if (time != NULL) {
        own.time_form = LINE_TIME_ISO;
        own.fields[FIELD_TIME] = span_of(time);
    }
    if (!line_time(&own, search->now_us, &entry->time_us))
        entry->time_us = 0;
}

static void take_line(struct search *search, const char *bytes, size_t length)
{
    struct timeline_entry entry = {.text = mem_copy_n(bytes, length)};
    struct span body = {entry.text, length};
    struct span id;

    (void)line_parse(entry.text, length, &entry.line);
    if (entry.line.kind == LINE_FOREIGN || *entry.text == '{') {
        if (entry.line.fields[FIELD_BODY].start != NULL)
            body = entry.line.fields[FIELD_BODY];
        (void)log_record_read(body.start, body.length, &entry.record);
    }
    read_time(search, &entry);
    id = id_of(&entry);
    if (is_known(search, id) || is_known(search, trace_of(&entry)) ||
        field_is(&entry.line, search->target) || record_is(&entry.record, search->target)) {
        add_id(search, id);
        add_id(search, trace_of(&entry));
        follow_handover(search, &entry.line);
        if (search->collecting && (entry.time_us == 0 || entry.time_us >= search->since_us))
            collect(search, &entry);
    }
    log_record_clear(&entry.record);
    free(entry.text);
}

/* --- files ---------------------------------------------------------------------------- */

static bool take_file(struct search *search, const char *path)
{
    gzFile file = gzopen(path, "rbe");
    char *text;
    bool whole = true; /* what is in hand begins a line */

    if (file == NULL)
        return false;
    text = mem_new(LINE_MAX_LENGTH + 1, 1);
    while (gzgets(file, text, LINE_ROOM) != NULL) {
        size_t length = strlen(text);
        bool ended = length > 0 && text[length - 1] == '\n';

        search->order++;
        if (whole && length > 0)
            take_line(search, text, length - ended);
        whole = ended;
    }
    free(text);
    (void)gzclose(file);
    return true;
}

static int older(const void *a, const void *b)
{
    const struct timeline_entry *x = a, *y = b;

    if (x->time_us != y->time_us && x->time_us != 0 && y->time_us != 0)
        return x->time_us < y->time_us ? -1 : 1;
    return x->order < y->order ? -1 : x->order > y->order;
}

bool timeline_read(struct timeline *timeline_r, const struct strings *files, const char *target,
                   int64_t since_us, char **problem_r)
{
    struct search search = {
        .target = target,
        .ids = map_new(),
        .since_us = since_us,
        .now_us = clock_now_us(&clock_wall),
        .timeline = timeline_r,
    };
    bool read = true;

    *timeline_r = (struct timeline){.count = 0};
    /* Who it was may stand behind what happened. */
    for (int pass = 0; pass < 2 && read; pass++) {
        search.collecting = pass == 1;
        search.order = 0;
        for (size_t i = 0; i < files->count && read; i++) {
            read = take_file(&search, files->items[i]);
            if (!read)
                *problem_r = mem_print("%s: cannot be read: %s", files->items[i], strerror(errno));
        }
    }
    map_free(&search.ids, NULL);
    if (timeline_r->count > 0)
        qsort(timeline_r->entries, timeline_r->count, sizeof(*timeline_r->entries), older);
    if (timeline_r->count > TIMELINE_MAX)
        leave_out(timeline_r, timeline_r->count - TIMELINE_MAX);
    return read;
}

void timeline_free(struct timeline *timeline)
{
    for (size_t i = 0; i < timeline->count; i++) {
        log_record_clear(&timeline->entries[i].record);
        free(timeline->entries[i].text);
    }
    free(timeline->entries);
    *timeline = (struct timeline){.count = 0};
}
