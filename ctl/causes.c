/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl causes: list the catalogue. */
#include "ctl/cause_json.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"

#include "lib/base/text.h"
#include "lib/base/words.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Whether the cause is the one that is asked for, or of the group that is. */
static bool is_asked_for(const struct cause *cause, const char *name)
{
    return name == NULL || strcmp(cause->id, name) == 0 || cause_is_in(cause, name);
}

static void add_row(struct columns *columns, const struct conf *conf, const struct cause *cause)
{
    const char *action = cause_configured(conf, cause);

    columns_add(columns, cause->id);
    columns_add(columns, action_name(cause->action));
    columns_add(columns, action != NULL ? action : "-");
    columns_add(columns, cause->title);
}

static int nothing_found(const char *verb, const char *group)
{
    const char *nearest = words_nearest(group, cause_ids(), CAUSE_COUNT);
    struct text groups = TEXT_EMPTY;

    if (nearest != NULL)
        return ctl_usage(verb, "no group or cause is called \"%s\"; did you mean \"%s\"?", group,
                         nearest);
    for (size_t i = 0; i < cause_group_count; i++)
        text_print(&groups, "%s, ", cause_groups[i].name);
    (void)ctl_usage(verb, "no group or cause is called \"%s\": expected %sor a whole id", group,
                    text_string(&groups));
    text_free(&groups);
    return EX_USAGE;
}

static int list(struct ctl *ctl, const char *verb, const char *group, bool json)
{
    struct columns columns = {.count = 4};
    json_t *array = json_array();
    int status = EX_OK;

    columns_add(&columns, "CAUSE");
    columns_add(&columns, "DEFAULT");
    columns_add(&columns, "SET");
    columns_add(&columns, "MEANING");
    for (size_t i = 0; i < CAUSE_COUNT; i++) {
        const struct cause *cause = cause_get((enum cause_id)i);

        if (!is_asked_for(cause, group))
            continue;
        add_row(&columns, ctl->conf, cause);
        json_array_append_new(array, cause_json(ctl->conf, cause));
    }
    if (json_array_size(array) == 0)
        status = nothing_found(verb, group);
    else if (json)
        ctl_print_json(json_incref(array));
    else
        columns_print(&columns, stdout);
    json_decref(array);
    columns_free(&columns);
    return status;
}

static int manual(void)
{
    char *text = causes_manual();

    fputs(text, stdout);
    free(text);
    return EX_OK;
}

/* Returns -1 to go on. */
static int parse(int argc, char **argv, const char **group_r, bool *json_r)
{
    static const struct option longs[] = {{"json", no_argument, NULL, 'j'},
                                          {"group", required_argument, NULL, 'g'},
                                          {NULL, 0, NULL, 0}};
    int c;

    while ((c = getopt_long(argc, argv, "jg:", longs, NULL)) != -1) {
        if (c != 'j' && c != 'g')
            return ctl_usage(argv[0], "expected --json or --group GROUP");
        if (c == 'g')
            *group_r = optarg;
        else
            *json_r = true;
    }
    if (*group_r == NULL && optind < argc)
        *group_r = argv[optind++];
    if (optind < argc)
        return ctl_usage(argv[0], "unexpected argument \"%s\"", argv[optind]);
    return -1;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    const char *group = NULL;
    bool json = false;
    int status;

    if (argc == 2 && strcmp(argv[1], "--manual") == 0)
        return manual();
    status = parse(argc, argv, &group, &json);
    if (status >= 0)
        return status;
    if (!ctl_load(ctl))
        return EX_CONFIG;
    return list(ctl, argv[0], group, json);
}

const struct verb verb_causes = {
    .name = "causes",
    .arguments = "[--json] [--group G] ...",
    .summary = "list what Sluice finds",
    .help = "Lists the catalogue of causes, or those of one group (limit, account, dns, ...),\n"
            "or one: its id, the action by default in enforce mode, the action that the\n"
            "configuration sets, and what it means.\n"
            "\n"
            "  -g, --group GROUP  that group, or cause; the word alone will do\n"
            "  -j, --json         as JSON, with all that the catalogue says\n"
            "  --manual           print the manual page sluice-causes(7) as mdoc(7)",
    .run = run,
};
