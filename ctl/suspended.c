/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl suspended: who may not send. */
#include "ctl/client.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/subject.h"

#include "lib/base/count.h"
#include "lib/base/map.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER_PREFIX "user:"

struct suspended {
    int64_t now_sec;
    struct map *seen; /* the store may show one twice */
    struct columns columns;
    json_t *rows;
    size_t count;
};

static const char *note_value(const void *flag, const char *name)
{
    return store_note_value(flag, name);
}

static const char *fact_value(const void *flag, const char *name)
{
    return note_fact_value(flag, name);
}

static void add(struct suspended *suspended, const char *user, const struct suspension *suspension)
{
    char since[SUSPENSION_TIME_SIZE], until[SUSPENSION_TIME_SIZE];

    suspended->count++;
    suspension_time(suspension->since_sec, since);
    suspension_time(suspension->until_sec, until);
    columns_add(&suspended->columns, user);
    columns_add(&suspended->columns, suspension->reason);
    columns_add(&suspended->columns, *until != '\0' ? until : "released");
    columns_add(&suspended->columns, since);
    columns_add(&suspended->columns, suspension->by);
    columns_add(&suspended->columns, suspension->note);
    json_array_append_new(
        suspended->rows, json_pack("{s:s, s:s, s:s?, s:s, s:s, s:s}", "user", user, "reason",
                                   suspension->reason, "until", *until != '\0' ? until : NULL,
                                   "since", since, "by", suspension->by, "note", suspension->note));
}

static void on_flag(const char *subject, const struct store_note *note, void *context)
{
    struct suspended *suspended = context;
    struct suspension suspension;

    if (strncmp(subject, USER_PREFIX, strlen(USER_PREFIX)) == 0 &&
        suspension_read(note_value, note, suspended->now_sec, &suspension) &&
        map_put(suspended->seen, subject, strlen(subject), suspended) == NULL)
        add(suspended, subject + strlen(USER_PREFIX), &suspension);
}

/* subject NULL: everybody.  false: the store did not answer. */
static bool find(struct client *client, const struct subject *subject, struct suspended *suspended)
{
    struct note_fact flag;
    struct suspension suspension;
    int64_t now_us = 0;
    bool answered = client_note(client, subject != NULL ? subject->name : USER_PREFIX,
                                SUSPENSION_KIND, &flag, &now_us);

    suspended->now_sec = now_us / 1000000;
    if (answered && subject == NULL)
        answered = client_list(client, SUSPENSION_KIND, on_flag, suspended);
    else if (answered && suspension_read(fact_value, &flag, suspended->now_sec, &suspension))
        add(suspended, strchr(subject->name, ':') + 1, &suspension);
    note_fact_clear(&flag);
    return answered;
}

static int show(const struct conf *conf, const struct subject *subject, bool json)
{
    static const char *const heads[] = {"USER", "REASON", "UNTIL", "SINCE", "BY", "NOTE"};
    struct suspended suspended = {
        .seen = map_new(), .columns = {.count = COUNT_OF(heads)}, .rows = json_array()};
    struct client client;
    char *problem = NULL;
    int status = EX_UNAVAILABLE;

    for (size_t i = 0; i < suspended.columns.count; i++)
        columns_add(&suspended.columns, heads[i]);
    if (!client_open(&client, conf, &problem)) {
        ctl_complain("%s", problem);
    } else if (!find(&client, subject, &suspended)) {
        ctl_complain("the store did not answer in time; see sluicectl status");
    } else {
        status = subject == NULL || suspended.count > 0 ? EX_OK : EXIT_NEGATIVE;
        if (json)
            ctl_print_json(json_incref(suspended.rows));
        else if (suspended.count > 0)
            columns_print(&suspended.columns, stdout);
        else if (subject != NULL)
            printf("%s is not suspended\n", strchr(subject->name, ':') + 1);
        else
            printf("nobody is suspended\n");
    }
    client_close(&client);
    columns_free(&suspended.columns);
    json_decref(suspended.rows);
    map_free(&suspended.seen, NULL);
    free(problem);
    return status;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct subject subject = {.name = NULL};
    char *problem = NULL;
    bool json;
    int status = ctl_parse(argc, argv, 1, &json);

    if (status >= 0)
        return status;
    if (!ctl_load(ctl))
        return EX_CONFIG;
    if (optind == argc)
        status = show(ctl->conf, NULL, json);
    else if (!subject_parse(ctl->conf, argv[optind], &subject, &problem))
        status = ctl_usage(argv[0], "%s", problem);
    else if (subject.kind != SUBJECT_USER)
        status = ctl_usage(argv[0], "\"%s\" is not a login", argv[optind]);
    else
        status = show(ctl->conf, &subject, json);
    subject_clear(&subject);
    free(problem);
    return status;
}

const struct verb verb_suspended = {
    .name = "suspended",
    .arguments = "[--json] [USER]",
    .summary = "list who is suspended",
    .help = "Without a login, all; with store-hash-addresses the store does not know their\n"
            "names, and shows them hashed.\n"
            "\n"
            "  -j, --json  as JSON\n"
            "\n"
            "Exit status: 0; 1 when the login that was named is not suspended; 69 when the\n"
            "store does not answer.",
    .run = run,
};
