/* SPDX-License-Identifier: BSD-2-Clause */
/* The Redis Cluster backend. */
#include "lib/store/cluster.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/store/cluster_private.h"

#include <stdlib.h>
#include <string.h>

static size_t count_unserved(const struct cluster *cluster)
{
    size_t count = 0;

    for (size_t i = 0; i < SLOT_COUNT; i++)
        count += cluster->slots[i] == NULL;
    return count;
}

/* NULL: nothing is wrong. */
static char *find_problem(const struct cluster *cluster)
{
    size_t unserved = count_unserved(cluster);

    for (size_t i = 0; i < cluster->nnodes; i++) {
        const struct cluster_node *node = cluster->nodes[i];

        if (!node->up && (node->slots > 0 || !cluster->mapped))
            return mem_copy(node->problem != NULL ? node->problem
                                                  : "a node of the cluster is not reached yet");
    }
    if (!cluster->mapped)
        return mem_copy("no node of the cluster says in time who has which slot");
    if (unserved > 0)
        return mem_print(
            "%zu of the cluster's %d slots are nobody's: see redis-cli --cluster check", unserved,
            SLOT_COUNT);
    return NULL;
}

/* Whether all that matters has been tried; who was reached says first who that is. */
static bool is_settled(const struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->nnodes; i++)
        if (cluster->nodes[i]->up && !cluster->mapped)
            return false;
    for (size_t i = 0; i < cluster->nnodes; i++)
        if (!cluster->nodes[i]->tried && (cluster->nodes[i]->slots > 0 || !cluster->mapped))
            return false;
    return true;
}

void cluster_judge(struct cluster *cluster, int64_t now_ms)
{
    char *problem;

    if (cluster->closing || (cluster->fresh && !is_settled(cluster)))
        return;
    problem = find_problem(cluster);
    cluster->fresh = false;
    if (problem == NULL) {
        if (!cluster->up) {
            cluster->up = true;
            free(cluster->problem);
            cluster->problem = NULL;
            cluster->owner.up(cluster->owner.context, now_ms);
        }
    } else if (cluster->problem == NULL || strcmp(cluster->problem, problem) != 0) {
        cluster->up = false;
        free(cluster->problem);
        cluster->problem = problem;
        problem = NULL;
        cluster->owner.down(cluster->owner.context, cluster->problem);
    }
    free(problem);
    if (!cluster->up)
        cluster_refresh_soon(cluster);
    cluster_go_on(cluster);
}

static void cluster_submit(void *backend, struct call *call)
{
    cluster_split_call(backend, call);
}

static void cluster_free(void *backend)
{
    struct cluster *cluster = backend;

    cluster->closing = true;
    cluster_close_nodes(cluster);
    cluster_go_on(cluster);
    loop_timer_free(&cluster->refresh);
    loop_timer_free(&cluster->again);
    if (cluster->password != NULL)
        explicit_bzero(cluster->password, strlen(cluster->password));
    redis_tls_release(&cluster->tls);
    free(cluster->user);
    free(cluster->password);
    free(cluster->client_name);
    free(cluster->address);
    free(cluster->problem);
    free(cluster);
}

static const char *cluster_address(const void *backend)
{
    const struct cluster *cluster = backend;

    return cluster->address;
}

static const char *cluster_server(const void *backend)
{
    const struct cluster *cluster = backend;

    for (size_t i = 0; i < cluster->nnodes; i++)
        if (cluster->nodes[i]->redis->server != NULL)
            return cluster->nodes[i]->redis->server;
    return "";
}

static const struct backend_kind cluster_kind = {
    .submit = cluster_submit,
    .free = cluster_free,
    .address = cluster_address,
    .server = cluster_server,
};

static char *name_of(const struct redis_addresses *seeds)
{
    struct text text = TEXT_EMPTY;

    text_add_string(&text, "cluster://");
    for (size_t i = 0; i < seeds->count; i++)
        text_print(&text, "%s%s", i > 0 ? "," : "",
                   seeds->items[i].text + strlen(redis_addresses_scheme(seeds)));
    return text_take(&text);
}

struct backend backend_cluster(struct loop *loop, const struct redis_settings *settings,
                               const struct backend_owner *owner)
{
    struct cluster *cluster = mem_new(1, sizeof(*cluster));
    struct redis_addresses seeds = settings->addresses;

    cluster->loop = loop;
    cluster->owner = *owner;
    cluster->user = mem_copy(settings->user);
    cluster->password = mem_copy(settings->password);
    cluster->client_name = mem_copy(settings->client_name);
    cluster->timeout_ms = settings->timeout_ms;
    cluster->tls = redis_tls_hold(settings->tls);
    cluster->fresh = true;
    cluster->address = name_of(&seeds);
    cluster->refresh = loop_timer_new(loop, cluster_on_refresh, cluster);
    cluster->again = loop_timer_new(loop, cluster_go_on, cluster);
    cluster_open_seeds(cluster, &seeds);
    redis_addresses_free(&seeds);
    return (struct backend){&cluster_kind, cluster};
}
