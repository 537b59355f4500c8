/* SPDX-License-Identifier: BSD-2-Clause */
/* The Redis backend's calls: sent, answered, timed out. */
#include "lib/store/redis.h"

#include "lib/base/mem.h"
#include "lib/store/redis_private.h"
#include "lib/store/redis_sentinel.h"
#include "lib/store/redis_trouble.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

#define LATE_MAX 8 /* calls in a row that were answered too late: then nobody waits any more */

static void on_answer(redisAsyncContext *connection, void *answer, void *context);

static int64_t steady_us(void)
{
    return clock_now_us(&clock_steady);
}

/* Most have the same time and go behind the others; a call that was redirected has less left. */
static void open_call(struct redis *redis, struct call *call)
{
    struct call *before = redis->youngest;

    while (before != NULL && before->deadline_us > call->deadline_us)
        before = before->before;
    call->before = before;
    call->behind = before != NULL ? before->behind : redis->oldest;
    if (call->behind != NULL)
        call->behind->before = call;
    else
        redis->youngest = call;
    if (before != NULL) {
        before->behind = call;
    } else {
        redis->oldest = call;
        redis->deadline_set = false;
    }
}

static void close_call(struct redis *redis, struct call *call)
{
    if (call->before != NULL)
        call->before->behind = call->behind;
    else
        redis->oldest = call->behind;
    if (call->behind != NULL)
        call->behind->before = call->before;
    else
        redis->youngest = call->before;
}

static void finish(struct redis *redis, struct call *call, enum backend_result result)
{
    close_call(redis, call);
    redis->owner.done(redis->owner.context, call, result);
}

/* The answer may still come: hiredis keeps the call until then. */
static void give_up(struct redis *redis, struct call *call)
{
    call->given_up = true;
    finish(redis, call, call->sent_us != 0 ? BACKEND_UNCERTAIN : BACKEND_UNSENT);
}

static bool send_call(struct redis *redis, struct call *call)
{
    if (call->reserve != NULL && call->reserve->asking)
        (void)redisAsyncCommand(redis->connection, NULL, NULL, "ASKING");
    text_clear(&redis->command);
    script_command(call, redis->sha, &redis->command);
    if (redisAsyncFormattedCommand(redis->connection, on_answer, call, redis->command.bytes,
                                   redis->command.length) != REDIS_OK)
        return false;
    call_hold(call);
    call->sent_us = steady_us();
    return true;
}

/* The script was forgotten, so this call was not carried out: it is sent again, behind the script.
 * Its time-out puts an end to that. */
static bool send_again(struct redis *redis, struct call *call)
{
    if (redis->connection == NULL)
        return false;
    redis_load_script(redis);
    return send_call(redis, call);
}

static void take_error(struct redis *redis, struct call *call, const char *error)
{
    if (redis_trouble_is_no_script(error) && send_again(redis, call))
        return;
    if (redis->redirect != NULL && redis_trouble_is_redirect(error)) {
        close_call(redis, call);
        redis->redirect(redis->owner.context, call, error);
        return;
    }
    if (redis_trouble_is_general(error)) {
        /* This one was answered: what is given up with the connection are the others. */
        close_call(redis, call);
        redis_link_fail(redis, redis_trouble(error));
        redis->owner.done(redis->owner.context, call, BACKEND_UNSENT);
        return;
    }
    finish(redis, call, BACKEND_FAILED);
}

static void take_answer(struct redis *redis, struct call *call, const redisReply *reply)
{
    bool understood = false;

    redis->late = 0;
    switch (reply->type) {
    case REDIS_REPLY_ERROR:
        take_error(redis, call, reply->str);
        return;
    case REDIS_REPLY_STRING:
        understood =
            call->operation != CALL_RESET && script_answer(call, reply->str, (size_t)reply->len);
        break;
    case REDIS_REPLY_INTEGER:
        understood = call->operation == CALL_RESET;
        call->known = reply->integer > 0;
        break;
    default:
        break;
    }
    finish(redis, call, understood ? BACKEND_ANSWERED : BACKEND_FAILED);
}

static void on_answer(redisAsyncContext *connection, void *answer, void *context)
{
    struct redis *redis = connection->data;
    struct call *call = context;

    if (answer == NULL)
        redis_link_lost(redis, connection);
    else
        redis->answered_us = steady_us();
    if (call->given_up)
        redis_link_alive(redis);
    else if (answer == NULL)
        give_up(redis, call);
    else
        take_answer(redis, call, answer);
    call_release(call);
}

static void set_deadline(struct redis *redis)
{
    int64_t left_us;

    if (redis->deadline_set || redis->oldest == NULL)
        return;
    left_us = redis->oldest->deadline_us - steady_us();
    loop_timer_start(redis->deadline, left_us > 0 ? (left_us + 999) / 1000 : 0);
    redis->deadline_set = true;
}

/* One timer for all: it is not moved when a call is answered, but looks at what is open when it
 * rings. */
static void on_deadline(void *context)
{
    struct redis *redis = context;
    int64_t now_us = steady_us();

    redis->deadline_set = false;
    while (redis->oldest != NULL && redis->oldest->deadline_us <= now_us) {
        struct call *call = redis->oldest;
        bool silent =
            call->sent_us == 0 || redis->answered_us < call->sent_us || ++redis->late >= LATE_MAX;

        if (silent && (redis->state == LINK_UP || redis->fresh))
            redis_link_silent(redis);
        else
            give_up(redis, call);
    }
    set_deadline(redis);
}

void redis_send_waiting(struct redis *redis)
{
    struct call *call = redis->oldest;

    while (call != NULL) {
        struct call *behind = call->behind;

        if (call->sent_us == 0 && !send_call(redis, call))
            give_up(redis, call);
        call = behind;
    }
}

void redis_give_up(struct redis *redis)
{
    while (redis->oldest != NULL)
        give_up(redis, redis->oldest);
}

void redis_submit(struct redis *redis, struct call *call)
{
    if (call->deadline_us == 0)
        call->deadline_us = steady_us() + redis->timeout_ms * 1000;
    open_call(redis, call);
    if (redis->state == LINK_UP ? !send_call(redis, call) : !redis->fresh)
        give_up(redis, call);
    else
        set_deadline(redis);
}

void redis_free(struct redis *redis)
{
    redis_sentinel_free(&redis->sentinel);
    redis_link_stop(redis);
    redis_give_up(redis);
    loop_timer_free(&redis->deadline);
    redis_addresses_free(&redis->addresses);
    redis_tls_release(&redis->tls);
    if (redis->password != NULL)
        explicit_bzero(redis->password, strlen(redis->password));
    text_free(&redis->command);
    free(redis->user);
    free(redis->password);
    free(redis->client_name);
    free(redis->server);
    free(redis->problem);
    free(redis);
}

static void redis_submit_backend(void *backend, struct call *call)
{
    redis_submit(backend, call);
}

static void redis_free_backend(void *backend)
{
    redis_free(backend);
}

static const char *redis_address(const void *backend)
{
    const struct redis *redis = backend;

    return redis->addresses.items[redis->address].text;
}

static const char *redis_server(const void *backend)
{
    const struct redis *redis = backend;

    return redis->server != NULL ? redis->server : "";
}

static const struct backend_kind redis_kind = {
    .submit = redis_submit_backend,
    .free = redis_free_backend,
    .address = redis_address,
    .server = redis_server,
};

static void ignore_sigpipe(void)
{
    struct sigaction action;

    if (sigaction(SIGPIPE, NULL, &action) == 0 && action.sa_handler == SIG_DFL)
        (void)signal(SIGPIPE, SIG_IGN);
}

struct redis *redis_new(struct loop *loop, const struct redis_settings *settings,
                        const struct backend_owner *owner)
{
    struct redis *redis = mem_new(1, sizeof(*redis));

    redis->loop = loop;
    redis->owner = *owner;
    redis->addresses = settings->addresses;
    redis->user = mem_copy(settings->user);
    redis->password = mem_copy(settings->password);
    redis->client_name = mem_copy(settings->client_name);
    redis->database =
        redis->addresses.database >= 0 ? redis->addresses.database : settings->database;
    redis->timeout_ms = settings->timeout_ms;
    redis->tls = redis_tls_hold(settings->tls);
    redis->fresh = true;
    /* hiredis writes to sockets that the other side has closed. */
    ignore_sigpipe();
    redis->deadline = loop_timer_new(loop, on_deadline, redis);
    redis_link_start(redis);
    return redis;
}

struct backend backend_redis(struct loop *loop, const struct redis_settings *settings,
                             const struct backend_owner *owner)
{
    struct redis_settings mine = *settings;
    struct redis *redis;

    if (settings->addresses.kind != REDIS_SENTINEL)
        return (struct backend){&redis_kind, redis_new(loop, settings, owner)};
    /* Until a Sentinel has said where it is, its name stands for the address. */
    mine.addresses = redis_addresses_of(settings->addresses.master, 0, settings->tls != NULL);
    mine.addresses.database = settings->addresses.database;
    free(mine.addresses.items[0].text);
    mine.addresses.items[0].text = mem_print("sentinel://?master=%s", settings->addresses.master);
    redis = redis_new(loop, &mine, owner);
    redis->sentinel = redis_sentinel_new(redis, settings);
    return (struct backend){&redis_kind, redis};
}
