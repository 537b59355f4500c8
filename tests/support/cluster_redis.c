/* SPDX-License-Identifier: BSD-2-Clause */
/* A private Redis Cluster for tests. */
#include "tests/support/cluster_redis.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/support/process.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS 16384
#define START_MS 60000

static const char *const options[] = {
    "--cluster-enabled", "yes", "--cluster-node-timeout", "2000", NULL,
};

static void ask(const struct server_redis *node, const char *command)
{
    char *answer = server_redis_ask(node, command);

    if (answer == NULL || strcmp(answer, "OK") != 0) {
        fprintf(stderr, "%s: %s\n", command, answer != NULL ? answer : "no answer");
        abort();
    }
    free(answer);
}

static bool is_whole(void *context)
{
    const struct cluster_redis *cluster = context;
    char known[32];
    bool whole = true;

    (void)snprintf(known, sizeof(known), "cluster_known_nodes:%zu", cluster->count);
    for (size_t i = 0; i < cluster->count && whole; i++) {
        char *info = server_redis_ask(&cluster->nodes[i], "CLUSTER INFO");

        whole =
            info != NULL && strstr(info, "cluster_state:ok") != NULL && strstr(info, known) != NULL;
        free(info);
    }
    return whole;
}

/* The range by numbers: the command that takes a range came with Redis 7. */
static void give_slots(const struct server_redis *node, size_t from, size_t to)
{
    struct text command = TEXT_EMPTY;

    text_add_string(&command, "CLUSTER ADDSLOTS");
    for (size_t i = from; i < to; i++)
        text_print(&command, " %zu", i);
    ask(node, command.bytes);
    text_free(&command);
}

void cluster_redis_start(struct cluster_redis *cluster, size_t count)
{
    char command[128];

    memset(cluster, 0, sizeof(*cluster));
    cluster->count = count;
    for (size_t i = 0; i < count; i++)
        server_redis_start(&cluster->nodes[i], options);
    for (size_t i = 0; i < count; i++) {
        give_slots(&cluster->nodes[i], SLOTS * i / count, SLOTS * (i + 1) / count);
        (void)snprintf(command, sizeof(command), "CLUSTER MEET 127.0.0.1 %u",
                       cluster->nodes[i].port);
        ask(&cluster->nodes[0], command);
    }
    if (!process_poll(is_whole, cluster, START_MS)) {
        fprintf(stderr, "the cluster does not come together\n");
        abort();
    }
    cluster->url = mem_print("cluster://127.0.0.1:%u,127.0.0.1:%u", cluster->nodes[0].port,
                             cluster->nodes[1 % count].port);
}

void cluster_redis_stop(struct cluster_redis *cluster)
{
    for (size_t i = 0; i < cluster->count; i++)
        server_redis_stop(&cluster->nodes[i]);
    free(cluster->url);
}
