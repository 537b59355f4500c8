/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl replay: proposed limits, run over the mail of the past. */
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/replay_run.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define TIME_SIZE 32

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
    struct columns columns = {.count = COUNT_OF(heads), .right = {[2] = true}};

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

static void tell_one(const void *key, size_t length, void *value, void *context)
{
    const struct lacking *lacking = value;
    const int64_t *tried = context;

    (void)key;
    (void)length;
    ctl_complain("limit %s is not tried on %" PRId64 " of %" PRId64 " lines: they do not tell %s",
                 lacking->limit, lacking->count, *tried, lacking->what);
}

/* What message lines do not tell. */
static void tell_unknown(const struct replay *replay)
{
    int64_t tried = replay->number;

    map_each(replay->lacking, tell_one, &tried);
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
            rows, json_pack("{s:s, s:s, s:I, s:I, s:o, s:o, s:s, s:b}", "subject", stop->subject,
                            "limit", stop->limit, "times", (json_int_t)stop->count, "recipients",
                            (json_int_t)stop->recipients, "first", json_time(stop->first_us),
                            "last", json_time(stop->last_us), "would", stop->action, "shadow",
                            (int)stop->shadow));
    }
    ctl_print_json(json_pack("{s:I, s:I, s:I, s:I, s:o}", "lines", (json_int_t)past->lines,
                             "messages", (json_int_t)replay->messages, "stopped",
                             (json_int_t)replay->stopped, "refused-recipients",
                             (json_int_t)replay->recipients, "stops", rows));
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
    printf("%" PRId64 " outgoing messages from %s to %s: these limits would have stopped %" PRId64,
           replay->messages, first, last, replay->stopped);
    if (replay->recipients > 0)
        printf(", and refused %" PRId64 " recipients of the others", replay->recipients);
    putchar('\n');
    if (listing->count > 0)
        print_table(listing);
}

/* --- the verb ------------------------------------------------------------------------- */

static int run_replay(const struct conf *conf, struct past *past, bool json)
{
    struct replay replay;
    struct listing listing = {NULL, 0};
    char *problem = NULL;
    int status = EX_OSERR;

    if (!replay_start(&replay, conf, &problem)) {
        ctl_complain("%s", problem);
        goto done;
    }
    replay_run(&replay, past);
    listing = list_stops(&replay);
    if (json)
        print_json(&replay, past, &listing);
    else
        print_text(&replay, past, &listing);
    tell_unknown(&replay);
    status = EX_OK;
done:
    free(listing.stops);
    replay_end(&replay);
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
    .summary = "try limits on past mail",
    .help = "Runs the limits of a configuration over the message lines of our own log, by the\n"
            "same windows that the daemons have, and lists who would have been stopped, when\n"
            "for the first and the last time, and how often. Who is in which class is asked\n"
            "as it is now (class-lookup); nothing else is asked of the store, and nothing\n"
            "changed in it. As at RCPT, only the recipients that are one too many are\n"
            "refused, and the others of their message go on.\n"
            "\n"
            "LOGFILE is a mail.log or a log file of Sluice, as text or JSON, also packed with\n"
            "gzip; - is standard input. Several are put in order by time. Messages that were\n"
            "refused are not tried. Of a limit that needs what lines do not tell (the names\n"
            "of many recipients, an older log), it is said on how many.\n"
            "\n"
            "  -c, --config FILE  the proposed configuration; without it, the one in force\n"
            "  -j, --json         as JSON\n"
            "\n"
            "Exit status: 0; 66 when a file cannot be read.",
    .run = run,
};
