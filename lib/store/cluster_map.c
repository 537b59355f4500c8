/* SPDX-License-Identifier: BSD-2-Clause */
/* Who has which slot, and a connection to each of them. */
#include "lib/store/cluster_private.h"

#include "lib/base/mem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define REFRESH_MS                                                                                 \
    10000 /* while all is well: a new primary is told by MOVED, one that left is not */
#define REFRESH_SOON_MS 100
#define ANSWER_MS 500
#define PROBES_MAX 300000 /* names that are tried for one in a node's slots */
#define PORT_MAX 65535
#define HOST_MAX 255 /* octets: RFC 1035, section 2.3.4 */

static void on_done(void *context, struct call *call, enum backend_result result)
{
    (void)context;
    cluster_part_done(call, result);
}

static void on_up(void *context, int64_t now_ms)
{
    struct cluster_node *node = context;

    node->up = node->tried = true;
    if (!node->cluster->mapped || !node->cluster->up)
        cluster_refresh(node->cluster);
    cluster_judge(node->cluster, now_ms);
}

static void on_down(void *context, const char *problem)
{
    struct cluster_node *node = context;

    node->up = false;
    node->tried = true;
    free(node->problem);
    node->problem = mem_copy(problem);
    cluster_judge(node->cluster, 0);
}

static void on_redirect(void *context, struct call *call, const char *error)
{
    cluster_redirected(context, call, error);
}

static struct cluster_node *find(const struct cluster *cluster, const char *host, int port)
{
    for (size_t i = 0; i < cluster->nnodes; i++)
        if (cluster->nodes[i]->port == port && strcmp(cluster->nodes[i]->host, host) == 0)
            return cluster->nodes[i];
    return NULL;
}

struct cluster_node *cluster_node_at(struct cluster *cluster, const char *host, int port)
{
    struct cluster_node *node = find(cluster, host, port);
    struct backend_owner owner = {NULL, on_done, on_up, on_down};
    struct redis_settings settings = {
        .user = cluster->user,
        .password = cluster->password,
        .client_name = cluster->client_name,
        .timeout_ms = cluster->timeout_ms,
        .tls = cluster->tls,
    };

    if (node != NULL || cluster->nnodes == CLUSTER_NODES_MAX)
        return node;
    node = mem_new(1, sizeof(*node));
    node->cluster = cluster;
    node->host = mem_copy(host);
    node->port = port;
    owner.context = node;
    settings.addresses = redis_addresses_of(host, port, cluster->tls != NULL);
    node->redis = redis_new(cluster->loop, &settings, &owner);
    node->redis->redirect = on_redirect;
    cluster->nodes[cluster->nnodes++] = node;
    return node;
}

void cluster_open_seeds(struct cluster *cluster, const struct redis_addresses *seeds)
{
    for (size_t i = 0; i < seeds->count; i++) {
        struct cluster_node *node =
            cluster_node_at(cluster, seeds->items[i].host, seeds->items[i].port);

        if (node != NULL)
            node->seed = true;
    }
}

static void free_node(struct cluster_node *node)
{
    redis_free(node->redis);
    free(node->host);
    free(node->problem);
    free(node);
}

void cluster_close_nodes(struct cluster *cluster)
{
    for (size_t i = 0; i < cluster->nnodes; i++)
        free_node(cluster->nodes[i]);
    cluster->nnodes = 0;
}

/* Nodes that lost their slots, when nothing is under way to them.  Not out of their own callbacks.
 */
static void drop_leavers(struct cluster *cluster)
{
    size_t left = 0;

    for (size_t i = 0; i < cluster->nnodes; i++) {
        struct cluster_node *node = cluster->nodes[i];

        if (node->slots == 0 && !node->seed && cluster->waiting == NULL &&
            node->redis->oldest == NULL)
            free_node(node);
        else
            cluster->nodes[left++] = node;
    }
    cluster->nnodes = left;
}

/* A connection is of use when a write is taken on it, and a node takes one in its own slots only.
 */
static void choose_probe(const struct cluster *cluster, struct cluster_node *node)
{
    char *probe = node->redis->probe;

    if (*probe != '\0' && cluster->slots[slot_of(probe, strlen(probe))] == node)
        return;
    for (unsigned i = 0; i < PROBES_MAX && node->slots > 0; i++) {
        (void)snprintf(probe, sizeof(node->redis->probe), "probe%u", i);
        if (cluster->slots[slot_of(probe, strlen(probe))] == node)
            return;
    }
    *probe = '\0';
}

static void take_range(struct cluster *cluster, const redisReply *range, const char *asked)
{
    const redisReply *primary;
    struct cluster_node *node;
    const char *host = asked;

    if (range->type != REDIS_REPLY_ARRAY || range->elements < 3 ||
        range->element[0]->type != REDIS_REPLY_INTEGER ||
        range->element[1]->type != REDIS_REPLY_INTEGER || range->element[0]->integer < 0 ||
        range->element[1]->integer >= SLOT_COUNT)
        return;
    primary = range->element[2];
    if (primary->type != REDIS_REPLY_ARRAY || primary->elements < 2 ||
        primary->element[1]->type != REDIS_REPLY_INTEGER || primary->element[1]->integer < 1 ||
        primary->element[1]->integer > PORT_MAX)
        return;
    /* A node that does not know its own address leaves it out. */
    if (primary->element[0]->type == REDIS_REPLY_STRING && primary->element[0]->len > 0 &&
        primary->element[0]->len <= HOST_MAX && *primary->element[0]->str != '?')
        host = primary->element[0]->str;
    node = cluster_node_at(cluster, host, (int)primary->element[1]->integer);
    for (long long i = range->element[0]->integer; i <= range->element[1]->integer; i++)
        cluster->slots[i] = node;
}

static void take_map(struct cluster *cluster, const redisReply *map, const char *asked)
{
    char *host = mem_copy(asked);

    memset(cluster->slots, 0, sizeof(cluster->slots));
    for (size_t i = 0; i < map->elements; i++)
        take_range(cluster, map->element[i], host);
    free(host);
    for (size_t i = 0; i < cluster->nnodes; i++)
        cluster->nodes[i]->slots = 0;
    for (size_t i = 0; i < SLOT_COUNT; i++)
        if (cluster->slots[i] != NULL)
            cluster->slots[i]->slots++;
    for (size_t i = 0; i < cluster->nnodes; i++)
        choose_probe(cluster, cluster->nodes[i]);
    cluster->mapped = map->elements > 0;
}

static const struct cluster_node *node_of(const struct cluster *cluster,
                                          const redisAsyncContext *connection)
{
    for (size_t i = 0; i < cluster->nnodes; i++)
        if (cluster->nodes[i]->redis->connection == connection)
            return cluster->nodes[i];
    return NULL;
}

static void on_map(redisAsyncContext *connection, void *answer, void *context)
{
    struct cluster *cluster = context;
    const redisReply *reply = answer;
    const struct cluster_node *node;

    /* Without an answer the connection is going, and its node may be gone. */
    if (reply == NULL || cluster->closing)
        return; /* the next one is asked when the time is over */
    node = node_of(cluster, connection);
    if (node == NULL)
        return;
    cluster->asking = false;
    if (reply->type == REDIS_REPLY_ARRAY)
        take_map(cluster, reply, node->host);
    loop_timer_start(cluster->refresh, cluster->up ? REFRESH_MS : REFRESH_SOON_MS);
    cluster_judge(cluster, 0);
}

void cluster_refresh_soon(struct cluster *cluster)
{
    if (!cluster->asking)
        loop_timer_start(cluster->refresh, REFRESH_SOON_MS);
}

void cluster_refresh(struct cluster *cluster)
{
    cluster->asking = false;
    for (size_t i = 0; i < cluster->nnodes; i++) {
        const struct cluster_node *node = cluster->nodes[cluster->next++ % cluster->nnodes];

        if (!node->up || node->redis->state != LINK_UP)
            continue;
        cluster->asking = redisAsyncCommand(node->redis->connection, on_map, cluster,
                                            "CLUSTER SLOTS") == REDIS_OK;
        break;
    }
    loop_timer_start(cluster->refresh, cluster->asking ? ANSWER_MS : REFRESH_SOON_MS);
}

void cluster_on_refresh(void *context)
{
    drop_leavers(context);
    cluster_refresh(context);
}
