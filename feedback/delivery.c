/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/delivery.h"

#include "feedback/place.h"

#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/decide/advice.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OLD_US (60 * INT64_C(1000000)) /* an older line is told with its own time */
#define DESTINATIONS_MAX 1000 /* of one cause in one minute, that are told apart */
#define WINDOW_SEC 60

static int priority(const struct cause *cause)
{
    static const int priorities[] = {
        [SEVERITY_INFO] = LOG_INFO, [SEVERITY_WARN] = LOG_WARNING, [SEVERITY_ERROR] = LOG_ERR};

    return priorities[cause->severity];
}

static const char *or_null(const char *value)
{
    return *value != '\0' ? value : NULL;
}

static void add_time(struct log_event *event, const char *name, int64_t seconds)
{
    const time_t when = (time_t)seconds;
    struct tm utc;
    char text[32];

    if (seconds <= 0 || gmtime_r(&when, &utc) == NULL)
        return;
    strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    log_string(event, name, text);
}

static void add_envelope(struct log_event *event, const struct result *result)
{
    log_string(event, "status", result_status_name(result->status));
    log_string(event, "user", or_null(result->user));
    log_string(event, "from", or_null(result->sender));
    log_string(event, "rcpt", or_null(result->recipient));
    log_string(event, "domain", or_null(result->domain));
    log_string(event, "dsn", or_null(result->dsn));
    log_string(event, "relay", or_null(result->relay));
    if (result->attempt > 0)
        log_number(event, "attempt", (int64_t)result->attempt);
}

/* Where the line stands in the MTA's log: after a kill it tells what has been said already. */
static void add_place(struct log_event *event, const struct result *result)
{
    char word[PLACE_WORD_MAX];

    if (clock_now_us(&clock_wall) - result->at_us > OLD_US)
        add_time(event, "at", result->at_us / 1000000);
    if (mark_is_set(&result->mark)) {
        place_word(&result->mark, word);
        log_string(event, "pos", word);
    }
}

char *delivery_hint(const struct result *result)
{
    return advice_make(&(struct advice_case){
        .cause = result->cause,
        .queue_id = result->queue_id,
        .user = result->user,
        .sender = result->sender,
        .recipient = result->recipient,
        .domain = result->domain,
        .relay = result->relay,
        .text = result->text,
        .size = result->size,
        .retry_after_sec = result->retry_after_sec,
    });
}

static void add_hint(struct log_event *event, const struct result *result)
{
    char *hint = delivery_hint(result);

    log_string(event, "hint", hint);
    free(hint);
}

static void report_failure(struct log *log, const struct result *result,
                           const struct learned *learned)
{
    const struct cause *cause = cause_get(result->cause);
    struct log_event event;

    log_begin(&event, log, priority(cause), result->queue_id, "delivery");
    log_string(&event, "cause", cause->id);
    log_string(&event, "severity", severity_name(cause->severity));
    add_envelope(&event, result);
    log_string(&event, "failure", failure_name(result->failure));
    log_string(&event, "rule", or_null(result->rule));
    if (result->retry_after_sec > 0)
        log_number(&event, "retry-after", result->retry_after_sec);
    if (learned->count > 1) {
        add_time(&event, "since", learned->since_sec);
        log_number(&event, "n", learned->count);
    }
    add_place(&event, result);
    log_string(&event, "text", or_null(result->text));
    add_hint(&event, result);
    log_write(&event);
}

static void report_success(struct log *log, const struct result *result,
                           const struct learned *learned)
{
    const enum cause_id cause = result->greylisted ? CAUSE_DESTINATION_GREYLISTING : learned->cause;
    struct log_event event;

    log_begin(&event, log, LOG_INFO, result->queue_id, "delivery");
    log_string(&event, "ended", cause_get(cause)->id);
    add_envelope(&event, result);
    if (learned->failing) {
        add_time(&event, "since", learned->since_sec);
        log_number(&event, "n", learned->count);
    }
    if (result->greylisted) {
        log_string(&event, "greylisted", "yes");
        log_number(&event, "waited", result->greylisted_sec);
    }
    add_place(&event, result);
    log_string(&event, "text", or_null(result->text));
    log_write(&event);
}

void delivery_report(struct log *log, const struct result *result, const struct learned *learned)
{
    if (result->status != RESULT_SENT)
        report_failure(log, result, learned);
    else if (learned->failing || result->greylisted)
        report_success(log, result, learned);
}

/* --- the minute's summary ------------------------------------------------------------------- */

struct tally {
    int64_t count, hard;
    struct map *destinations, *users; /* of int64_t, which are theirs */
};

struct summary {
    struct tally tallies[CAUSE_COUNT];
};

struct summary *summary_new(void)
{
    return mem_new(1, sizeof(struct summary));
}

static void clear(struct tally *tally)
{
    if (tally->destinations != NULL)
        map_free(&tally->destinations, free);
    if (tally->users != NULL)
        map_free(&tally->users, free);
    *tally = (struct tally){.count = 0};
}

void summary_free(struct summary **summary)
{
    for (size_t i = 0; i < CAUSE_COUNT; i++)
        clear(&(*summary)->tallies[i]);
    free(*summary);
    *summary = NULL;
}

static void count(struct map **map, const char *name)
{
    int64_t *number;

    if (*name == '\0')
        return;
    if (*map == NULL)
        *map = map_new();
    number = map_get(*map, name, strlen(name));
    if (number == NULL) {
        if (map_count(*map) >= DESTINATIONS_MAX)
            return;
        number = mem_new(1, sizeof(*number));
        (void)map_put(*map, name, strlen(name), number);
    }
    ++*number;
}

void summary_add(struct summary *summary, const struct result *result)
{
    struct tally *tally = &summary->tallies[result->cause];

    if (result->status == RESULT_SENT)
        return;
    tally->count++;
    tally->hard += result->failure == FAILURE_HARD;
    count(&tally->destinations, result->domain);
    count(&tally->users, result->user);
}

struct most {
    const char *name;
    size_t length;
    int64_t number;
};

static void choose(const void *key, size_t length, void *value, void *context)
{
    struct most *most = context;
    const int64_t number = *(const int64_t *)value;

    if (number > most->number)
        *most = (struct most){key, length, number};
}

/* Whom it concerns most; the caller frees the name, NULL where nobody is known. */
static char *find_most(struct map *map, int64_t *number_r)
{
    struct most most = {.number = 0};

    if (map != NULL)
        map_each(map, choose, &most);
    *number_r = most.number;
    return most.number > 0 ? mem_copy_n(most.name, most.length) : NULL;
}

static void report_tally(const struct tally *tally, enum cause_id id, struct log *log)
{
    const struct cause *cause = cause_get(id);
    int64_t domains, users;
    char *domain = find_most(tally->destinations, &domains);
    char *user = find_most(tally->users, &users);
    struct log_event event;

    log_begin(&event, log, priority(cause), NULL, "delivery-summary");
    log_string(&event, "cause", cause->id);
    log_string(&event, "severity", severity_name(cause->severity));
    log_number(&event, "n", tally->count);
    log_number(&event, "hard", tally->hard);
    log_number(&event, "window", WINDOW_SEC);
    if (domain != NULL)
        log_print(&event, "top-domain", "%s:%" PRId64, domain, domains);
    if (user != NULL)
        log_print(&event, "top-user", "%s:%" PRId64, user, users);
    add_hint(&event, &(struct result){.cause = id, .domain = domain, .user = user});
    log_write(&event);
    free(domain);
    free(user);
}

void summary_report(struct summary *summary, struct log *log, int64_t most)
{
    for (int i = 0; i < CAUSE_COUNT; i++) {
        struct tally *tally = &summary->tallies[i];

        if (tally->count > most && most > 0)
            report_tally(tally, (enum cause_id)i, log);
        clear(tally);
    }
}
