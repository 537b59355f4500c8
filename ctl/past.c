/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/past.h"

#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/classify/line.h"
#include "lib/log/record.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define RECIPIENTS_MAX 1000000 /* of a message */
#define READ_SIZE (256u * 1024)

/* --- one line ------------------------------------------------------------------------- */

/* The time of a line behind a syslog header, or of a JSON object that has it inside. */
static bool find_time(const struct line *line, const struct log_record *record, int64_t now_us,
                      int64_t *time_us_r)
{
    const char *time = log_record_value(record, "time");
    struct line own = *line;

    if (time != NULL) {
        own.time_form = LINE_TIME_ISO;
        own.fields[FIELD_TIME] = span_of(time);
    }
    return line_time(&own, now_us, time_us_r);
}

/* What was let through, whatever was thought of it; what was refused was not sent. */
static bool was_sent(const struct log_record *record)
{
    static const char *const verdicts[] = {"accept", "warn", "hold"};
    const char *event = log_record_value(record, "event");
    const char *direction = log_record_value(record, "dir");
    const char *verdict = log_record_value(record, "verdict");

    if (event == NULL || strcmp(event, "message") != 0 || direction == NULL ||
        strcmp(direction, "out") != 0 || verdict == NULL)
        return false;
    for (size_t i = 0; i < COUNT_OF(verdicts); i++)
        if (strcmp(verdict, verdicts[i]) == 0)
            return true;
    return false;
}

static char *copy_value(const struct log_record *record, const char *name)
{
    const char *value = log_record_value(record, name);

    return mem_copy(value != NULL ? value : "");
}

/* A line may say anything. */
static int64_t within(int64_t number, int64_t most)
{
    return number < 0 ? 0 : number < most ? number : most;
}

static void add_message(struct past *past, const struct log_record *record, const char *host,
                        int64_t time_us)
{
    struct past_message *message;
    const char *trace = log_record_value(record, "trace");

    if (past->count == past->room) {
        past->room = past->room * 2 + 1024;
        past->messages = mem_grow(past->messages, past->room, sizeof(*past->messages));
    }
    message = &past->messages[past->count++];
    *message = (struct past_message){
        .time_us = time_us,
        .host = mem_copy(host),
        .trace = mem_copy(trace != NULL ? trace : record->queue_id),
        .user = copy_value(record, "user"),
        .from = copy_value(record, "from"),
        .client = copy_value(record, "client"),
        .helo = copy_value(record, "helo"),
        .rcpts = copy_value(record, "rcpts"),
        .rcpt_domains = copy_value(record, "rcpt-domains"),
        .nrcpt = log_record_number(record, "nrcpt", 1),
        .size = log_record_number(record, "size", 0),
    };
    message->nrcpt = within(message->nrcpt, RECIPIENTS_MAX);
    message->external =
        within(log_record_number(record, "external", message->nrcpt), message->nrcpt);
}

static void take_message(const struct past_line *line, void *context)
{
    struct past *past = context;

    past->lines++;
    if (!was_sent(line->record))
        return;
    if (line->has_time)
        add_message(past, line->record, line->host, line->time_us);
    else
        past->without_time++;
}

struct reading {
    past_take *take;
    void *context;
    int64_t now_us;
};

static void take_line(const struct reading *reading, const char *bytes, size_t length)
{
    struct past_line ours = {.host = ""};
    struct log_record record;
    struct line line;
    struct span body = {bytes, length};
    char *host = NULL;

    /* Most lines of a mail.log are not ours. */
    if (memmem(bytes, length, "event", 5) == NULL)
        return;
    memset(&line, 0, sizeof(line));
    if (*bytes != '{' && line_parse(bytes, length, &line) && line.fields[FIELD_BODY].start != NULL)
        body = line.fields[FIELD_BODY];
    if (!log_record_read(body.start, body.length, &record))
        return;
    if (line.fields[FIELD_HOST].start != NULL)
        host = mem_copy_n(line.fields[FIELD_HOST].start, line.fields[FIELD_HOST].length);
    ours.record = &record;
    if (log_record_value(&record, "host") != NULL)
        ours.host = log_record_value(&record, "host");
    else if (host != NULL)
        ours.host = host;
    ours.has_time = find_time(&line, &record, reading->now_us, &ours.time_us);
    reading->take(&ours, reading->context);
    free(host);
    log_record_clear(&record);
}

/* --- files ---------------------------------------------------------------------------- */

/* Hands on the whole lines of a buffer, and moves the rest to its front.  A line that fills the
 * buffer is none of ours. */
static size_t take_lines(const struct reading *reading, char *buffer, size_t length)
{
    char *at = buffer;
    char *end = buffer + length;
    char *newline;

    while ((newline = memchr(at, '\n', (size_t)(end - at))) != NULL) {
        if (newline > at)
            take_line(reading, at, (size_t)(newline - at));
        at = newline + 1;
    }
    if (at == buffer && length == READ_SIZE)
        return 0;
    memmove(buffer, at, (size_t)(end - at));
    return (size_t)(end - at);
}

static gzFile open_file(const char *path)
{
    int descriptor;

    if (strcmp(path, "-") != 0)
        return gzopen(path, "rbe");
    descriptor = dup(STDIN_FILENO);
    return descriptor >= 0 ? gzdopen(descriptor, "rb") : NULL;
}

bool past_lines(const char *path, past_take *take, void *context, char **problem_r)
{
    const struct reading reading = {take, context, clock_now_us(&clock_wall)};
    char *buffer = mem_new(1, READ_SIZE);
    gzFile file = open_file(path);
    size_t length = 0;
    const char *what;
    int got, code;

    *problem_r = NULL;
    if (file == NULL) {
        *problem_r = mem_print("cannot open %s: %s", path, strerror(errno));
        goto done;
    }
    while ((got = gzread(file, buffer + length, (unsigned)(READ_SIZE - length))) > 0)
        length = take_lines(&reading, buffer, length + (size_t)got);
    if (length > 0)
        take_line(&reading, buffer, length);
    what = gzerror(file, &code);
    if (code == Z_BUF_ERROR)
        what = "it ends in the middle";
    if (got < 0 || code == Z_BUF_ERROR)
        *problem_r =
            mem_print("cannot read %s: %s", path, code == Z_ERRNO ? strerror(errno) : what);
done:
    if (file != NULL)
        (void)gzclose(file);
    free(buffer);
    return *problem_r == NULL;
}

bool past_read(struct past *past, const char *path, char **problem_r)
{
    return past_lines(path, take_message, past, problem_r);
}

static int by_time(const void *a, const void *b)
{
    const struct past_message *first = a;
    const struct past_message *second = b;

    return (first->time_us > second->time_us) - (first->time_us < second->time_us);
}

void past_sort(struct past *past)
{
    if (past->count > 0)
        qsort(past->messages, past->count, sizeof(*past->messages), by_time);
}

void past_free(struct past *past)
{
    for (size_t i = 0; i < past->count; i++) {
        struct past_message *message = &past->messages[i];

        free(message->host);
        free(message->trace);
        free(message->user);
        free(message->from);
        free(message->client);
        free(message->helo);
        free(message->rcpts);
        free(message->rcpt_domains);
    }
    free(past->messages);
    memset(past, 0, sizeof(*past));
}
