/* SPDX-License-Identifier: BSD-2-Clause */
/* A private Redis for tests. */
#include "tests/support/server_redis.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/support/process.h"

#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPTIONS_MAX 48
#define START_MS 60000

static char *find_program(void)
{
    const char *chosen = getenv("SLUICE_REDIS_SERVER");
    char *program;

    if (chosen != NULL && *chosen != '\0')
        return mem_copy(chosen);
    program = process_find("redis-server");
    return program != NULL ? program : process_find("valkey-server");
}

bool server_redis_is_installed(void)
{
    char *program = find_program();
    bool installed = program != NULL;

    if (!installed)
        fprintf(stderr, "redis-server is missing: apt-get install redis-server\n");
    free(program);
    return installed;
}

static bool answers(void *context)
{
    const struct server_redis *server = context;
    char *answer = server_redis_ask(server, "PING");
    bool ready = answer != NULL && strncmp(answer, "LOADING", strlen("LOADING")) != 0;

    free(answer);
    return ready;
}

void server_redis_restart(struct server_redis *server)
{
    const char *argv[OPTIONS_MAX + 16];
    size_t count = 0;
    char port[8];
    char *output = mem_print("%s/output", server->folder);

    (void)snprintf(port, sizeof(port), "%u", server->port);
    argv[count++] = server->program;
    argv[count++] = "--unixsocket";
    argv[count++] = server->socket;
    argv[count++] = "--port";
    argv[count++] = port;
    argv[count++] = "--bind";
    argv[count++] = "127.0.0.1";
    argv[count++] = "--dir";
    argv[count++] = server->folder;
    argv[count++] = "--save";
    argv[count++] = "";
    for (size_t i = 0; server->options != NULL && server->options[i] != NULL; i++) {
        if (i >= OPTIONS_MAX)
            abort();
        argv[count++] = server->options[i];
    }
    argv[count] = NULL;
    /* What a killed one left behind must not look like the new one. */
    (void)unlink(server->socket);
    server->pid = process_start(argv, output);
    if (!process_poll(answers, server, START_MS)) {
        fprintf(stderr, "redis-server does not start, see %s\n", output);
        abort();
    }
    free(output);
}

void server_redis_start(struct server_redis *server, const char *const *options)
{
    memset(server, 0, sizeof(*server));
    server->program = find_program();
    server->folder = process_folder();
    server->socket = mem_print("%s/redis.sock", server->folder);
    server->port = process_free_port();
    server->options = options;
    server_redis_restart(server);
}

void server_redis_stop(struct server_redis *server)
{
    if (server->pid > 0) {
        server_redis_thaw(server);
        process_kill(server->pid, SIGKILL);
    }
    process_folder_remove(&server->folder);
    free(server->program);
    free(server->socket);
    memset(server, 0, sizeof(*server));
}

void server_redis_kill(struct server_redis *server)
{
    process_kill(server->pid, SIGKILL);
    server->pid = 0;
}

void server_redis_freeze(struct server_redis *server)
{
    (void)kill(server->pid, SIGSTOP);
}

void server_redis_thaw(struct server_redis *server)
{
    (void)kill(server->pid, SIGCONT);
}

static void add_reply(struct text *text, const redisReply *reply)
{
    switch (reply->type) {
    case REDIS_REPLY_INTEGER:
        text_print(text, "%lld", reply->integer);
        break;
    case REDIS_REPLY_ARRAY:
        for (size_t i = 0; i < reply->elements; i++) {
            add_reply(text, reply->element[i]);
            text_add_char(text, '\n');
        }
        break;
    case REDIS_REPLY_NIL:
        break;
    default:
        text_add(text, reply->str, (size_t)reply->len);
    }
}

char *server_redis_ask(const struct server_redis *server, const char *format, ...)
{
    struct timeval patience = {.tv_sec = 10};
    redisContext *connection = redisConnectUnixWithTimeout(server->socket, patience);
    struct text text = TEXT_EMPTY;
    redisReply *reply = NULL;
    va_list arguments;
    char *answer = NULL;

    if (connection != NULL && connection->err == 0) {
        (void)redisSetTimeout(connection, patience);
        va_start(arguments, format);
        reply = redisvCommand(connection, format, arguments);
        va_end(arguments);
    }
    if (reply != NULL) {
        add_reply(&text, reply);
        freeReplyObject(reply);
        answer = text.length > 0 ? text_take(&text) : mem_copy("");
    }
    if (connection != NULL)
        redisFree(connection);
    return answer;
}

int server_redis_field(const struct server_redis *server, const char *key, const char *field,
                       uint8_t *bytes_r, size_t room)
{
    redisContext *connection = redisConnectUnix(server->socket);
    redisReply *reply = NULL;
    int length = -1;

    if (connection != NULL && connection->err == 0)
        reply = redisCommand(connection, "HGET %s %s", key, field);
    if (reply != NULL && reply->type == REDIS_REPLY_STRING && (size_t)reply->len <= room) {
        memcpy(bytes_r, reply->str, (size_t)reply->len);
        length = (int)reply->len;
    }
    if (reply != NULL)
        freeReplyObject(reply);
    if (connection != NULL)
        redisFree(connection);
    return length;
}
