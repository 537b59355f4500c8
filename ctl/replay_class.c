/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/replay_class.h"

#include "ctl/ctl.h"

#include "lib/base/mem.h"
#include "lib/decide/class_lookup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STEP_MS 100

static bool asks_store(const struct conf *conf)
{
    for (size_t i = 0; i < conf->nclass_lookups; i++)
        if (conf->class_lookups[i].table == NULL)
            return true;
    return false;
}

/* Without the store an empty one answers in its place: those of table servers are found still. */
static bool open_nothing(struct client *client, const struct conf *conf, char **problem_r)
{
    const struct store_settings settings = {
        .url = "memory:", .client_name = "sluicectl", .timeout_ms = conf->store_timeout_ms};

    client_close(client);
    client->loop = loop_new();
    if (client->loop == NULL)
        *problem_r = mem_print("cannot make an event loop: %s", strerror(errno));
    else
        client->store = store_open(client->loop, &settings, problem_r);
    return client->store != NULL;
}

static bool open_store(struct client *client, const struct conf *conf, char **problem_r)
{
    char *problem = NULL;

    if (asks_store(conf) && strcmp(conf->store, "memory:") != 0) {
        if (client_open(client, conf, &problem))
            return true;
        ctl_complain("who is in a class by sluicectl class is not known: %s", problem);
        free(problem);
    }
    return open_nothing(client, conf, problem_r);
}

bool replay_classes_start(struct replay_classes *classes, const struct conf *conf, char **problem_r)
{
    const struct log_settings troubles = {.program = "sluicectl", .destination = "stderr"};

    if (conf->nclasses == 0 || conf->nclass_lookups == 0)
        return true;
    classes->services.log = log_open(&troubles, problem_r);
    if (classes->services.log == NULL || !open_store(&classes->client, conf, problem_r))
        return false;
    classes->services.loop = classes->client.loop;
    classes->services.store = classes->client.store;
    classes->lookup = class_lookup_new(classes->client.loop);
    return true;
}

void replay_classes_end(struct replay_classes *classes)
{
    class_lookup_stop(classes->lookup);
    if (classes->client.store != NULL)
        store_close(&classes->client.store);
    class_lookup_free(&classes->lookup);
    client_close(&classes->client);
    if (classes->services.log != NULL)
        log_close(&classes->services.log);
}

/* A search that goes on. */
struct search {
    struct message *message;
    bool done;
};

static void on_found(const char *class, void *context)
{
    struct search *search = context;

    free(search->message->facts.class);
    search->message->facts.class = mem_copy(class);
    search->done = true;
}

void replay_classes_find(struct replay_classes *classes, const struct conf *conf,
                         struct message *message)
{
    struct search search = {.message = message};

    if (classes->lookup == NULL)
        return;
    class_lookup_find(classes->lookup, &classes->services, conf, message, on_found, &search);
    while (!search.done)
        loop_run_once(classes->client.loop, STEP_MS);
}
