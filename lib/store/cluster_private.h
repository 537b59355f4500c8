/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the Cluster backend's parts share: cluster.c is the backend, cluster_split.c takes calls
 * apart and puts answers together, cluster_map.c knows who has which slot.
 */
#pragma once

#include "lib/store/backend.h"
#include "lib/store/cluster.h"
#include "lib/store/redis_private.h"
#include "lib/store/slot.h"

#define CLUSTER_NODES_MAX 1024

struct cluster;

struct cluster_node {
    struct cluster *cluster;
    struct redis *redis;
    char *host;
    int port;
    bool seed; /* named by the configuration: kept whatever the map says */
    bool up;
    bool tried; /* its first attempt has come to an end */
    size_t slots; /* how many it has */
    char *problem; /* why it is not up; NULL: not known yet */
};

/* What concerns one subject of a call. */
struct part {
    struct call_reserve reserve; /* the first: a call knows its part by it */
    struct part *behind; /* in the list of those that wait */
    struct split *split;
    struct call *call;
    size_t first; /* its first limit in the whole call */
    uint16_t slot;
    struct cluster_node *target; /* who has it while the slot moves (ASK); NULL: the map knows */
    unsigned hops;
    enum backend_result result;
    struct text extra;
};

/* A call taken apart. */
struct split {
    struct cluster *cluster;
    struct call *call; /* NULL: nobody waits for the answer */
    int64_t deadline_us;
    bool reserves;
    bool second; /* all have taken it, and are told to keep it */
    size_t count, open;
    struct part parts[];
};

struct cluster {
    struct loop *loop;
    struct backend_owner owner;
    char *user, *password, *client_name;
    int64_t timeout_ms;
    struct redis_tls *tls; /* or NULL */
    char *address;
    bool fresh; /* nobody has been reached or given up: calls wait */
    bool mapped, up, closing;
    char *problem; /* told to the owner */

    struct cluster_node *nodes[CLUSTER_NODES_MAX];
    size_t nnodes;
    struct cluster_node *slots[SLOT_COUNT];
    struct loop_timer *refresh;
    bool asking; /* for the map */
    size_t next; /* the node to be asked */

    struct part *waiting; /* for a map, or for a slot that is being moved */
    struct loop_timer *again;
};

/* cluster_split.c */
void cluster_split_call(struct cluster *cluster, struct call *call);
void cluster_redirected(struct cluster_node *node, struct call *call, const char *error);
void cluster_part_done(struct call *call, enum backend_result result);
/* Sends what waits, or ends its waiting. */
void cluster_go_on(void *cluster);

struct split *cluster_split_new(struct cluster *cluster, struct call *call, size_t count);
/* The part takes the call over. */
void cluster_set_part(struct split *split, size_t part, struct call *call, const char *subject);
void cluster_send(struct split *split);

/* cluster_notes.c: how many parts a call's notes are, and from which one on; the answers; and, when
 * the call is answered, its marks. */
size_t cluster_note_parts(const struct call *call);
bool cluster_lists(const struct call *call);
void cluster_split_notes(struct split *split, const struct call *call, size_t part);
void cluster_join_notes(struct split *split);
void cluster_make_marks(struct cluster *cluster, const struct call *call);

/* cluster_map.c */
void cluster_open_seeds(struct cluster *cluster, const struct redis_addresses *seeds);
void cluster_close_nodes(struct cluster *cluster);
/* The node there, made if need be; NULL: there are too many. */
struct cluster_node *cluster_node_at(struct cluster *cluster, const char *host, int port);
/* Asks for the map; the other is the timer's, which also drops the nodes that have left. */
void cluster_refresh(struct cluster *cluster);
void cluster_on_refresh(void *cluster);
void cluster_refresh_soon(struct cluster *cluster);

/* cluster.c: tells the owner whether all slots are served. */
void cluster_judge(struct cluster *cluster, int64_t now_ms);
