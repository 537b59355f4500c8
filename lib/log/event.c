/* SPDX-License-Identifier: BSD-2-Clause */
/* Events: collecting the fields. */
#include "lib/log/log.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool is_queue_id_octet(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' ||
           c == '_' || c == '.';
}

static void set_queue_id(struct log_event *event, const char *queue_id)
{
    size_t length = 0;

    if (queue_id == NULL || queue_id[0] == '\0')
        queue_id = "NOQUEUE";
    for (; length < LOG_QUEUE_ID_MAX && queue_id[length] != '\0'; length++)
        event->queue_id[length] = queue_id[length];
    event->queue_id[length] = '\0';
    for (char *at = event->queue_id; *at != '\0'; at++)
        if (!is_queue_id_octet(*at))
            *at = '?';
}

void log_begin(struct log_event *event, struct log *log, int priority, const char *queue_id,
               const char *name)
{
    event->log = log;
    event->priority = priority;
    event->nfields = 0;
    event->used = 0;
    event->truncated = false;
    set_queue_id(event, queue_id);
    log_string(event, "event", name);
}

/* Takes the length octets that stand behind the used ones as a field's value, if there is room. */
static void take(struct log_event *event, const char *name, size_t length, bool bare)
{
    if (event->nfields == LOG_FIELDS_MAX || length > sizeof(event->values) - event->used) {
        event->truncated = true;
        return;
    }
    event->fields[event->nfields++] = (struct log_field){
        .name = name,
        .at = event->used,
        .length = (uint16_t)length,
        .bare = bare,
    };
    event->used = (uint16_t)(event->used + length);
}

void log_string(struct log_event *event, const char *name, const char *value)
{
    size_t length;

    if (value == NULL || event->truncated)
        return;
    length = strlen(value);
    if (length <= sizeof(event->values) - event->used)
        memcpy(event->values + event->used, value, length);
    take(event, name, length, false);
}

static void print(struct log_event *event, const char *name, bool bare, const char *format,
                  va_list arguments) __attribute__((format(printf, 4, 0)));

static void print(struct log_event *event, const char *name, bool bare, const char *format,
                  va_list arguments)
{
    size_t room = sizeof(event->values) - event->used;
    int length;

    if (event->truncated)
        return;
    length = vsnprintf(event->values + event->used, room, format, arguments);
    /* The last octet of the room went to the NUL: a value that ends there did not fit. */
    if (length < 0 || (size_t)length >= room)
        event->truncated = true;
    else
        take(event, name, (size_t)length, bare);
}

void log_print(struct log_event *event, const char *name, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print(event, name, false, format, arguments);
    va_end(arguments);
}

static void print_bare(struct log_event *event, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static void print_bare(struct log_event *event, const char *name, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    print(event, name, true, format, arguments);
    va_end(arguments);
}

void log_number(struct log_event *event, const char *name, int64_t value)
{
    print_bare(event, name, "%" PRId64, value);
}

void log_ms(struct log_event *event, const char *name, int64_t microseconds)
{
    bool negative = microseconds < 0;
    uint64_t size = negative ? 0 - (uint64_t)microseconds : (uint64_t)microseconds;
    uint64_t tenths = (size + 50) / 100;

    print_bare(event, name, "%s%" PRIu64 ".%" PRIu64, negative && tenths > 0 ? "-" : "",
               tenths / 10, tenths % 10);
}

void log_share(struct log_event *event, const char *name, int64_t used, int64_t max)
{
    log_print(event, name, "%" PRId64 "/%" PRId64, used, max);
}
