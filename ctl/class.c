/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl class: the classes that logins were put into by the store. */
#include "ctl/client.h"
#include "ctl/columns.h"
#include "ctl/ctl.h"
#include "ctl/subject.h"

#include "lib/base/count.h"
#include "lib/base/text.h"
#include "lib/base/words.h"
#include "lib/decide/class_lookup.h"
#include "lib/store/store_note.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STEP_MS 100

/* Something that the store is asked. */
struct question {
    bool answered, done, known;
};

static void on_answer(const struct store_answer *answer, void *context)
{
    struct question *question = context;

    question->answered = true;
    question->done = answer->outcome == STORE_OUTCOME_DONE;
    question->known = answer->known;
}

static int wait_for(struct client *client, const struct question *question)
{
    while (!question->answered)
        loop_run_once(client->loop, STEP_MS);
    if (!question->done)
        ctl_complain("the store did not answer in time; see sluicectl status");
    return question->done ? EX_OK : EX_UNAVAILABLE;
}

/* --- set and unset -------------------------------------------------------------------- */

static int set(const struct conf *conf, struct client *client, const struct subject *subject,
               const char *class)
{
    const struct store_pair pair = {CLASS_NOTE_FIELD, class};
    const struct store_note_change change = {
        .subject = subject->name, .kind = CLASS_NOTE_KIND, .pairs = &pair, .npairs = 1};
    struct question question = {.answered = false};
    int status;

    (void)conf;
    store_note_set(client->store, &change, on_answer, &question);
    status = wait_for(client, &question);
    if (status == EX_OK)
        printf("%s: class %s\n", subject->name, class);
    return status;
}

static int unset(const struct conf *conf, struct client *client, const struct subject *subject,
                 const char *class)
{
    static const char *const fields[] = {CLASS_NOTE_FIELD};
    struct question question = {.answered = false};
    int status;

    (void)conf;
    (void)class;
    store_note_remove(client->store, subject->name, CLASS_NOTE_KIND, fields, 1, on_answer,
                      &question);
    status = wait_for(client, &question);
    if (status != EX_OK)
        return status;
    printf(question.known ? "%s: no class is set any more\n" : "%s: there was no class set\n",
           subject->name);
    return question.known ? EX_OK : EXIT_NEGATIVE;
}

/* --- list ----------------------------------------------------------------------------- */

struct listing {
    const struct conf *conf;
    json_t *rows; /* by subject: one may be shown twice */
    bool ended, complete;
};

static void show(const char *subject, const struct store_note *note, void *context)
{
    struct listing *listing = context;
    const char *class = store_note_value(note, CLASS_NOTE_FIELD);

    if (class != NULL)
        json_object_set_new(listing->rows, subject, json_string(class));
}

static void end(bool complete, void *context)
{
    struct listing *listing = context;

    listing->ended = true;
    listing->complete = complete;
}

static void print_rows(const struct listing *listing)
{
    struct columns columns = {.count = 2};
    const char *subject;
    json_t *class;

    columns_add(&columns, "SUBJECT");
    columns_add(&columns, "CLASS");
    json_object_foreach(listing->rows, subject, class)
    {
        const char *name = json_string_value(class);
        struct text text = TEXT_EMPTY;

        text_print(&text, "%s%s", name,
                   conf_class(listing->conf, name) == NULL ? " (there is none of that name)" : "");
        columns_add(&columns, subject);
        columns_add(&columns, text_string(&text));
        text_free(&text);
    }
    columns_print(&columns, stdout);
    columns_free(&columns);
}

static int list(const struct conf *conf, struct client *client, bool json)
{
    struct listing listing = {.conf = conf, .rows = json_object()};
    const struct store_note_list request = {.show = show, .done = end, .context = &listing};
    size_t count;

    store_note_list(client->store, CLASS_NOTE_KIND, &request);
    while (!listing.ended)
        loop_run_once(client->loop, STEP_MS);
    count = json_object_size(listing.rows);
    if (!listing.complete)
        ctl_complain("the store went away before all was read");
    if (json)
        ctl_print_json(json_pack("{s:O}", "classes", listing.rows));
    else if (count > 0)
        print_rows(&listing);
    else if (listing.complete)
        printf("no class is set in the store\n");
    json_decref(listing.rows);
    return listing.complete ? EX_OK : EX_UNAVAILABLE;
}

/* --- the verb ------------------------------------------------------------------------- */

typedef int action(const struct conf *conf, struct client *client, const struct subject *subject,
                   const char *class);

static int unknown_class(const struct conf *conf, const char *verb, const char *name)
{
    const char **names = calloc(conf->nclasses + 1, sizeof(*names));
    const char *nearest = NULL;

    for (size_t i = 0; names != NULL && i < conf->nclasses; i++)
        names[i] = conf->classes[i].name;
    if (names != NULL)
        nearest = words_nearest(name, names, conf->nclasses);
    free(names);
    if (nearest != NULL)
        return ctl_usage(verb, "the configuration has no class \"%s\"; did you mean \"%s\"?", name,
                         nearest);
    return ctl_usage(verb, "the configuration has no class \"%s\"", name);
}

/* The client is open: asks, and says what came of it. */
static int act_on(const struct conf *conf, struct client *client, char **words, action *act)
{
    struct subject subject;
    char *problem = NULL;
    int status;

    if (!subject_parse(conf, words[1], &subject, &problem))
        status = ctl_usage("class", "%s", problem);
    else if (subject.kind != SUBJECT_USER)
        status = ctl_usage("class", "only users are in classes by the store: expected a login");
    else
        status = act(conf, client, &subject, words[2]);
    subject_clear(&subject);
    free(problem);
    return status;
}

static int with_store(const struct conf *conf, char **words, action *act, bool json)
{
    struct client client;
    char *problem = NULL;
    int status = EX_UNAVAILABLE;

    if (!client_open(&client, conf, &problem))
        ctl_complain("%s", problem);
    else if (act == NULL)
        status = list(conf, &client, json);
    else
        status = act_on(conf, &client, words, act);
    client_close(&client);
    free(problem);
    return status;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    static const struct {
        const char *word;
        int arguments;
        action *act; /* NULL: list */
    } words[] = {{"set", 3, set}, {"unset", 2, unset}, {"list", 1, NULL}};
    size_t i = 0;
    bool json;
    int status = ctl_parse(argc, argv, 3, &json);

    if (status >= 0)
        return status;
    if (optind == argc)
        return ctl_usage(argv[0], "expected set, unset or list");
    while (i < COUNT_OF(words) && strcasecmp(words[i].word, argv[optind]) != 0)
        i++;
    if (i == COUNT_OF(words) || argc - optind != words[i].arguments)
        return ctl_usage(argv[0], "expected set USER CLASS, unset USER, or list");
    if (!ctl_load(ctl))
        return EX_CONFIG;
    if (words[i].act == set && conf_class(ctl->conf, argv[optind + 2]) == NULL)
        return unknown_class(ctl->conf, argv[0], argv[optind + 2]);
    return with_store(ctl->conf, argv + optind, words[i].act, json);
}

const struct verb verb_class = {
    .name = "class",
    .arguments = "set USER CLASS|unset USER|list",
    .summary = "put somebody into a class",
    .help = "  set USER CLASS  puts a login into a class of the configuration, on all hosts,\n"
            "                  without a change to their files; it goes before what the files\n"
            "                  say\n"
            "  unset USER      takes that back\n"
            "  list [--json]   shows all that are set\n"
            "\n"
            "It works within class-cache (5s), where class-lookup has store, as it has by\n"
            "default.\n"
            "\n"
            "Exit status: 0; 1 when there was no class to unset; 69 when the store does not\n"
            "answer.",
    .run = run,
};
