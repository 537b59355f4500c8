/* SPDX-License-Identifier: BSD-2-Clause */
/* The Redis backend's connection: made, logged in, watched, and made again. */
#include "lib/store/redis_private.h"

#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/store/redis_events.h"
#include "lib/store/redis_sentinel.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#define RETRY_FIRST_MS 50
#define RETRY_MAX_MS 2000
#define CONNECT_MIN_MS 1000 /* for connecting and logging in, at least */
#define SILENT_MAX_MS 10000 /* then the connection is not worth waiting for */
#define KEEPALIVE_SEC 15
#define TCP_LOST_MS 10000 /* of octets that nobody acknowledges */

static void start_attempt(struct redis *redis);

static const struct redis_address *current_address(const struct redis *redis)
{
    return &redis->addresses.items[redis->address];
}

static void say_down(struct redis *redis, char *problem)
{
    bool news = redis->problem == NULL || strcmp(redis->problem, problem) != 0;

    free(redis->problem);
    redis->problem = problem;
    if (news)
        redis->owner.down(redis->owner.context, problem);
}

/* Twice as long each time, and not the same for all daemons, which lost Redis at the same moment.
 */
static int64_t retry_ms(const struct redis *redis)
{
    unsigned doublings = redis->attempts < 6 ? redis->attempts : 6;
    int64_t delay = (int64_t)RETRY_FIRST_MS << doublings;
    struct {
        int64_t now_us;
        unsigned attempts;
        unsigned nothing;
    } seed = {clock_now_us(&clock_steady), redis->attempts, 0};

    if (delay > RETRY_MAX_MS)
        delay = RETRY_MAX_MS;
    return delay - (int64_t)(hash_table(&seed, sizeof(seed)) % (uint64_t)(delay / 2));
}

static void drop_connection(struct redis *redis)
{
    redisAsyncContext *connection = redis->connection;

    redis_lookup_free(&redis->lookup);
    /* Forgotten first: hiredis calls back for all that was under way. */
    redis->connection = NULL;
    redis->probing = false;
    redis->loading = false;
    if (connection != NULL)
        redisAsyncFree(connection);
}

void redis_link_fail(struct redis *redis, char *problem)
{
    bool all_tried;

    redis->state = LINK_WAITING;
    if (!redis->pinned)
        redis->address = (redis->address + 1) % redis->addresses.count;
    all_tried = redis->pinned || redis->address == 0;
    if (all_tried || !redis->fresh) {
        redis->fresh = false;
        say_down(redis, problem);
        problem = NULL;
    }
    free(problem);
    drop_connection(redis);
    if (!redis->fresh)
        redis_give_up(redis);
    loop_timer_start(redis->retry, all_tried ? retry_ms(redis) : 0);
    redis->attempts += all_tried;
}

void redis_link_lost(struct redis *redis, const redisAsyncContext *connection)
{
    const char *reason = *redis->tls_problem != '\0' ? redis->tls_problem : connection->c.errstr;
    const char *what = redis->state == LINK_CONNECTING ? "cannot connect to" : "lost";

    if (redis->connection != connection)
        return;
    if (*reason == '\0')
        reason = "closed by Redis";
    redis->connection = NULL;
    redis_link_fail(redis, mem_print("%s %s: %s", what, current_address(redis)->text, reason));
}

void redis_link_silent(struct redis *redis)
{
    bool was_up = redis->state == LINK_UP;

    redis->fresh = false;
    say_down(redis, mem_print(was_up ? "%s gives no answer within %lld ms: stopped, swamped, or "
                                       "out of reach"
                                     : "%s takes no connection within %lld ms",
                              current_address(redis)->text, (long long)redis->timeout_ms));
    if (was_up) {
        redis->state = LINK_SILENT;
        loop_timer_start(redis->retry, SILENT_MAX_MS);
    }
    redis_give_up(redis);
}

void redis_link_up(struct redis *redis, int64_t now_ms)
{
    loop_timer_stop(redis->retry);
    redis->state = LINK_UP;
    redis->fresh = false;
    redis->pinned = !redis->plain;
    redis->attempts = 0;
    redis->late = 0;
    *redis->tls_problem = '\0';
    free(redis->problem);
    redis->problem = NULL;
    redis->owner.up(redis->owner.context, now_ms);
    redis_send_waiting(redis);
}

void redis_link_alive(struct redis *redis)
{
    if (redis->state != LINK_SILENT || redis->probing || redis->connection == NULL)
        return;
    redis->probing = true;
    redis_load_script(redis);
}

static void set_socket(redisAsyncContext *connection, bool tcp)
{
    static const int yes = 1;
    static const int keepalive_sec = KEEPALIVE_SEC;
    static const int lost_ms = TCP_LOST_MS;
    int fd = connection->c.fd;

    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (!tcp)
        return;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof(yes));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &keepalive_sec, sizeof(keepalive_sec));
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &lost_ms, sizeof(lost_ms));
}

static void on_connect(const redisAsyncContext *connection, int status)
{
    struct redis *redis = connection->data;

    if (redis->connection != connection)
        return;
    if (status != REDIS_OK)
        redis_link_lost(redis, connection);
    else if (redis->tls == NULL ||
             redis_tls_begin(redis->tls, redis->connection, current_address(redis)->host,
                             redis->tls_problem))
        redis_greet(redis);
    else
        redis_link_fail(redis, mem_print("cannot connect to %s: %s", current_address(redis)->text,
                                         redis->tls_problem));
}

static void on_disconnect(const redisAsyncContext *connection, int status)
{
    (void)status;
    redis_link_lost(connection->data, connection);
}

static void connect_to(struct redis *redis, const char *host)
{
    const struct redis_address *address = current_address(redis);
    redisAsyncContext *connection = address->path != NULL ? redisAsyncConnectUnix(address->path)
                                                          : redisAsyncConnect(host, address->port);

    if (connection == NULL || connection->err != 0) {
        char *problem = mem_print("cannot connect to %s: %s", address->text,
                                  connection != NULL ? connection->errstr : strerror(ENOMEM));

        if (connection != NULL)
            redisAsyncFree(connection);
        redis_link_fail(redis, problem);
        return;
    }
    redis->connection = connection;
    *redis->tls_problem = '\0';
    connection->data = redis;
    set_socket(connection, address->path == NULL);
    if (!redis_events_attach(connection, redis->loop) ||
        redisAsyncSetConnectCallback(connection, on_connect) != REDIS_OK ||
        redisAsyncSetDisconnectCallback(connection, on_disconnect) != REDIS_OK)
        redis_link_fail(redis, mem_copy("no descriptor for the connection"));
}

static void on_looked_up(void *context, const char (*addresses)[IP_TEXT_MAX], size_t count,
                         const char *problem)
{
    struct redis *redis = context;
    char host[IP_TEXT_MAX];

    if (count == 0) {
        redis_link_fail(redis,
                        mem_print("cannot look up %s: %s", current_address(redis)->host, problem));
        return;
    }
    /* A name with several addresses: another one at each attempt. */
    memcpy(host, addresses[redis->attempts % count], sizeof(host));
    redis_lookup_free(&redis->lookup);
    redis->state = LINK_CONNECTING;
    connect_to(redis, host);
}

static void go_to_address(struct redis *redis)
{
    const struct redis_address *address = current_address(redis);
    struct ip_address literal;

    redis->state = LINK_CONNECTING;
    if (address->path != NULL || ip_parse(address->host, &literal)) {
        connect_to(redis, address->host);
        return;
    }
    redis->state = LINK_LOOKING_UP;
    redis->lookup = redis_lookup_new(redis->loop, address->host, on_looked_up, redis);
    if (redis->lookup == NULL)
        redis_link_fail(redis, mem_copy("no thread or descriptor to look up its name"));
}

static void start_attempt(struct redis *redis)
{
    int64_t patience_ms = 2 * redis->timeout_ms;

    loop_timer_start(redis->retry, patience_ms > CONNECT_MIN_MS ? patience_ms : CONNECT_MIN_MS);
    if (redis->sentinel == NULL) {
        go_to_address(redis);
        return;
    }
    redis->state = LINK_ASKING;
    redis_sentinel_ask(redis->sentinel);
}

void redis_link_hurry(struct redis *redis)
{
    if (redis->state == LINK_WAITING)
        loop_timer_start(redis->retry, 0);
}

static void move(struct redis *redis, const char *host, int port)
{
    redis_addresses_free(&redis->addresses);
    redis->addresses = redis_addresses_of(host, port, redis->tls != NULL);
}

void redis_link_found(struct redis *redis, const char *host, int port)
{
    const struct redis_address *current = current_address(redis);
    bool moved = strcmp(current->host, host) != 0 || current->port != port;

    if (redis->state == LINK_ASKING) {
        move(redis, host, port);
        go_to_address(redis);
    } else if (moved) {
        if (redis->state != LINK_WAITING)
            redis_link_fail(redis, mem_print("%s is no longer the primary: Sentinel names %s:%d",
                                             current->text, host, port));
        move(redis, host, port);
        redis->attempts = 0;
        redis_link_hurry(redis);
    }
}

void redis_link_not_found(struct redis *redis, char *problem)
{
    if (redis->state == LINK_ASKING)
        redis_link_fail(redis, problem);
    else
        free(problem);
}

static void on_retry(void *context)
{
    struct redis *redis = context;

    switch (redis->state) {
    case LINK_WAITING:
        start_attempt(redis);
        break;
    case LINK_ASKING:
        redis_link_fail(redis, mem_copy("no Sentinel says in time where the primary is"));
        break;
    case LINK_LOOKING_UP:
        redis_link_fail(redis,
                        mem_print("looking up %s takes too long", current_address(redis)->host));
        break;
    case LINK_CONNECTING:
        redis_link_fail(redis, mem_print("%s does not answer", current_address(redis)->text));
        break;
    case LINK_SILENT:
        redis_link_fail(redis, mem_print("%s has not answered for %d s",
                                         current_address(redis)->text, SILENT_MAX_MS / 1000));
        break;
    case LINK_UP:
        break;
    }
}

void redis_link_start(struct redis *redis)
{
    redis->state = LINK_WAITING;
    redis->retry = loop_timer_new(redis->loop, on_retry, redis);
    /* Not before the owner knows its backend. */
    loop_timer_start(redis->retry, 0);
}

void redis_link_stop(struct redis *redis)
{
    redis->state = LINK_WAITING;
    redis->fresh = false;
    drop_connection(redis);
    loop_timer_free(&redis->retry);
}
