/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the Redis backend's parts share: redis.c carries calls, redis_link.c keeps the connection,
 * redis_greet.c says what a new one begins with.
 */
#pragma once

#include "lib/base/text.h"
#include "lib/store/backend.h"
#include "lib/store/redis.h"
#include "lib/store/redis_lookup.h"
#include "lib/store/script.h"

#include <hiredis/async.h>

struct redis_sentinel;

enum link_state {
    LINK_WAITING, /* for the next attempt */
    LINK_ASKING, /* a Sentinel */
    LINK_LOOKING_UP,
    LINK_CONNECTING, /* and logging in, loading the script, trying a write */
    LINK_UP,
    LINK_SILENT, /* connected, but it does not answer: frozen, or swamped */
};

struct redis {
    struct loop *loop;
    struct backend_owner owner;
    struct redis_addresses addresses;
    char *user, *password, *client_name;
    int database;
    int64_t timeout_ms;
    struct redis_tls *tls; /* or NULL */
    char tls_problem[REDIS_TLS_PROBLEM_SIZE]; /* with the connection's certificates; or "" */

    /* A Sentinel: logged in, and no more; it takes no calls. */
    bool plain;
    /* Knows where the primary is, whose address is then the only one; or NULL. */
    struct redis_sentinel *sentinel;

    /* A node of a cluster: takes a call that another node should have; else NULL. */
    void (*redirect)(void *context, struct call *call, const char *error);
    char probe[16]; /* a name in one of the node's slots; "": it has none */

    enum link_state state;
    bool fresh; /* the first attempt has not come to an end: calls wait for it */
    bool pinned; /* the address has been Redis': no other one is tried */
    bool loading; /* the script is being loaded */
    bool probing;
    redisAsyncContext *connection;
    struct redis_lookup *lookup;
    size_t address; /* the one in use */
    unsigned attempts; /* that failed, one after the other */
    struct loop_timer *retry; /* of WAITING; of CONNECTING: too slow; of SILENT: a new connection */
    char sha[SCRIPT_SHA_SIZE];
    char *server;
    char *problem; /* told to the owner; NULL when up */

    struct call *oldest, *youngest; /* open calls, in the order of their deadlines */
    struct loop_timer *deadline;
    bool deadline_set;
    int64_t answered_us; /* when Redis answered last */
    unsigned late; /* time-outs since an answer came in time */
    struct text command; /* reused */
};

/* redis.c: a connection of its own, and the end of it. */
struct redis *redis_new(struct loop *loop, const struct redis_settings *settings,
                        const struct backend_owner *owner);
void redis_free(struct redis *redis);

/* redis_link.c */
void redis_link_start(struct redis *redis);
void redis_link_stop(struct redis *redis);
/* Gives the connection up and tries again later; takes the problem over. */
void redis_link_fail(struct redis *redis, char *problem);
/* Redis does not answer: it counts as away until it does. */
void redis_link_silent(struct redis *redis);
/* An answer that nobody waits for any more shows that Redis is alive. */
void redis_link_alive(struct redis *redis);
/* hiredis says that this connection has ended, and frees it. */
void redis_link_lost(struct redis *redis, const redisAsyncContext *connection);
/* The connection is of use; now_ms is Redis' time. */
void redis_link_up(struct redis *redis, int64_t now_ms);

/* Tries again now, if it waits for its next attempt. */
void redis_link_hurry(struct redis *redis);
/* Sentinel says where the primary is; or why nobody knows (taken over). */
void redis_link_found(struct redis *redis, const char *host, int port);
void redis_link_not_found(struct redis *redis, char *problem);

/* redis_greet.c: on success it ends with redis_link_up(), otherwise with redis_link_fail(). */
void redis_greet(struct redis *redis);
/* Has the script loaded (again); what is sent afterwards finds it. */
void redis_load_script(struct redis *redis);

/* redis.c: takes a call; one with a deadline keeps it. */
void redis_submit(struct redis *redis, struct call *call);

/* redis.c: sends the calls that wait for a connection; and tells their owner that it failed. */
void redis_send_waiting(struct redis *redis);
void redis_give_up(struct redis *redis);
