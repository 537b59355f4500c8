/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl causes: list the catalogue. */
#include "ctl/columns.h"
#include "ctl/ctl.h"

#include "lib/base/words.h"
#include "lib/causes/causes.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

/* Whether the cause is the one that is asked for, or of the group that is. */
static bool is_in(const struct cause *cause, const char *group)
{
    size_t length = group != NULL ? strlen(group) : 0;

    return group == NULL || strcmp(cause->id, group) == 0 ||
           (strncmp(cause->id, group, length) == 0 && cause->id[length] == '.');
}

/* The action that the configuration names, or NULL. */
static const char *configured(const struct conf *conf, const struct cause *cause)
{
    int action = conf_cause_action(conf, cause->id);

    return action >= 0 ? action_name((enum action)action) : NULL;
}

static void add_row(struct columns *columns, const struct conf *conf, const struct cause *cause)
{
    const char *action = configured(conf, cause);

    columns_add(columns, cause->id);
    columns_add(columns, action_name(cause->action));
    columns_add(columns, action != NULL ? action : "-");
    columns_add(columns, cause->title);
}

static json_t *json_of(const struct conf *conf, const struct cause *cause)
{
    return json_pack("{s:s, s:s, s:s, s:s?, s:s, s:s?, s:s?}", "id", cause->id, "severity",
                     severity_name(cause->severity), "default", action_name(cause->action),
                     "action", configured(conf, cause), "title", cause->title, "explanation",
                     cause->explanation, "remedy", cause->remedy);
}

static int nothing_found(const char *verb, const char *group)
{
    const char *nearest = words_nearest(group, cause_ids(), CAUSE_COUNT);

    if (nearest != NULL)
        return ctl_usage(verb, "no group or cause is called \"%s\"; did you mean \"%s\"?", group,
                         nearest);
    return ctl_usage(verb,
                     "no group or cause is called \"%s\": expected limit, account, config, dns, "
                     "reputation, content, recipient, destination, self or a whole id",
                     group);
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct columns columns = {.count = 4};
    bool json;
    int status = ctl_parse(argc, argv, 1, &json);
    const char *group = status < 0 ? argv[optind] : NULL;
    json_t *list;
    size_t found = 0;

    if (status >= 0)
        return status;
    if (!ctl_load(ctl))
        return EX_CONFIG;
    list = json_array();
    columns_add(&columns, "CAUSE");
    columns_add(&columns, "DEFAULT");
    columns_add(&columns, "SET");
    columns_add(&columns, "MEANING");
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        const struct cause *cause = cause_get((enum cause_id)i);

        if (!is_in(cause, group))
            continue;
        found++;
        add_row(&columns, ctl->conf, cause);
        json_array_append_new(list, json_of(ctl->conf, cause));
    }
    if (found == 0)
        status = nothing_found(argv[0], group);
    else if (json)
        ctl_print_json(json_incref(list));
    else
        columns_print(&columns, stdout);
    json_decref(list);
    columns_free(&columns);
    return found == 0 ? status : EX_OK;
}

const struct verb verb_causes = {
    .name = "causes",
    .arguments = "[--json] [GROUP]",
    .summary = "list what Sluice finds",
    .help = "Lists the catalogue of causes, or those of one group (limit, account, dns, ...), or\n"
            "one: its id, the action by default in enforce mode, the action that the\n"
            "configuration sets, and what it means.\n"
            "\n"
            "  -j, --json   as JSON, with explanation and remedy",
    .run = run,
};
