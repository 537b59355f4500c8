/* SPDX-License-Identifier: BSD-2-Clause */
/* sluice-policyd as lib/daemon runs it: sockets, connections and transactions put together. */
#include "policy/server.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/daemon/socket.h"
#include "lib/decide/report.h"
#include "policy/connections.h"
#include "policy/judge.h"
#include "policy/listener.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

#define DESCRIPTORS_SPARE 256 /* listeners, log, store, resolver */
#define STORE_SOCKET_MODE 0600 /* the daemons run as one user */
#define OVERLOAD_PERIOD_US (60 * INT64_C(1000000))

struct server {
    struct daemon *daemon;
    struct listeners *listeners;
    struct connections *connections;
    struct judge judge;
    char *store; /* where the local one is served; NULL: nowhere */
    int store_socket;
    int64_t overload_said_us;
    uint64_t refused; /* connections, since it was said */
    uint64_t pauses;
};

/* --- too many ------------------------------------------------------------------------- */

/* Said once a minute, with what happened since. */
static void say_overload(struct server *server, const char *problem, const char *hint)
{
    const int64_t now_us = clock_now_us(server->daemon->services.steady);
    char connections[24], refused[24], pauses[24];

    if (server->overload_said_us != 0 && now_us - server->overload_said_us < OVERLOAD_PERIOD_US)
        return;
    snprintf(connections, sizeof(connections), "%zu", connections_count(server->connections));
    snprintf(refused, sizeof(refused), "%" PRIu64, server->refused);
    snprintf(pauses, sizeof(pauses), "%" PRIu64, server->pauses);
    report_own_cause(&server->daemon->services, "self.overload", hint, "problem", problem,
                     "connections", connections, "refused", refused, "pauses", pauses, NULL);
    server->overload_said_us = now_us;
    server->refused = server->pauses = 0;
}

static void on_accepted(int fd, void *context)
{
    struct server *server = context;

    if (connections_add(server->connections, fd))
        return;
    server->refused++;
    say_overload(server, "there are too many connections",
                 "raise policy-max-connections above Postfix' number of smtpd processes");
}

static void on_short(const char *problem, void *context)
{
    struct server *server = context;

    server->pauses++;
    say_overload(server, problem, "raise the process's limit of open files (LimitNOFILE=)");
}

/* Every connection is a descriptor, and the usual limit of 1,024 is soon reached.  Only root may
 * raise the hard limit; others take all there is. */
static void raise_descriptors(const struct conf *conf)
{
    const rlim_t wanted = (rlim_t)conf->policy_max_connections + DESCRIPTORS_SPARE;
    struct rlimit limit;
    rlim_t hard;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= wanted)
        return;
    hard = limit.rlim_max;
    limit.rlim_cur = wanted;
    limit.rlim_max = hard > wanted ? hard : wanted;
    if (setrlimit(RLIMIT_NOFILE, &limit) == 0)
        return;
    limit.rlim_cur = limit.rlim_max = hard;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
}

/* --- the daemon's steps --------------------------------------------------------------- */

static struct connections_settings settings_of(const struct conf *conf)
{
    return (struct connections_settings){
        .max = (size_t)conf->policy_max_connections,
        .max_request = (size_t)conf->policy_max_request,
        .idle_timeout_ms = conf->policy_idle_timeout_ms,
    };
}

/* The local store is this program's, and the others find it at its socket. */
static bool bind_store(struct server *server, const struct conf *conf, char **problem_r)
{
    const struct socket_access access = {
        .mode = STORE_SOCKET_MODE, .group = "", .owner = conf->user};
    struct services *services = &server->daemon->services;
    struct conf_listen where = {.is_unix = true};

    server->store_socket = -1;
    services->serves_store = true;
    if (strncmp(conf->store, "local:", strlen("local:")) != 0)
        return true;
    server->store = mem_copy(conf->store);
    where.path = server->store + strlen("local:");
    server->store_socket = socket_listen(&where, &access, problem_r);
    services->served_store = server->store;
    services->store_socket = server->store_socket;
    return server->store_socket >= 0;
}

static bool server_bind(struct daemon *daemon, const struct conf *conf, char **problem_r)
{
    struct server *server = mem_new(1, sizeof(*server));

    daemon->state = server;
    server->daemon = daemon;
    if (!bind_store(server, conf, problem_r))
        return false;
    raise_descriptors(conf);
    server->listeners = listeners_open(conf, problem_r);
    return server->listeners != NULL;
}

static bool server_serve(struct daemon *daemon, char **problem_r)
{
    struct server *server = daemon->state;
    static const struct transactions_limits transactions = {
        .max = TRANSACTIONS_MAX,
        .max_left = TRANSACTIONS_LEFT_MAX,
        .max_ended = TRANSACTIONS_ENDED_MAX,
        .max_recipients = TRANSACTION_RECIPIENTS_ALL_MAX,
        .idle_us = TRANSACTION_IDLE_SEC * INT64_C(1000000),
    };
    struct conf *conf = conf_slot_get(daemon->conf);
    const struct connections_settings settings = settings_of(conf);

    (void)problem_r;
    server->judge = (struct judge){
        .services = &daemon->services,
        .conf = daemon->conf,
        .transactions = transactions_new(&transactions),
    };
    server->connections = connections_new(&server->judge, &settings);
    listeners_serve(server->listeners, daemon->services.loop, daemon->services.log, on_accepted,
                    on_short, server);
    conf_release(&conf);
    return true;
}

static void server_reloaded(struct daemon *daemon, const struct conf *conf)
{
    struct server *server = daemon->state;
    const struct connections_settings settings = settings_of(conf);

    raise_descriptors(conf);
    connections_set(server->connections, &settings);
    if (server->listeners != NULL)
        listeners_reload(server->listeners, conf);
}

static void on_drained(void *context)
{
    struct server *server = context;

    daemon_drained(server->daemon);
}

static void server_drain(struct daemon *daemon)
{
    struct server *server = daemon->state;

    listeners_close(&server->listeners);
    connections_drain(server->connections, on_drained, server);
}

static void on_released(void *context)
{
    struct server *server = context;

    transactions_free(&server->judge.transactions);
    free(server->store);
    free(server);
}

/* Requests that are still being judged are answered when the services close, after this. */
static void server_stop(struct daemon *daemon)
{
    struct server *server = daemon->state;

    daemon->state = NULL;
    if (server == NULL)
        return;
    listeners_close(&server->listeners);
    if (server->connections != NULL)
        connections_free(&server->connections, on_released, server);
    else
        on_released(server);
}

const struct daemon_program server_program = {
    .name = "sluice-policyd",
    .summary = "Postfix policy service that counts and checks mail",
    .bind = server_bind,
    .serve = server_serve,
    .reloaded = server_reloaded,
    .drain = server_drain,
    .stop = server_stop,
};
