/* SPDX-License-Identifier: BSD-2-Clause */
/* What is said on a new connection to Redis: login, database, the script, and whether a write is
 * taken. */
#include "lib/store/redis_private.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/store/redis_trouble.h"

#include <stdlib.h>
#include <string.h>

#define SERVER_TEXT_MAX 64

static void on_probed(redisAsyncContext *connection, void *answer, void *context)
{
    struct redis *redis = connection->data;
    const redisReply *reply = answer;
    struct call *probe = context;

    if (redis->connection != connection)
        goto done;
    redis->probing = false;
    if (reply == NULL) {
        redis_link_lost(redis, connection);
    } else if (reply->type == REDIS_REPLY_STRING &&
               script_answer(probe, reply->str, (size_t)reply->len)) {
        redis_link_up(redis, probe->now_ms);
    } else if (reply->type == REDIS_REPLY_ERROR && redis->redirect != NULL &&
               redis_trouble_is_redirect(reply->str)) {
        redis_link_up(redis, 0); /* alive, and that slot is another node's by now */
    } else if (reply->type == REDIS_REPLY_ERROR && redis_trouble_is_no_script(reply->str)) {
        /* Forgotten in between; how often this can happen is bounded by time. */
        redis->probing = true;
        redis_load_script(redis);
    } else {
        redis_link_fail(redis, reply->type == REDIS_REPLY_ERROR
                                   ? redis_trouble(reply->str)
                                   : mem_copy("Redis does not run the counting script"));
    }
done:
    call_release(probe);
}

static const struct subject_hiding no_hiding = {0};

/* A connection is of use when Redis takes a write on it: a replica, or one that is full, does not.
 */
static void send_probe(struct redis *redis)
{
    static const struct call_reserve plain = {.mode = CALL_PLAIN, .extra = ""};
    struct call *probe;

    if (redis->redirect == NULL) {
        probe = call_new_named(CALL_PROBE, "", NULL, 0);
    } else {
        probe = call_new_bare(&no_hiding, CALL_PROBE, redis->probe);
        probe->reserve = &plain;
    }
    text_clear(&redis->command);
    script_command(probe, redis->sha, &redis->command);
    redis->probing = true;
    if (redisAsyncFormattedCommand(redis->connection, on_probed, probe, redis->command.bytes,
                                   redis->command.length) != REDIS_OK)
        call_release(probe);
}

/* An answer of OK is taken for granted, an error ends the attempt. */
static void on_greeted(redisAsyncContext *connection, void *answer, void *context)
{
    struct redis *redis = connection->data;
    const redisReply *reply = answer;

    (void)context;
    if (redis->connection != connection)
        return;
    if (reply == NULL)
        redis_link_lost(redis, connection);
    else if (reply->type == REDIS_REPLY_ERROR && !redis->plain)
        redis_link_fail(redis, redis_trouble(reply->str));
}

/* A Sentinel that wants no password says that it wants none; one that does says so later. */
static void on_plain(redisAsyncContext *connection, void *answer, void *context)
{
    struct redis *redis = connection->data;

    (void)context;
    if (redis->connection != connection)
        return;
    if (answer == NULL)
        redis_link_lost(redis, connection);
    else
        redis_link_up(redis, 0);
}

/* "redis_version:7.0.15\r\n" becomes "redis 7.0.15"; Valkey has a line of its own as well. */
static void on_server(redisAsyncContext *connection, void *answer, void *context)
{
    static const char *const names[][2] = {{"valkey_version:", "valkey"},
                                           {"redis_version:", "redis"},
                                           {"sluice_version:", "sluice-policyd"}};
    struct redis *redis = connection->data;
    const redisReply *reply = answer;

    (void)context;
    if (redis->connection != connection || reply == NULL || reply->type != REDIS_REPLY_STRING)
        return;
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        const char *found = strstr(reply->str, names[i][0]);

        if (found == NULL)
            continue;
        found += strlen(names[i][0]);
        free(redis->server);
        redis->server = mem_print("%s %.*s", names[i][1],
                                  (int)strnlen(found, strcspn(found, "\r\n") < SERVER_TEXT_MAX
                                                          ? strcspn(found, "\r\n")
                                                          : SERVER_TEXT_MAX),
                                  found);
        return;
    }
}

static void on_loaded(redisAsyncContext *connection, void *answer, void *context)
{
    struct redis *redis = connection->data;
    const redisReply *reply = answer;

    if (redis->connection != connection)
        return;
    redis->loading = false;
    on_greeted(connection, answer, context);
    if (reply == NULL || redis->connection != connection || reply->type == REDIS_REPLY_ERROR)
        return;
    if (reply->type != REDIS_REPLY_STRING || reply->len != SCRIPT_SHA_SIZE - 1) {
        redis_link_fail(redis, mem_copy("Redis does not load the counting script"));
        return;
    }
    memcpy(redis->sha, reply->str, SCRIPT_SHA_SIZE);
    if (redis->state != LINK_CONNECTING && !redis->probing)
        return;
    if (redis->redirect != NULL && *redis->probe == '\0')
        redis_link_up(redis, 0); /* a node without slots: it can be asked for the map */
    else
        send_probe(redis);
}

void redis_load_script(struct redis *redis)
{
    char *source;

    if (redis->loading)
        return;
    redis->loading = true;
    source = redis->redirect != NULL ? script_cluster_source() : mem_copy(script_source());
    (void)redisAsyncCommand(redis->connection, on_loaded, NULL, "SCRIPT LOAD %s", source);
    free(source);
}

void redis_greet(struct redis *redis)
{
    redisAsyncContext *connection = redis->connection;
    bool user = redis->user != NULL && *redis->user != '\0';

    if (redis->password != NULL && *redis->password != '\0' && user)
        (void)redisAsyncCommand(connection, on_greeted, NULL, "AUTH %s %s", redis->user,
                                redis->password);
    else if (redis->password != NULL && *redis->password != '\0')
        (void)redisAsyncCommand(connection, on_greeted, NULL, "AUTH %s", redis->password);
    if (redis->plain) {
        (void)redisAsyncCommand(connection, on_plain, NULL, "PING");
        return;
    }
    if (redis->database != 0)
        (void)redisAsyncCommand(connection, on_greeted, NULL, "SELECT %d", redis->database);
    /* These two are a courtesy: an ACL may forbid them. */
    if (redis->client_name != NULL && *redis->client_name != '\0')
        (void)redisAsyncCommand(connection, NULL, NULL, "CLIENT SETNAME %s", redis->client_name);
    (void)redisAsyncCommand(connection, on_server, NULL, "INFO server");
    redis_load_script(redis);
}
