/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl top: who sends most now, and how much of it is usual. */
#include "ctl/client.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"

#include "lib/base/count.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/decide/habits.h"

#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define USER_PREFIX "user:"
#define SHOWN_USUALLY 20
#define SHOWN_MAX 1000000
#define DECIMAL 10

struct sender {
    char *user;
    struct habits_volume in_hour, in_day;
};

struct top {
    int64_t now_sec;
    struct map *seen; /* the store may show one twice */
    struct sender *senders;
    size_t count, room;
};

/* --- asking ------------------------------------------------------------------------------ */

static void on_hours(const char *subject, const struct store_note *note, void *context)
{
    struct top *top = context;
    struct sender sender = {.user = NULL};

    if (strncmp(subject, USER_PREFIX, strlen(USER_PREFIX)) != 0)
        return;
    habits_volumes(note, top->now_sec, &sender.in_hour, &sender.in_day);
    if (sender.in_day.now == 0 || map_put(top->seen, subject, strlen(subject), top) != NULL)
        return;
    if (top->count == top->room) {
        top->room = top->room * 2 + 64;
        top->senders = mem_grow(top->senders, top->room, sizeof(*top->senders));
    }
    sender.user = mem_copy(subject + strlen(USER_PREFIX));
    top->senders[top->count++] = sender;
}

static int by_volume(const void *a, const void *b)
{
    const struct sender *first = a, *second = b;

    if (first->in_day.now != second->in_day.now)
        return first->in_day.now < second->in_day.now ? 1 : -1;
    return strcmp(first->user, second->user);
}

/* false: the store did not answer. */
static bool find(struct client *client, struct top *top)
{
    struct note_fact unused;
    int64_t now_us = 0;
    bool answered = client_note(client, USER_PREFIX, HABITS_HOURS_KIND, &unused, &now_us);

    note_fact_clear(&unused);
    top->now_sec = now_us / 1000000;
    answered = answered && client_list(client, HABITS_HOURS_KIND, on_hours, top);
    if (top->count > 0)
        qsort(top->senders, top->count, sizeof(*top->senders), by_volume);
    return answered;
}

/* --- printing ---------------------------------------------------------------------------- */

static void add_number(struct columns *columns, int64_t number)
{
    char text[24] = "-";

    if (number > 0)
        (void)snprintf(text, sizeof(text), "%" PRId64, number);
    columns_add(columns, text);
}

static void print(const struct top *top, size_t shown)
{
    static const char *const heads[] = {"USER", "THIS HOUR", "USUALLY", "TODAY", "USUALLY"};
    struct columns columns = {.count = COUNT_OF(heads),
                              .right = {[1] = true, [2] = true, [3] = true, [4] = true}};

    for (size_t i = 0; i < columns.count; i++)
        columns_add(&columns, heads[i]);
    for (size_t i = 0; i < shown; i++) {
        const struct sender *sender = &top->senders[i];

        columns_add(&columns, sender->user);
        add_number(&columns, sender->in_hour.now);
        add_number(&columns, sender->in_hour.usual);
        add_number(&columns, sender->in_day.now);
        add_number(&columns, sender->in_day.usual);
    }
    if (shown > 0)
        columns_print(&columns, stdout);
    else
        printf("nobody has sent anything today\n");
    columns_free(&columns);
}

static json_t *volume_json(const struct habits_volume *volume)
{
    json_t *object = json_pack("{s:I}", "recipients", (json_int_t)volume->now);

    if (volume->usual > 0)
        json_object_set_new(object, "usually", json_integer((json_int_t)volume->usual));
    return object;
}

static void print_json(const struct top *top, size_t shown)
{
    json_t *rows = json_array();

    for (size_t i = 0; i < shown; i++) {
        const struct sender *sender = &top->senders[i];

        json_array_append_new(rows, json_pack("{s:s, s:o, s:o}", "user", sender->user, "hour",
                                              volume_json(&sender->in_hour), "day",
                                              volume_json(&sender->in_day)));
    }
    ctl_print_json(rows);
}

/* --- the verb ---------------------------------------------------------------------------- */

static void clear(struct top *top)
{
    for (size_t i = 0; i < top->count; i++)
        free(top->senders[i].user);
    free(top->senders);
    map_free(&top->seen, NULL);
}

static int show(const struct conf *conf, size_t most, bool json)
{
    struct top top = {.seen = map_new()};
    struct client client;
    char *problem = NULL;
    int status = EX_UNAVAILABLE;

    if (!client_open(&client, conf, &problem)) {
        ctl_complain("%s", problem);
    } else if (!find(&client, &top)) {
        ctl_complain("the store did not answer in time; see sluicectl status");
    } else {
        const size_t shown = top.count < most ? top.count : most;

        status = EX_OK;
        if (json)
            print_json(&top, shown);
        else
            print(&top, shown);
    }
    client_close(&client);
    clear(&top);
    free(problem);
    return status;
}

static bool parse_number(const char *text, size_t *number_r)
{
    char *end;
    unsigned long number = strtoul(text, &end, DECIMAL);

    if (*text < '1' || *text > '9' || *end != '\0' || number > SHOWN_MAX)
        return false;
    *number_r = (size_t)number;
    return true;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    size_t most = SHOWN_USUALLY;
    bool json;
    int status = ctl_parse(argc, argv, 1, &json);

    if (status >= 0)
        return status;
    if (optind < argc && !parse_number(argv[optind], &most))
        return ctl_usage(argv[0], "expected how many to show, not \"%s\"", argv[optind]);
    return ctl_load(ctl) ? show(ctl->conf, most, json) : EX_CONFIG;
}

const struct verb verb_top = {
    .name = "top",
    .arguments = "[--json] [N]",
    .summary = "show who sends most now",
    .help = "Lists the N logins (20) that wrote to most recipients today, with what they did\n"
            "in this hour and, once a week of them is known, what they usually do.  Hours and\n"
            "days are UTC's, and the numbers up to ten seconds old.  With\n"
            "store-hash-addresses the store does not know the logins' names, and shows them\n"
            "hashed.\n"
            "\n"
            "  -j, --json  as JSON\n"
            "\n"
            "Exit status: 0; 69 when the store does not answer.",
    .run = run,
};
