/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl enforce: whom enforcing each cause would touch, as the log of the past tells. */
#include "ctl/cause_json.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/past.h"

#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/log/record.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MS_US INT64_C(1000)

/* One cause: the messages it was found with, and how hard it would have hit them. */
struct tally {
    struct map *messages; /* by trace */
    enum action action; /* the strongest */
};

struct preview {
    const struct conf *conf;
    int64_t since_us;
    struct map *users; /* trace: who sent it, as its message line says */
    struct tally tallies[CAUSE_COUNT];
    size_t without_time;
};

/* --- reading ----------------------------------------------------------------------------- */

static const char *trace_of(const struct log_record *record)
{
    const char *trace = log_record_value(record, "trace");

    return trace != NULL ? trace : record->queue_id;
}

static void take_message(struct preview *preview, const struct log_record *record)
{
    static const char *const names[] = {"user", "from", "client"};
    const char *trace = trace_of(record), *who = NULL;
    char *before;

    for (size_t i = 0; i < COUNT_OF(names) && who == NULL; i++)
        who = log_record_value(record, names[i]);
    before = map_put(preview->users, trace, strlen(trace), mem_copy(who != NULL ? who : "?"));
    free(before);
}

/* What enforcing would do: what the configuration says now of the cause, or else what the line
 * says.  The line knows the limit's own action, and whom we never refuse. */
static enum action action_of(const struct preview *preview, const struct log_record *record,
                             const struct cause *cause)
{
    const char *word = log_record_value(record, "would");
    const int set = conf_cause_action(preview->conf, cause->id);
    enum action action;

    if (word == NULL)
        word = log_record_value(record, "action");
    if (word == NULL || !action_parse(word, &action))
        action = ACTION_LOG;
    return set >= 0 ? (enum action)set : action;
}

static void take_cause(struct preview *preview, const struct log_record *record)
{
    const char *id = log_record_value(record, "cause"), *trace = trace_of(record);
    const struct cause *cause = id != NULL ? cause_find(id) : NULL;
    struct tally *tally;
    enum action action;

    /* a state of a service is no message's */
    if (cause == NULL || log_record_value(record, "trace") == NULL)
        return;
    action = action_of(preview, record, cause);
    if (action < ACTION_HOLD)
        return;
    tally = &preview->tallies[cause - cause_get((enum cause_id)0)];
    if (tally->messages == NULL)
        tally->messages = map_new();
    (void)map_put(tally->messages, trace, strlen(trace), tally);
    if (action > tally->action)
        tally->action = action;
}

static void take(const struct past_line *line, void *context)
{
    struct preview *preview = context;
    const char *event = log_record_value(line->record, "event");

    if (event == NULL)
        return;
    if (!line->has_time) {
        preview->without_time++;
        return;
    }
    if (line->time_us < preview->since_us)
        return;
    if (strcmp(event, "message") == 0)
        take_message(preview, line->record);
    else if (strcmp(event, "cause") == 0)
        take_cause(preview, line->record);
}

/* --- printing ---------------------------------------------------------------------------- */

struct join {
    const struct map *who;
    struct map *users;
};

static void join_user(const void *key, size_t key_length, void *value, void *context)
{
    struct join *join = context;
    const char *user = map_peek(join->who, key, key_length);

    (void)value;
    if (user == NULL)
        user = "?";
    (void)map_put(join->users, user, strlen(user), join);
}

static size_t count_users(struct preview *preview, struct tally *tally)
{
    struct join join = {.who = preview->users, .users = map_new()};
    size_t count;

    map_each(tally->messages, join_user, &join);
    count = map_count(join.users);
    map_free(&join.users, NULL);
    return count;
}

static void add_count(struct columns *columns, size_t count)
{
    char text[24];

    (void)snprintf(text, sizeof(text), "%zu", count);
    columns_add(columns, text);
}

static const char *mode_of(const struct conf *conf, const struct cause *cause)
{
    return conf_cause_mode(conf, cause->id) == MODE_ENFORCE ? "enforce" : "observe";
}

static void print(struct preview *preview, bool json)
{
    struct columns columns = {.count = 5, .right = {[3] = true, [4] = true}};
    static const char *const heads[] = {"CAUSE", "MODE", "ACTION", "MESSAGES", "USERS"};
    json_t *rows = json_array();

    for (size_t i = 0; i < COUNT_OF(heads); i++)
        columns_add(&columns, heads[i]);
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        const struct cause *cause = cause_get((enum cause_id)i);
        struct tally *tally = &preview->tallies[i];
        size_t messages, users;

        if (tally->messages == NULL)
            continue;
        messages = map_count(tally->messages);
        users = count_users(preview, tally);
        columns_add(&columns, cause->id);
        columns_add(&columns, mode_of(preview->conf, cause));
        columns_add(&columns, action_name(tally->action));
        add_count(&columns, messages);
        add_count(&columns, users);
        json_array_append_new(rows, json_pack("{s:s, s:s, s:s, s:I, s:I}", "cause", cause->id,
                                              "mode", mode_of(preview->conf, cause), "action",
                                              action_name(tally->action), "messages",
                                              (json_int_t)messages, "users", (json_int_t)users));
    }
    if (json) {
        ctl_print_json(json_pack("{s:I, s:O}", "messages", (json_int_t)map_count(preview->users),
                                 "causes", rows));
    } else {
        columns_print(&columns, stdout);
        printf("%zu messages were looked at.  To enforce one cause: cause ID { mode = enforce }\n",
               map_count(preview->users));
    }
    json_decref(rows);
    columns_free(&columns);
}

/* --- the verb ---------------------------------------------------------------------------- */

static void clear(struct preview *preview)
{
    for (size_t i = 0; i < CAUSE_COUNT; i++)
        if (preview->tallies[i].messages != NULL)
            map_free(&preview->tallies[i].messages, NULL);
    map_free(&preview->users, free);
}

static int preview_files(const struct conf *conf, int64_t since_us, char **paths, bool json)
{
    struct preview preview = {.conf = conf, .since_us = since_us, .users = map_new()};
    char *problem = NULL;
    bool good = true;

    for (; *paths != NULL && good; paths++)
        good = past_lines(*paths, take, &preview, &problem);
    if (!good)
        ctl_complain("%s", problem);
    else
        print(&preview, json);
    if (good && preview.without_time > 0)
        ctl_complain("%zu lines do not say when they were written, and were left out",
                     preview.without_time);
    free(problem);
    clear(&preview);
    return good ? EX_OK : EX_NOINPUT;
}

static int parse(int argc, char **argv, bool *preview_r, int64_t *since_ms_r, bool *json_r)
{
    static const struct option longs[] = {{"preview", no_argument, NULL, 'p'},
                                          {"since", required_argument, NULL, 's'},
                                          {"json", no_argument, NULL, 'j'},
                                          {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "j", longs, NULL)) != -1) {
        if (c == 'p')
            *preview_r = true;
        else if (c == 'j')
            *json_r = true;
        else if (c != 's')
            return ctl_usage(argv[0], "expected --preview, --since DURATION or --json");
        else if (!conf_duration_parse(optarg, since_ms_r) || *since_ms_r <= 0)
            return ctl_usage(argv[0], "--since: expected a time such as 24h or 7d, not \"%s\"",
                             optarg);
    }
    if (!*preview_r)
        return ctl_usage(argv[0], "expected --preview: what is enforced is said in sluice.conf");
    return optind < argc ? -1 : ctl_usage(argv[0], "expected a log file, or - for standard input");
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    bool preview = false, json = false;
    int64_t since_ms = 0;
    int status = parse(argc, argv, &preview, &since_ms, &json);

    if (status >= 0)
        return status;
    if (!ctl_load(ctl))
        return EX_CONFIG;
    return preview_files(ctl->conf, since_ms > 0 ? clock_now_us(&clock_wall) - since_ms * MS_US : 0,
                         argv + optind, json);
}

const struct verb verb_enforce = {
    .name = "enforce",
    .arguments = "--preview LOGFILE ...",
    .summary = "preview enforcing causes",
    .help = "Tells from the log of the past, cause by cause, how many messages of how many\n"
            "users would have been held or refused had the cause been enforced; what\n"
            "sluice.conf says of a cause's action counts now.  To go over to enforcing one\n"
            "cause after the other: cause ID { mode = enforce }\n"
            "\n"
            "LOGFILE is a mail.log or a log file of Sluice, as text or JSON, also packed with\n"
            "gzip; - is standard input.\n"
            "\n"
            "  --preview      change nothing; the only way there is\n"
            "  --since TIME   only what was written in the last 24h, 7d and so on\n"
            "  -j, --json     as JSON",
    .run = run,
};
