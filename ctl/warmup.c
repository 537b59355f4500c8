/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl warmup: the plan of each warm-up, where it stands, and how it goes on. */
#include "ctl/client.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"

#include "lib/base/clock.h"
#include "lib/base/text.h"
#include "lib/decide/limits.h"
#include "lib/decide/warmup.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define PLAN_DAYS_MAX 366 /* that are printed */
#define DATE_SIZE 16

/* Where a warm-up stands. */
struct standing {
    const struct conf_warmup *warmup;
    int64_t today, ceiling_day; /* days since the epoch; INT64_MAX: never */
    int64_t allowance, tomorrow; /* today's and tomorrow's */
    bool known; /* the store answered */
    int64_t used; /* in the last 24 hours */
    bool here; /* the address is one of this host's */
};

static void print_date(int64_t day, char date_r[DATE_SIZE])
{
    time_t when = (time_t)(day * 86400);
    struct tm parts;

    date_r[0] = '\0';
    if (gmtime_r(&when, &parts) != NULL)
        (void)strftime(date_r, DATE_SIZE, "%Y-%m-%d", &parts);
}

static bool has_begun(const struct standing *standing)
{
    return standing->today >= standing->warmup->start_day;
}

/* --- how it goes on ------------------------------------------------------------------- */

/* What the use of the last 24 hours means for the plan. */
static void project(const struct standing *standing, struct text *text)
{
    const struct conf_warmup *warmup = standing->warmup;
    int64_t day = standing->today;
    char date[DATE_SIZE];

    if (!has_begun(standing)) {
        print_date(warmup->start_day, date);
        text_print(text, "not counted before %s", date);
        return;
    }
    if (!standing->known) {
        text_add_string(text, "the store did not answer, so the use is not known; ");
    } else if (standing->used >= standing->allowance) {
        text_print(text, "today's allowance is used up and mail waits; ");
    } else if (standing->used * 2 >= standing->allowance) {
        text_print(text, "at this pace there is little room left; ");
    } else {
        text_print(text, "at this pace nothing waits; ");
    }
    if (standing->known && standing->used > 0 && standing->ceiling_day != INT64_MAX) {
        while (day < standing->ceiling_day &&
               conf_warmup_allowance(warmup, day) < 2 * standing->used)
            day++;
        print_date(day, date);
        if (conf_warmup_allowance(warmup, day) >= 2 * standing->used)
            text_print(text, "twice the use of the last 24 hours fits from %s on; ", date);
    }
    if (standing->ceiling_day == INT64_MAX) {
        text_print(text, "it does not grow to its ceiling (growth 1)");
        return;
    }
    print_date(standing->ceiling_day, date);
    text_print(text, "%" PRId64 " a day %s %s", warmup->ceiling,
               standing->today < standing->ceiling_day ? "from" : "since", date);
}

/* The days of the plan up to the ceiling. */
static int64_t plan_days(const struct standing *standing)
{
    const struct conf_warmup *warmup = standing->warmup;
    int64_t days = standing->ceiling_day == INT64_MAX
                       ? standing->today - warmup->start_day + 2
                       : standing->ceiling_day - warmup->start_day + 1;

    if (days < 1)
        days = 1;
    return days < PLAN_DAYS_MAX ? days : PLAN_DAYS_MAX;
}

/* --- as text -------------------------------------------------------------------------- */

static void add_number(struct columns *columns, int64_t number)
{
    char text[32];

    (void)snprintf(text, sizeof(text), "%" PRId64, number);
    columns_add(columns, text);
}

static void print_plan(const struct standing *standing)
{
    const struct conf_warmup *warmup = standing->warmup;
    struct columns columns = {.count = 4, .right = {[0] = true, [2] = true}};
    int64_t days = plan_days(standing);

    columns_add(&columns, "DAY");
    columns_add(&columns, "DATE");
    columns_add(&columns, "ALLOWANCE");
    columns_add(&columns, "");
    for (int64_t n = 0; n < days; n++) {
        int64_t day = warmup->start_day + n;
        char date[DATE_SIZE];

        print_date(day, date);
        add_number(&columns, n + 1);
        columns_add(&columns, date);
        add_number(&columns, conf_warmup_allowance(warmup, day));
        columns_add(&columns, day == standing->today         ? "today"
                              : day == standing->ceiling_day ? "ceiling"
                                                             : "");
    }
    columns_print(&columns, stdout);
    columns_free(&columns);
}

static void print_standing(const struct standing *standing)
{
    const struct conf_warmup *warmup = standing->warmup;
    const char *what = limit_count_name(warmup->limit.count);
    struct text projection = TEXT_EMPTY;

    printf("%s  (%s:%u)\n", warmup->limit.name, warmup->limit.place.file, warmup->limit.place.line);
    if (!standing->here)
        printf("not counted on this host: it is none of its outgoing-addresses\n");
    if (warmup->limit.shadow)
        printf("only tried: nothing is refused (shadow = yes)\n");
    if (has_begun(standing)) {
        printf("today, day %" PRId64 ": %" PRId64 " %s in 24 hours; tomorrow %" PRId64 "\n",
               standing->today - warmup->start_day + 1, standing->allowance, what,
               standing->tomorrow);
        if (standing->known)
            printf("used in the last 24 hours: %" PRId64 " (%" PRId64 "%%)\n", standing->used,
                   standing->used * 100 / standing->allowance);
    }
    project(standing, &projection);
    printf("projection: %s\n", text_string(&projection));
    print_plan(standing);
    text_free(&projection);
}

/* --- as JSON -------------------------------------------------------------------------- */

static json_t *json_day(int64_t day)
{
    char date[DATE_SIZE];

    if (day == INT64_MAX)
        return json_null();
    print_date(day, date);
    return json_string(date);
}

static json_t *json_plan(const struct standing *standing)
{
    const struct conf_warmup *warmup = standing->warmup;
    json_t *plan = json_array();
    int64_t days = plan_days(standing);

    for (int64_t n = 0; n < days; n++) {
        int64_t day = warmup->start_day + n;

        json_array_append_new(plan, json_pack("{s:I, s:o, s:I}", "day", (json_int_t)(n + 1), "date",
                                              json_day(day), "allowance",
                                              (json_int_t)conf_warmup_allowance(warmup, day)));
    }
    return plan;
}

static json_t *json_of(const struct standing *standing)
{
    const struct conf_warmup *warmup = standing->warmup;
    bool begun = has_begun(standing);
    struct text projection = TEXT_EMPTY;
    json_t *row;

    project(standing, &projection);
    row = json_pack("{s:s, s:s, s:o, s:b, s:b, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "warmup",
                    warmup->limit.name, "count", limit_count_name(warmup->limit.count), "start",
                    json_day(warmup->start_day), "here", (int)standing->here, "shadow",
                    (int)warmup->limit.shadow, "day",
                    begun ? json_integer(standing->today - warmup->start_day + 1) : json_null(),
                    "allowance", begun ? json_integer(standing->allowance) : json_null(),
                    "tomorrow", begun ? json_integer(standing->tomorrow) : json_null(), "used",
                    standing->known ? json_integer(standing->used) : json_null(), "ceiling-on",
                    json_day(standing->ceiling_day), "projection", text_string(&projection), "plan",
                    json_plan(standing));
    text_free(&projection);
    return row;
}

/* --- the verb ------------------------------------------------------------------------- */

static bool ask_use(struct client *client, struct standing *standing)
{
    const struct conf_warmup *warmup = standing->warmup;
    char *subject = warmup_subject(warmup);
    const struct store_limit limit = {.subject = subject,
                                      .count = limits_letter(warmup->limit.count),
                                      .window_sec = warmup->limit.window_sec,
                                      .amount = 1,
                                      .max = standing->allowance};
    const struct store_request request = {.identity = "", .limits = &limit, .nlimits = 1};
    struct store_limit_answer answer;
    bool answered = client_look(client, &request, &answer, NULL);

    if (answered) {
        standing->known = true;
        standing->used = answer.used;
    }
    free(subject);
    return answered;
}

static struct standing standing_of(const struct conf *conf, const struct conf_warmup *warmup)
{
    int64_t today = warmup_day(clock_now_us(&clock_wall));

    return (struct standing){
        .warmup = warmup,
        .today = today,
        .ceiling_day = conf_warmup_ceiling_day(warmup),
        .allowance = conf_warmup_allowance(warmup, today),
        .tomorrow = conf_warmup_allowance(warmup, today + 1),
        .here = warmup_is_here(conf, warmup),
    };
}

static bool is_asked(const struct conf_warmup *warmup, const char *name)
{
    return name == NULL || text_equal_case(warmup->title, name) ||
           text_equal_case(warmup->limit.name, name);
}

/* The plans are told even where the store cannot say how much is used. */
static int show(const struct conf *conf, const char *name, bool json)
{
    struct client client;
    char *problem = NULL;
    bool open = client_open(&client, conf, &problem);
    bool answered = open;
    json_t *rows = json_array();
    size_t count = 0;

    for (size_t i = 0; i < conf->nwarmups; i++) {
        struct standing standing = standing_of(conf, &conf->warmups[i]);

        if (!is_asked(standing.warmup, name))
            continue;
        answered = answered && ask_use(&client, &standing);
        if (json)
            json_array_append_new(rows, json_of(&standing));
        else
            printf("%s", count > 0 ? "\n" : "");
        if (!json)
            print_standing(&standing);
        count++;
    }
    if (json)
        ctl_print_json(json_pack("{s:O}", "warmups", rows));
    json_decref(rows);
    if (count > 0 && !answered)
        ctl_complain("%s", problem != NULL ? problem : "the store did not answer in time");
    client_close(&client);
    free(problem);
    return count == 0 ? EXIT_NEGATIVE : answered ? EX_OK : EX_UNAVAILABLE;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    bool json;
    int status = ctl_parse(argc, argv, 1, &json);

    if (status >= 0)
        return status;
    if (!ctl_load(ctl))
        return EX_CONFIG;
    status = show(ctl->conf, optind < argc ? argv[optind] : NULL, json);
    if (status == EXIT_NEGATIVE)
        ctl_complain(optind < argc ? "no warmup section has the title \"%s\""
                                   : "the configuration has no warmup section%s",
                     optind < argc ? argv[optind] : "");
    return status;
}

const struct verb verb_warmup = {
    .name = "warmup",
    .arguments = "[--json] [TITLE]",
    .summary = "show the plan of a warm-up",
    .help = "For each warmup section, or the one of that address or domain: the allowance of\n"
            "today and tomorrow, what was used in the last 24 hours, how it goes on from\n"
            "here, and the plan day by day up to its ceiling. Days are those of UTC.\n"
            "\n"
            "  -j, --json   as JSON\n"
            "\n"
            "Exit status: 0; 1 when there is no such section; 69 when the store does not\n"
            "answer (the plan is printed all the same).",
    .run = run,
};
