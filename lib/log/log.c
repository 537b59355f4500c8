/* SPDX-License-Identifier: BSD-2-Clause */
/* The log: its destination, and the lines that wait for it. */
#include "lib/log/log.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/log/render.h"
#include "lib/log/sink.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

/* A line that its destination has not taken yet. */
struct kept {
    struct kept *next;
    struct sink_line line;
    size_t written; /* of the first one; 0 for those behind it */
    bool report; /* of lost lines: not counted when it is lost itself */
    char bytes[];
};

struct log {
    _Atomic enum log_format format;
    bool in_memory;
    pthread_mutex_t lock; /* guards what follows */
    struct sink *sink; /* NULL in memory */
    struct text memory;
    struct kept *first;
    struct kept **last;
    size_t kept_octets;
    uint64_t lost; /* lines, since the last report */
};

static struct log *log_new(struct sink *sink, enum log_format format)
{
    struct log *log = mem_new(1, sizeof(*log));

    atomic_init(&log->format, format);
    pthread_mutex_init(&log->lock, NULL);
    log->sink = sink;
    log->in_memory = sink == NULL;
    log->last = &log->first;
    return log;
}

struct log *log_open(const struct log_settings *settings, char **problem_r)
{
    struct sink *sink = sink_open(settings, problem_r);

    return sink != NULL ? log_new(sink, settings->format) : NULL;
}

struct log *log_open_memory(enum log_format format)
{
    return log_new(NULL, format);
}

char *log_taken(struct log *log)
{
    char *lines;

    pthread_mutex_lock(&log->lock);
    lines = text_take(&log->memory);
    pthread_mutex_unlock(&log->lock);
    return lines;
}

/* --- lines that wait; all with the lock held ---------------------------------------------- */

static void push(struct log *log, const struct sink_line *line, size_t written, bool report)
{
    struct kept *kept = mem_grow(NULL, sizeof(*kept) + line->length, 1);

    *kept = (struct kept){.line = *line, .written = written, .report = report};
    mem_copy_bytes(kept->bytes, line->bytes, line->length);
    kept->line.bytes = kept->bytes;
    *log->last = kept;
    log->last = &kept->next;
    log->kept_octets += line->length;
}

static void pop(struct log *log)
{
    struct kept *kept = log->first;

    log->first = kept->next;
    if (log->first == NULL)
        log->last = &log->first;
    log->kept_octets -= kept->line.length;
    free(kept);
}

/* The report stands where the lost lines would have stood. */
static void push_report(struct log *log)
{
    char bytes[LOG_LINE_MAX + 1];
    struct sink_line line = {
        .time_us = clock_now_us(&clock_wall),
        .priority = LOG_WARNING,
        .format = atomic_load(&log->format),
        .bytes = bytes,
    };
    struct log_event event;

    log_begin(&event, log, LOG_WARNING, NULL, "log");
    log_number(&event, "lost", (int64_t)log->lost);
    line.length = render_event(&event, line.format, bytes);
    push(log, &line, 0, true);
    log->lost = 0;
}

static void keep(struct log *log, const struct sink_line *line, size_t written)
{
    if (log->kept_octets + line->length > LOG_KEEP_MAX) {
        log->lost++;
        return;
    }
    if (log->lost > 0)
        push_report(log);
    push(log, line, written, false);
}

/* Writes what waits, oldest first, until the destination takes no more. */
static void drain(struct log *log)
{
    while (log->first != NULL || log->lost > 0) {
        enum sink_result result;

        if (log->first == NULL)
            push_report(log);
        result = sink_write(log->sink, &log->first->line, &log->first->written);
        if (result == SINK_LATER)
            return;
        if (result == SINK_NEVER && !log->first->report)
            log->lost++;
        pop(log);
    }
}

static void write_line(struct log *log, const struct sink_line *line)
{
    size_t written = 0;
    enum sink_result result;

    if (log->in_memory) {
        text_add(&log->memory, line->bytes, line->length);
        text_add_char(&log->memory, '\n');
        return;
    }
    if (log->first != NULL || log->lost > 0) {
        keep(log, line, 0);
        drain(log);
        return;
    }
    result = sink_write(log->sink, line, &written);
    if (result == SINK_LATER)
        keep(log, line, written);
    else if (result == SINK_NEVER)
        log->lost++;
}

/* ----------------------------------------------------------------------------------------- */

void log_write(struct log_event *event)
{
    struct log *log = event->log;
    char bytes[LOG_LINE_MAX + 1];
    struct sink_line line = {.priority = event->priority, .bytes = bytes};

    if (log == NULL)
        return;
    line.format = atomic_load_explicit(&log->format, memory_order_relaxed);
    line.length = render_event(event, line.format, bytes);
    pthread_mutex_lock(&log->lock);
    line.time_us = clock_now_us(&clock_wall);
    write_line(log, &line);
    pthread_mutex_unlock(&log->lock);
}

char *log_format(struct log_event *event, enum log_format format)
{
    char bytes[LOG_LINE_MAX + 1];
    size_t length = render_event(event, format, bytes);

    return mem_copy_n(bytes, length);
}

/* What may not be opened anew may still be what is written to. */
static bool go_on(struct log *log, const struct log_settings *settings, char **problem_r)
{
    bool stays;

    pthread_mutex_lock(&log->lock);
    stays = sink_is_at(log->sink, settings);
    if (stays)
        atomic_store(&log->format, settings->format);
    pthread_mutex_unlock(&log->lock);
    if (stays) {
        free(*problem_r);
        *problem_r = NULL;
    }
    return stays;
}

bool log_reopen(struct log *log, const struct log_settings *settings, char **problem_r)
{
    struct sink *sink;
    struct sink *before;

    if (log->in_memory) { /* and stays there, whatever the settings say */
        atomic_store(&log->format, settings->format);
        return true;
    }
    sink = sink_open(settings, problem_r);
    if (sink == NULL)
        return go_on(log, settings, problem_r);
    pthread_mutex_lock(&log->lock);
    drain(log);
    if (!sink_take_over(sink, log->sink) && log->first != NULL)
        log->first->written = 0;
    before = log->sink;
    log->sink = sink;
    atomic_store(&log->format, settings->format);
    drain(log);
    pthread_mutex_unlock(&log->lock);
    sink_free(&before);
    return true;
}

size_t log_flush(struct log *log)
{
    size_t left = 0;

    pthread_mutex_lock(&log->lock);
    if (!log->in_memory) {
        drain(log);
        left = log->kept_octets;
    }
    pthread_mutex_unlock(&log->lock);
    return left;
}

void log_close(struct log **log)
{
    struct log *old = *log;
    uint64_t lost;

    if (old == NULL)
        return;
    (void)log_flush(old);
    lost = old->lost;
    for (; old->first != NULL; pop(old))
        lost += old->first->report ? 0 : 1;
    if (lost > 0)
        (void)fprintf(stderr, "%" PRIu64 " log line%s could not be written\n", lost,
                      lost == 1 ? "" : "s");
    sink_free(&old->sink);
    text_free(&old->memory);
    pthread_mutex_destroy(&old->lock);
    free(old);
    *log = NULL;
}
