/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl replay: proposed limits, run over the mail of the past. */
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/past.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/limits.h"
#include "lib/decide/verdict.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define STEP_MS 100
#define TIME_SIZE 32
#define SAME_MESSAGE_US (3600 * INT64_C(1000000)) /* both daemons' lines are nearer than that */

/* What a limit would have done to a subject. */
struct stop {
    char *limit, *subject;
    const char *action; /* the strongest */
    int strength;
    bool shadow;
    int64_t count;
    int64_t first_us, last_us;
};

struct replay {
    const struct conf *conf;
    struct loop *loop;
    struct store *store;
    struct map *stops; /* struct stop by limit and subject */
    struct map *found; /* when something was, by the message */
    int64_t messages, stopped;
    bool answered;
    struct message *message; /* that is being charged */
};

/* --- one message ---------------------------------------------------------------------- */

static struct message *message_of(const struct conf *conf, const struct past_message *past)
{
    struct message *message =
        message_new(PROGRAM_POLICY, past->host[0] != '\0' ? past->host : conf->hostname);

    message->stage = STAGE_END_OF_MESSAGE;
    message->direction = DIRECTION_OUT;
    message->sent_us = past->time_us;
    message_set(&message->queue_id, past->trace);
    message_set_user(message, past->user);
    message_set_sender(message, past->from);
    (void)ip_parse(past->client, &message->client);
    message->size = past->size;
    message->nrecipients_total = (size_t)past->nrcpt;
    if (past->external < past->nrcpt)
        message->nlocal_unseen = (size_t)(past->nrcpt - past->external);
    return message;
}

static void decide(const struct conf *conf, struct message *message)
{
    findings_clear(&message->findings);
    check_limits(conf, message);
    verdict_set(conf, message);
}

static void on_charged(const struct store_answer *answer, void *context)
{
    struct replay *replay = context;

    limits_answered(replay->message, answer);
    replay->answered = true;
}

/* As the daemons do at the end of a message: what one message alone may not have first. */
static void charge(struct replay *replay, struct message *message)
{
    struct store_limit limits[STORE_LIMITS_MAX];
    struct store_request request;
    char *identity;

    limits_plan(replay->conf, message);
    decide(replay->conf, message);
    if (verdict_refuses(&message->verdict))
        return;
    limits_request(replay->conf, message, limits, &identity, &request);
    replay->message = message;
    replay->answered = false;
    if (request.nlimits > 0) {
        store_charge(replay->store, &request, on_charged, replay);
        while (!replay->answered)
            loop_run_once(replay->loop, STEP_MS);
        decide(replay->conf, message);
    }
    free(identity);
}

static const char *field(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->nfields; i++)
        if (strcmp(finding->fields[i].name, name) == 0)
            return finding->fields[i].value;
    return "";
}

static void note(struct replay *replay, const struct finding *finding, int64_t time_us)
{
    char *key = mem_print("%s %s", field(finding, "limit"), field(finding, "subject"));
    struct stop *stop = map_peek(replay->stops, key, strlen(key));

    if (stop == NULL) {
        stop = mem_new(1, sizeof(*stop));
        *stop = (struct stop){.limit = mem_copy(field(finding, "limit")),
                              .subject = mem_copy(field(finding, "subject")),
                              .shadow = finding->shadow,
                              .strength = -1,
                              .first_us = time_us};
        map_put(replay->stops, key, strlen(key), stop);
    }
    if (finding->would > stop->strength) {
        stop->strength = finding->would;
        stop->action = action_name((enum action)finding->would);
    }
    stop->count++;
    stop->last_us = time_us;
    free(key);
}

/* Both daemons tell of a message; what was found is not found again for the other's line. */
static bool was_found(const struct replay *replay, const struct past_message *past)
{
    const int64_t *when = map_peek(replay->found, past->trace, strlen(past->trace));

    return when != NULL && past->time_us - *when < SAME_MESSAGE_US;
}

static void remember_found(struct replay *replay, const struct past_message *past)
{
    int64_t *when = mem_new(1, sizeof(*when));

    *when = past->time_us;
    free(map_put(replay->found, past->trace, strlen(past->trace), when));
}

static void replay_message(struct replay *replay, const struct past_message *past)
{
    struct message *message;
    bool found = false;

    if (was_found(replay, past))
        return;
    message = message_of(replay->conf, past);
    charge(replay, message);
    for (size_t i = 0; i < message->findings.count; i++) {
        const struct finding *finding = &message->findings.items[i];

        if (finding->cause == cause_get(CAUSE_LIMIT_NEAR) || finding->would <= (int)ACTION_IGNORE)
            continue;
        note(replay, finding, past->time_us);
        found = true;
    }
    if (message->verdict.action >= (int)ACTION_HOLD)
        replay->stopped++;
    if (found)
        remember_found(replay, past);
    message_free(&message);
}

/* --- what came of it ------------------------------------------------------------------ */

static void print_time(int64_t time_us, char text_r[TIME_SIZE])
{
    time_t when = (time_t)(time_us / 1000000);
    struct tm parts;

    text_r[0] = '\0';
    if (localtime_r(&when, &parts) != NULL)
        (void)strftime(text_r, TIME_SIZE, "%Y-%m-%d %H:%M:%S", &parts);
}

/* All stops, those that hit most often first. */
struct listing {
    struct stop **stops;
    size_t count;
};

static void add_to_listing(const void *key, size_t length, void *value, void *context)
{
    struct listing *listing = context;

    (void)key;
    (void)length;
    listing->stops[listing->count++] = value;
}

static int by_count(const void *a, const void *b)
{
    const struct stop *first = *(struct stop *const *)a;
    const struct stop *second = *(struct stop *const *)b;

    if (first->count != second->count)
        return first->count < second->count ? 1 : -1;
    return (first->first_us > second->first_us) - (first->first_us < second->first_us);
}

static struct listing list_stops(struct replay *replay)
{
    struct listing listing = {mem_new(map_count(replay->stops) + 1, sizeof(struct stop *)), 0};

    map_each(replay->stops, add_to_listing, &listing);
    if (listing.count > 0)
        qsort(listing.stops, listing.count, sizeof(*listing.stops), by_count);
    return listing;
}

static void print_table(const struct listing *listing)
{
    static const char *const heads[] = {"SUBJECT", "LIMIT", "TIMES", "FIRST", "LAST", "WOULD"};
    struct columns columns = {.count = sizeof(heads) / sizeof(*heads), .right = {[2] = true}};

    for (size_t i = 0; i < columns.count; i++)
        columns_add(&columns, heads[i]);
    for (size_t i = 0; i < listing->count; i++) {
        const struct stop *stop = listing->stops[i];
        char count[32], first[TIME_SIZE], last[TIME_SIZE];
        char *would = mem_print("%s%s", stop->action, stop->shadow ? " (shadow)" : "");

        (void)snprintf(count, sizeof(count), "%" PRId64, stop->count);
        print_time(stop->first_us, first);
        print_time(stop->last_us, last);
        columns_add(&columns, stop->subject);
        columns_add(&columns, stop->limit);
        columns_add(&columns, count);
        columns_add(&columns, first);
        columns_add(&columns, last);
        columns_add(&columns, would);
        free(would);
    }
    columns_print(&columns, stdout);
    columns_free(&columns);
}

/* What message lines do not tell. */
static bool is_unknown(const struct conf_limit *limit)
{
    return limit->subject == SUBJECT_RECIPIENT_DOMAIN || limit->subject == SUBJECT_RECIPIENT ||
           limit->subject == SUBJECT_HELO || limit->count == COUNT_DISTINCT_RECIPIENTS;
}

static void tell_unknown(const struct conf *conf)
{
    for (size_t i = 0; i < conf->nlimits; i++)
        if (is_unknown(&conf->limits[i]))
            ctl_complain("limit %s is not tried: message lines do not say enough for it",
                         conf->limits[i].name);
    for (size_t i = 0; i < conf->nwarmups; i++)
        if (conf->warmups[i].destinations.count > 0)
            ctl_complain("warmup %s is not tried: the log does not say who the recipients were",
                         conf->warmups[i].limit.name);
}

static json_t *json_time(int64_t time_us)
{
    char text[TIME_SIZE] = "";
    time_t when = (time_t)(time_us / 1000000);
    struct tm parts;

    if (gmtime_r(&when, &parts) != NULL)
        (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &parts);
    return json_string(text);
}

static void print_json(const struct replay *replay, const struct past *past,
                       const struct listing *listing)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < listing->count; i++) {
        const struct stop *stop = listing->stops[i];

        json_array_append_new(
            rows, json_pack("{s:s, s:s, s:I, s:o, s:o, s:s, s:b}", "subject", stop->subject,
                            "limit", stop->limit, "times", (json_int_t)stop->count, "first",
                            json_time(stop->first_us), "last", json_time(stop->last_us), "would",
                            stop->action, "shadow", (int)stop->shadow));
    }
    ctl_print_json(json_pack("{s:I, s:I, s:I, s:o}", "lines", (json_int_t)past->lines, "messages",
                             (json_int_t)replay->messages, "stopped", (json_int_t)replay->stopped,
                             "stops", rows));
}

static void print_text(const struct replay *replay, const struct past *past,
                       const struct listing *listing)
{
    char first[TIME_SIZE], last[TIME_SIZE];

    if (past->count == 0) {
        printf("no outgoing message in %zu lines\n", past->lines);
        return;
    }
    print_time(past->messages[0].time_us, first);
    print_time(past->messages[past->count - 1].time_us, last);
    printf("%" PRId64 " outgoing messages from %s to %s: these limits would have stopped %" PRId64
           "\n",
           replay->messages, first, last, replay->stopped);
    if (listing->count > 0)
        print_table(listing);
}

/* --- the verb ------------------------------------------------------------------------- */

static void free_stop(void *value)
{
    struct stop *stop = value;

    free(stop->limit);
    free(stop->subject);
    free(stop);
}

/* A message counts once, whoever of the two daemons told of it. */
static int64_t count_messages(const struct past *past)
{
    struct map *seen = map_new();
    int64_t count = 0;

    for (size_t i = 0; i < past->count; i++) {
        const char *trace = past->messages[i].trace;

        if (map_put(seen, trace, strlen(trace), seen) == NULL)
            count++;
    }
    map_free(&seen, NULL);
    return count;
}

static int run_replay(const struct conf *conf, struct past *past, bool json)
{
    const struct store_settings settings = {
        .url = "memory:", .client_name = "sluicectl", .timeout_ms = conf->store_timeout_ms};
    struct replay replay = {.conf = conf, .loop = loop_new(), .stops = map_new()};
    struct listing listing = {NULL, 0};
    char *problem = NULL;
    int status = EX_OSERR;

    replay.found = map_new();
    if (replay.loop != NULL)
        replay.store = store_open(replay.loop, &settings, &problem);
    if (replay.store == NULL) {
        ctl_complain("%s", problem != NULL ? problem : "cannot make an event loop");
        goto done;
    }
    past_sort(past);
    for (size_t i = 0; i < past->count; i++)
        replay_message(&replay, &past->messages[i]);
    replay.messages = count_messages(past);
    listing = list_stops(&replay);
    if (json)
        print_json(&replay, past, &listing);
    else
        print_text(&replay, past, &listing);
    tell_unknown(conf);
    status = EX_OK;
done:
    free(listing.stops);
    if (replay.store != NULL)
        store_close(&replay.store);
    if (replay.loop != NULL)
        loop_free(&replay.loop);
    map_free(&replay.stops, free_stop);
    map_free(&replay.found, free);
    free(problem);
    return status;
}

/* In enforce mode: what the limits would do is the question, whatever the mode is now. */
static bool load(struct ctl *ctl, const char *conf_file)
{
    if (conf_file != NULL)
        ctl->options.conf_file = conf_file;
    strings_add(&ctl->options.overrides, "mode=enforce");
    return ctl_load(ctl);
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    static const struct option longs[] = {{"config", required_argument, NULL, 'c'},
                                          {"json", no_argument, NULL, 'j'},
                                          {NULL, 0, NULL, 0}};
    struct past past = {.messages = NULL};
    const char *conf_file = NULL;
    char *problem = NULL;
    bool json = false;
    int status = EX_OK;
    int c;

    while ((c = getopt_long(argc, argv, "c:j", longs, NULL)) != -1) {
        if (c == '?')
            return ctl_usage(argv[0], "wrong options");
        if (c == 'c')
            conf_file = optarg;
        json = json || c == 'j';
    }
    if (optind == argc)
        return ctl_usage(argv[0], "expected a log file, such as /var/log/mail.log.1");
    if (!load(ctl, conf_file))
        return EX_CONFIG;
    for (int i = optind; i < argc && status == EX_OK; i++) {
        if (past_read(&past, argv[i], &problem))
            continue;
        ctl_complain("%s", problem);
        status = EX_NOINPUT;
    }
    if (past.without_time > 0)
        ctl_complain("%zu messages are left out: their lines do not say when", past.without_time);
    if (status == EX_OK)
        status = run_replay(ctl->conf, &past, json);
    past_free(&past);
    free(problem);
    return status;
}

const struct verb verb_replay = {
    .name = "replay",
    .arguments = "[--config FILE] LOGFILE...",
    .summary = "try limits on the mail of the past",
    .help =
        "Runs the limits of a configuration over the message lines of our own log, by the same\n"
        "windows that the daemons have, and lists who would have been stopped, when for the\n"
        "first and the last time, and how often. Nothing is asked of the store, and nothing is\n"
        "changed in it.\n"
        "\n"
        "LOGFILE is a mail.log or a log file of Sluice, as text or JSON, also packed with gzip;\n"
        "- is standard input. Several are put in order by time. Messages that were refused are\n"
        "not tried; limits that need the recipients' names are left out, with a word about it.\n"
        "\n"
        "  -c, --config FILE  the proposed configuration; without it, the one in force\n"
        "  -j, --json         as JSON\n"
        "\n"
        "Exit status: 0; 66 when a file cannot be read.",
    .run = run,
};
