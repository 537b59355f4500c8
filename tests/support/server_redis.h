/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A private Redis for tests: in a folder of its own, on a unix socket and a free port of 127.0.0.1.
 *
 * SLUICE_REDIS_SERVER names another program (Valkey, an older Redis) that takes the same options.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct server_redis {
    char *program;
    char *folder;
    char *socket;
    uint16_t port;
    pid_t pid; /* 0: not running */
    const char *const *options;
};

/* Says on standard error when there is none. */
bool server_redis_is_installed(void);

/* Starts one and waits until it takes commands.  options end with NULL and are borrowed:
 * "--appendonly", "yes", ...  NULL: none.  The test fails when it does not start. */
void server_redis_start(struct server_redis *server, const char *const *options);
/* Ends it and removes its folder. */
void server_redis_stop(struct server_redis *server);

/* kill -9, and the start of another one with the same folder, socket and port. */
void server_redis_kill(struct server_redis *server);
void server_redis_restart(struct server_redis *server);
/* SIGSTOP and SIGCONT. */
void server_redis_freeze(struct server_redis *server);
void server_redis_thaw(struct server_redis *server);

/* A command by redisCommand()'s format; its answer as text ("" for nil), an array's elements one
 * per line.  The caller frees it; NULL: no connection. */
char *server_redis_ask(const struct server_redis *server, const char *format, ...);

/* The octets of a hash's field; -1: there is none. */
int server_redis_field(const struct server_redis *server, const char *key, const char *field,
                       uint8_t *bytes_r, size_t room);
