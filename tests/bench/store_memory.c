/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/bench/store_memory.h"

#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/store/call.h"
#include "lib/store/script.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

#define SAMPLE 1000
#define DAYS 3
#define DAY_SEC 86400

static const struct subject_hiding plain;

long long store_memory_used(const struct server_redis *server)
{
    char *info = server_redis_ask(server, "INFO memory");
    const char *found = info != NULL ? strstr(info, "used_memory:") : NULL;
    long long octets = found != NULL ? strtoll(found + strlen("used_memory:"), NULL, 10) : 0;

    free(info);
    return octets;
}

/* All that stands under one hash tag: use, flag and seen (contracts: Keys). */
static long long octets_of(redisContext *connection, size_t user)
{
    static const char *const kinds[] = {"use", "flag", "seen"};
    long long octets = 0;

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        char *key = mem_print("sluice:{user:user%zu@example.com}:%s", user, kinds[i]);
        redisReply *reply = redisCommand(connection, "MEMORY USAGE %s SAMPLES 0", key);

        free(key);
        if (reply == NULL || reply->type == REDIS_REPLY_ERROR)
            bench_die("MEMORY USAGE");
        octets += reply->type == REDIS_REPLY_INTEGER ? reply->integer : 0;
        freeReplyObject(reply);
    }
    return octets;
}

static int by_number(const void *a, const void *b)
{
    long long left = *(const long long *)a;
    long long right = *(const long long *)b;

    return (left > right) - (left < right);
}

void store_memory_measure(const struct server_redis *server, size_t users, long long before,
                          struct store_memory *memory_r)
{
    redisContext *connection = redisConnectUnix(server->socket);
    size_t count = users < SAMPLE ? users : SAMPLE;
    long long octets[SAMPLE];

    if (connection == NULL || connection->err != 0 || count == 0)
        bench_die("redis");
    memory_r->mean = (store_memory_used(server) - before) / (long long)users;
    for (size_t i = 0; i < count; i++)
        octets[i] = octets_of(connection, i * (users / count));
    qsort(octets, count, sizeof(octets[0]), by_number);
    memory_r->median = octets[count / 2];
    memory_r->most = octets[count - 1];
    redisFree(connection);
}

static void send_user(redisContext *connection, const char *sha, const struct store_load *load,
                      size_t user, int a_day, struct text *command)
{
    int charges = DAYS * a_day;
    int64_t step_sec = (int64_t)DAYS * DAY_SEC / charges;
    int64_t at_us = clock_now_us(&clock_wall) - INT64_C(1000000) * DAYS * DAY_SEC;
    struct store_load_request made;
    redisReply *reply = NULL;

    store_load_request(load, user, 0, &made);
    made.request.identity = ""; /* a record lives for an hour: of these there would be none */
    for (int i = 0; i < charges; i++) {
        struct call *call;

        at_us += rand() % (2 * step_sec) * INT64_C(1000000);
        made.request.at_us = at_us;
        call = call_new(&plain, CALL_CHARGE, &made.request);
        text_clear(command);
        script_command(call, sha, command);
        call_release(call);
        (void)redisAppendFormattedCommand(connection, command->bytes, command->length);
    }
    for (int i = 0; i < charges; i++) {
        if (redisGetReply(connection, (void **)&reply) != REDIS_OK)
            bench_die("redis");
        if (reply->type == REDIS_REPLY_ERROR)
            bench_die(reply->str);
        freeReplyObject(reply);
    }
}

void store_memory_fill(const struct server_redis *server, const struct store_load *load, int a_day)
{
    redisContext *connection = redisConnectUnix(server->socket);
    struct text command = TEXT_EMPTY;
    char *sha = server_redis_ask(server, "SCRIPT LOAD %s", script_source());

    if (connection == NULL || connection->err != 0 || sha == NULL)
        bench_die("redis");
    srand(1);
    for (size_t user = 0; user < load->users; user++)
        send_user(connection, sha, load, user, a_day, &command);
    text_free(&command);
    free(sha);
    redisFree(connection);
}
