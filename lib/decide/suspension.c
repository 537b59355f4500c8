/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/suspension.h"

#include "lib/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum field { SINCE, UNTIL, REASON, BY, NOTE, FIELD_COUNT };

static const char *const names[FIELD_COUNT] = {
    [SINCE] = "suspended", [UNTIL] = "suspended-until", [REASON] = "suspended-reason",
    [BY] = "suspended-by", [NOTE] = "suspended-note",
};

static int64_t number_of(const char *value)
{
    int64_t number = 0;

    (void)(value != NULL && text_number(value, strlen(value), &number));
    return number;
}

static const char *words_of(const char *value)
{
    return value != NULL ? value : "";
}

bool suspension_read(suspension_field *field, const void *flag, int64_t now_sec,
                     struct suspension *suspension_r)
{
    const char *values[FIELD_COUNT];
    int64_t until_sec;

    for (size_t i = 0; i < FIELD_COUNT; i++)
        values[i] = field(flag, names[i]);
    until_sec = number_of(values[UNTIL]);
    if (values[SINCE] == NULL || (until_sec > 0 && until_sec <= now_sec))
        return false;
    *suspension_r = (struct suspension){
        .since_sec = number_of(values[SINCE]),
        .until_sec = until_sec,
        .reason = values[REASON] != NULL && *values[REASON] != '\0' ? values[REASON] : "not told",
        .by = words_of(values[BY]),
        .note = words_of(values[NOTE]),
    };
    return true;
}

void suspension_set(struct store *store, const char *subject, const struct suspension *suspension,
                    store_callback *callback, void *context)
{
    struct store_pair pairs[FIELD_COUNT];
    char since[24], until[24];
    const char *const values[FIELD_COUNT] = {since, until, suspension->reason, suspension->by,
                                             suspension->note};
    struct store_note_change change = {
        .subject = subject, .kind = SUSPENSION_KIND, .pairs = pairs, .npairs = FIELD_COUNT};

    (void)snprintf(since, sizeof(since), "%" PRId64, suspension->since_sec);
    (void)snprintf(until, sizeof(until), "%" PRId64, suspension->until_sec);
    for (size_t i = 0; i < FIELD_COUNT; i++)
        pairs[i] = (struct store_pair){names[i], values[i]};
    if (suspension->until_sec > 0)
        change.life_ms = (suspension->until_sec - suspension->since_sec) * 1000;
    store_note_set(store, &change, callback, context);
}

void suspension_lift(struct store *store, const char *subject, store_callback *callback,
                     void *context)
{
    store_note_remove(store, subject, SUSPENSION_KIND, names, FIELD_COUNT, callback, context);
}

void suspension_time(int64_t at_sec, char text_r[SUSPENSION_TIME_SIZE])
{
    time_t at = (time_t)at_sec;
    struct tm parts;

    *text_r = '\0';
    if (at_sec > 0 && gmtime_r(&at, &parts) != NULL)
        (void)strftime(text_r, SUSPENSION_TIME_SIZE, "%Y-%m-%d %H:%M UTC", &parts);
}

void suspension_log(struct log_event *event, const struct suspension *suspension)
{
    char until[SUSPENSION_TIME_SIZE];

    suspension_time(suspension->until_sec, until);
    log_string(event, "reason", suspension->reason);
    log_string(event, "until", suspension->until_sec > 0 ? until : "released");
    log_string(event, "by", suspension->by);
    log_string(event, "note", *suspension->note != '\0' ? suspension->note : NULL);
}
