/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl limits: what a subject used, and when it frees up. */
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/limits_explain.h"
#include "ctl/subject.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/decide/limits.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SECOND_US INT64_C(1000000)

/* Rounded down, but 100 only when it is used up. */
static int64_t percent(const struct usage *usage)
{
    if (usage->max <= 0)
        return 100;
    return (int64_t)((double)usage->answer.used * 100 / (double)usage->max);
}

static int64_t retry_after_sec(const struct usage *usage)
{
    return (usage->answer.retry_after_us + SECOND_US - 1) / SECOND_US;
}

static void print_free(const struct usage *usage, struct text *text)
{
    char words[64];

    if (!usage->answer.over) {
        text_add_string(text, "now");
    } else if (usage->answer.retry_after_us < 0) {
        text_add_string(text, "never");
    } else {
        limits_duration_words(retry_after_sec(usage), words, sizeof(words));
        text_print(text, "in %s", words);
    }
}

static void print_place(const struct usage *usage, struct text *text)
{
    limits_explain_place(
        usage->match.class != NULL ? &usage->match.limit->place : &usage->limit->place, text);
}

static void print_max(int64_t max, struct text *text)
{
    if (max == CONF_UNLIMITED)
        text_add_string(text, "unlimited");
    else
        text_print(text, "%" PRId64, max);
}

/* Adds a cell and empties the text. */
static void add_cell(struct columns *columns, struct text *text)
{
    columns_add(columns, text_string(text));
    text_clear(text);
}

static void add_row(struct columns *columns, const struct usage *usage)
{
    const struct conf_limit *limit = usage->limit;
    bool windowed = limit->window_sec > 0;
    struct text text = TEXT_EMPTY;
    char *window = windowed ? conf_duration(limit->window_sec * 1000) : mem_copy("message");

    columns_add(columns, limit->name);
    if (windowed)
        text_print(&text, "%" PRId64, usage->answer.used);
    else
        text_add_char(&text, '-');
    add_cell(columns, &text);
    print_max(usage->max, &text);
    add_cell(columns, &text);
    if (windowed)
        text_print(&text, "%" PRId64 "%%", percent(usage));
    add_cell(columns, &text);
    columns_add(columns, limit_count_name(limit->count));
    columns_add(columns, window);
    if (windowed)
        print_free(usage, &text);
    add_cell(columns, &text);
    if (usage->match.class != NULL)
        text_print(&text, "class %s, ", usage->match.class->name);
    print_place(usage, &text);
    add_cell(columns, &text);
    free(window);
    text_free(&text);
}

static void print_table(const struct usage *usages, size_t count)
{
    static const char *const heads[] = {"LIMIT", "USED", "MAX",      "",
                                        "OF",    "PER",  "ONE MORE", "SET AT"};
    struct columns columns = {.count = COUNT_OF(heads),
                              .right = {[1] = true, [2] = true, [3] = true}};

    for (size_t i = 0; i < columns.count; i++)
        columns_add(&columns, heads[i]);
    for (size_t i = 0; i < count; i++)
        add_row(&columns, &usages[i]);
    columns_print(&columns, stdout);
    columns_free(&columns);
}

static json_t *json_of(const struct usage *usage)
{
    const struct conf_limit *limit = usage->limit;
    bool windowed = limit->window_sec > 0;
    struct text source = TEXT_EMPTY;
    char *window = windowed ? conf_duration(limit->window_sec * 1000) : mem_copy("message");
    json_t *row;

    print_place(usage, &source);
    row = json_pack("{s:s, s:s, s:s, s:I, s:s?, s:s}", "limit", limit->name, "count",
                    limit_count_name(limit->count), "window", window, "max", (json_int_t)usage->max,
                    "class", usage->match.class != NULL ? usage->match.class->name : NULL, "from",
                    text_string(&source));
    if (windowed) {
        json_object_set_new(row, "used", json_integer(usage->answer.used));
        json_object_set_new(row, "percent", json_integer(percent(usage)));
        json_object_set_new(row, "over", json_boolean(usage->answer.over));
        /* Seconds until one more fits; null: never. */
        json_object_set_new(row, "retry-after",
                            !usage->answer.over ? json_integer(0)
                            : usage->answer.retry_after_us < 0
                                ? json_null()
                                : json_integer(retry_after_sec(usage)));
    }
    free(window);
    text_free(&source);
    return row;
}

static void print_json(const struct subject *subject, const struct usage *usages, size_t count)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(rows, json_of(&usages[i]));
    ctl_print_json(json_pack("{s:s, s:o}", "subject", subject->name, "limits", rows));
}

/* The kinds of subjects that some limit counts, for who asked about another. */
static void print_kinds(const struct conf *conf)
{
    struct text kinds = TEXT_EMPTY;

    for (size_t i = 0; i < SUBJECT_COUNT; i++) {
        bool counted = false;

        for (size_t j = 0; j < conf->nlimits; j++)
            counted = counted || conf->limits[j].subject == (enum limit_subject)i;
        if (counted)
            text_print(&kinds, "%s%s", kinds.length > 0 ? ", " : "",
                       limit_subject_name((enum limit_subject)i));
    }
    ctl_complain("the limits of the configuration count by: %s", text_string(&kinds));
    text_free(&kinds);
}

static int show(const struct conf *conf, struct subject *subject, bool json)
{
    struct usage usages[STORE_LIMITS_MAX];
    struct client client;
    char *problem = NULL;
    size_t count = 0;
    int status = EX_UNAVAILABLE;

    if (!client_open(&client, conf, &problem)) {
        ctl_complain("%s", problem);
    } else if (!subject_usage(conf, subject, &client, usages, &count)) {
        ctl_complain("the store did not answer in time; see sluicectl status");
    } else if (json) {
        print_json(subject, usages, count);
        status = count > 0 ? EX_OK : EXIT_NEGATIVE;
    } else if (count == 0) {
        ctl_complain("no limit counts %s", subject->name);
        print_kinds(conf);
        status = EXIT_NEGATIVE;
    } else {
        printf("%s\n", subject->name);
        print_table(usages, count);
        status = EX_OK;
    }
    client_close(&client);
    free(problem);
    return status;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    static const struct option longs[] = {
        {"json", no_argument, NULL, 'j'}, {"explain", no_argument, NULL, 'e'}, {NULL, 0, NULL, 0}};
    struct subject subject;
    char *problem = NULL;
    bool json = false;
    bool explaining = false;
    int status;
    int c;

    while ((c = getopt_long(argc, argv, "je", longs, NULL)) != -1) {
        if (c == '?')
            return ctl_usage(argv[0], "wrong options");
        json = json || c == 'j';
        explaining = explaining || c == 'e';
    }
    if (optind == argc)
        return ctl_usage(argv[0], "expected a subject, such as alice@example.com");
    if (optind + 1 < argc)
        return ctl_usage(argv[0], "unexpected argument \"%s\"", argv[optind + 1]);
    if (!ctl_load(ctl))
        return EX_CONFIG;
    if (!subject_parse(ctl->conf, argv[optind], &subject, &problem))
        status = ctl_usage(argv[0], "%s", problem);
    else if (explaining)
        status = limits_explain(ctl->conf, &subject, json);
    else
        status = show(ctl->conf, &subject, json);
    subject_clear(&subject);
    free(problem);
    return status;
}

const struct verb verb_limits = {
    .name = "limits",
    .arguments = "[--json] [--explain] SUBJECT",
    .summary = "show what somebody used",
    .help = "SUBJECT is a login (alice@example.com), or a kind and a name:\n"
            "  user:LOGIN  sender:ADDRESS  sender-domain:DOMAIN  client:ADDRESS\n"
            "  client-network:NETWORK  helo:NAME  recipient-domain:DOMAIN\n"
            "  recipient:ADDRESS  host[:NAME]  everything\n"
            "An IP address alone is a client.\n"
            "\n"
            "For each limit that counts it: what is used of how many in the sliding window\n"
            "that ends now, when one more fits, and where the maximum was set: at the limit,\n"
            "or by a class.\n"
            "\n"
            "  -e, --explain  instead of the use: which line of which file made each limit,\n"
            "                 and which classes it was chosen over\n"
            "  -j, --json     as JSON\n"
            "\n"
            "Exit status: 0; 1 when no limit counts such a subject; 69 when the store does\n"
            "not answer.",
    .run = run,
};
