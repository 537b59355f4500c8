/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * charge.lua against the memory's counters: the same calls must have the same answers, and leave
 * the same octets.
 */
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/store/memory.h"
#include "lib/store/script.h"
#include "lib/store/window.h"
#include "tests/support/server_redis.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>
#include <hiredis/hiredis.h>

#define CALLS 20000
#define SUBJECTS 4
#define MESSAGES 12
#define LIMITS_MAX 6
#define MEMBERS_MAX 8
#define LEAP_MS 100000000

static const struct subject_hiding plain;
static const int64_t windows[] = {1, 60, 61, 3600, 86400};

struct twin {
    struct server_redis server;
    redisContext *connection;
    char sha[SCRIPT_SHA_SIZE];
    struct memory *memory;
    uint64_t random;
    int epoch; /* of identities: after a great leap of the clock none is used again, for the memory
                * forgets records by the calls' clock and Redis by its own */
};

static uint64_t draw(struct twin *twin, uint64_t below)
{
    twin->random ^= twin->random << 13;
    twin->random ^= twin->random >> 7;
    twin->random ^= twin->random << 17;
    return twin->random % below;
}

/* SLUICE_SEED repeats a run. */
static uint64_t seed(void)
{
    const char *given = getenv("SLUICE_SEED");
    uint64_t value = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);

    fprintf(stderr, "SLUICE_SEED=%llu\n", (unsigned long long)value);
    return value * UINT64_C(0x9e3779b97f4a7c15) | 1;
}

static bool run_script(struct twin *twin, struct call *call)
{
    struct text command = TEXT_EMPTY;
    redisReply *reply = NULL;
    bool good;

    script_command(call, twin->sha, &command);
    assert_int_equal(redisAppendFormattedCommand(twin->connection, command.bytes, command.length),
                     REDIS_OK);
    assert_int_equal(redisGetReply(twin->connection, (void **)&reply), REDIS_OK);
    if (reply->type == REDIS_REPLY_ERROR)
        fail_msg("%s", reply->str);
    good = script_answer(call, reply->str, (size_t)reply->len);
    freeReplyObject(reply);
    text_free(&command);
    return good;
}

/* A call that is as odd as they come, at a time near the one before. */
static struct call *draw_call(struct twin *twin, int64_t at_ms)
{
    static const enum call_operation operations[] = {CALL_LOOK,   CALL_CHARGE, CALL_CHARGE,
                                                     CALL_CHARGE, CALL_CHARGE, CALL_GIVE_BACK};
    static const int64_t amounts[] = {0, 1, 1, 1, 2, 300, 70000, INT64_C(20000000)};
    char subjects[SUBJECTS][16];
    char identity[32] = "";
    uint64_t members[MEMBERS_MAX];
    size_t nmembers = draw(twin, MEMBERS_MAX);
    struct store_limit limits[LIMITS_MAX];
    struct store_request request = {.identity = identity,
                                    .fingerprint = 1 + draw(twin, 8) / 7,
                                    .limits = limits,
                                    .nlimits = draw(twin, LIMITS_MAX + 1),
                                    .at_us = at_ms * 1000};
    struct call *call;

    for (size_t i = 0; i < MEMBERS_MAX; i++)
        members[i] = draw(twin, 60) * UINT64_C(0x9e3779b97f4a7c15);
    if (draw(twin, 4) > 0)
        (void)snprintf(identity, sizeof(identity), "h%d/%d", twin->epoch,
                       (int)draw(twin, MESSAGES));
    for (int i = 0; i < SUBJECTS; i++)
        (void)snprintf(subjects[i], sizeof(subjects[i]), "s:%d", i);
    for (size_t i = 0; i < request.nlimits; i++)
        limits[i] = (struct store_limit){
            .subject = subjects[draw(twin, SUBJECTS)],
            .count = "mrd"[draw(twin, 3)],
            .window_sec = windows[draw(twin, COUNT_OF(windows))],
            .amount = amounts[draw(twin, COUNT_OF(amounts))],
            .max = draw(twin, 3) > 0 ? 1 << 30 : (int64_t)draw(twin, 100000),
            .near = draw(twin, 3) > 0 ? 0 : (int64_t)draw(twin, 200000),
            .enforce = draw(twin, 3) > 0,
        };
    for (size_t i = 0; i < request.nlimits; i++) {
        if (limits[i].count != STORE_DISTINCT)
            continue;
        limits[i].members = members;
        limits[i].nmembers = nmembers; /* of one message: the same for all */
        limits[i].amount = (int64_t)nmembers;
        limits[i].max = draw(twin, 3) > 0 ? 1 << 30 : (int64_t)draw(twin, 50);
        limits[i].near = draw(twin, 3) > 0 ? 0 : (int64_t)draw(twin, 50);
    }
    call = call_new(&plain, operations[draw(twin, 6)], &request);
    /* What is left after a give-back that is not whole. */
    for (size_t i = 0; i < call->nlimits; i++)
        if (call->operation == CALL_GIVE_BACK && draw(twin, 4) == 0)
            call->limits[i].amount = (int64_t)draw(twin, 300);
    for (size_t i = 1; i < call->nlimits; i++)
        if (call->limits[i].same_field)
            call->limits[i].amount = call->limits[i - 1].amount;
    return call;
}

static int64_t draw_time(struct twin *twin, int64_t at_ms)
{
    switch (draw(twin, 12)) {
    case 0:
        return at_ms + (int64_t)draw(twin, 100000);
    case 1:
        return at_ms - (int64_t)draw(twin, 70000);
    case 2:
    case 3:
        if (draw(twin, 40) > 0)
            return at_ms;
        twin->epoch++;
        return draw(twin, 2) == 0 ? at_ms + LEAP_MS : at_ms - LEAP_MS;
    case 4:
    case 5:
        return at_ms + (int64_t)draw(twin, 2000);
    default:
        return at_ms + (int64_t)draw(twin, 30);
    }
}

static void compare_answers(const struct call *lua, const struct call *c, size_t round)
{
    bool same = lua->refused == c->refused && lua->known == c->known;

    for (size_t i = 0; i < lua->nlimits; i++) {
        const struct store_limit_answer *a = &lua->answers[i];
        const struct store_limit_answer *b = &c->answers[i];

        if (same && a->used == b->used && a->retry_after_us == b->retry_after_us &&
            a->over == b->over && a->near == b->near)
            continue;
        fail_msg("call %zu (operation %d), limit %zu: Lua refused %d known %d used %lld retry %lld "
                 "over %d near %d, C refused %d known %d used %lld retry %lld over %d near %d",
                 round, lua->operation, i, lua->refused, lua->known, (long long)a->used,
                 (long long)a->retry_after_us, a->over, a->near, c->refused, c->known,
                 (long long)b->used, (long long)b->retry_after_us, b->over, b->near);
    }
    if (!same)
        fail_msg("call %zu: refused %d %d known %d %d", round, lua->refused, c->refused, lua->known,
                 c->known);
}

static void compare_windows(struct twin *twin, const struct call *call, size_t round)
{
    uint8_t lua[WINDOW_PACKED_MAX];
    uint8_t c[WINDOW_PACKED_MAX];

    for (size_t i = 0; i < call->nlimits; i++) {
        const struct call_limit *limit = &call->limits[i];
        char *key = mem_print("sluice:{%s}:use", limit->subject);
        int length = server_redis_field(&twin->server, key, limit->field, lua, sizeof(lua));
        size_t want = memory_window(twin->memory, limit->subject, limit->field, c);

        free(key);
        /* The registers of a sketch come in any order. */
        if (call_is_distinct(limit) || (length < 0 && want == 0) ||
            (length >= 0 && (size_t)length == want && memcmp(lua, c, want) == 0))
            continue;
        fail_msg("call %zu (operation %d): %s %s differs, %d and %zu octets", round,
                 call->operation, limit->subject, limit->field, length, want);
    }
}

static struct call *copy_of(const struct call *call)
{
    struct call *copy = call_new_named(call->operation, call->message, call->limits, call->nlimits);

    for (size_t i = 0; i < call->nlimits; i++)
        copy->limits[i].index = call->limits[i].index;
    copy->fingerprint = call->fingerprint;
    copy->at_ms = call->at_ms;
    return copy;
}

static int start_twin(void **state)
{
    static struct twin twin;
    redisReply *reply;

    if (!server_redis_is_installed())
        return 0;
    server_redis_start(&twin.server, NULL);
    twin.connection = redisConnectUnix(twin.server.socket);
    reply = redisCommand(twin.connection, "SCRIPT LOAD %s", script_source());
    if (reply == NULL || reply->type != REDIS_REPLY_STRING) {
        fprintf(stderr, "%s\n", reply != NULL ? reply->str : "no answer");
        return -1;
    }
    memcpy(twin.sha, reply->str, SCRIPT_SHA_SIZE);
    freeReplyObject(reply);
    twin.random = seed();
    *state = &twin;
    return 0;
}

static int stop_twin(void **state)
{
    struct twin *twin = *state;

    if (twin == NULL)
        return 0;
    redisFree(twin->connection);
    server_redis_stop(&twin->server);
    return 0;
}

static void forget_all(struct twin *twin)
{
    redisReply *reply = redisCommand(twin->connection, "FLUSHALL");

    freeReplyObject(reply);
    memory_free(&twin->memory);
    twin->memory = memory_new(1000, 1000, 1 << 20);
}

/* With a charge that counts for long, the memory does not forget a subject when the clock leaps. */
static void keep_subjects(struct twin *twin, int64_t at_ms)
{
    struct store_limit limits[SUBJECTS];
    struct store_request request = {.identity = "",
                                    .fingerprint = 1,
                                    .limits = limits,
                                    .nlimits = SUBJECTS,
                                    .at_us = at_ms * 1000};
    char subjects[SUBJECTS][16];
    struct call *call;

    for (int i = 0; i < SUBJECTS; i++) {
        (void)snprintf(subjects[i], sizeof(subjects[i]), "s:%d", i);
        limits[i] = (struct store_limit){subjects[i], 'k', 100 * 86400, 1, 9, 0, true, NULL, 0};
    }
    call = call_new(&plain, CALL_CHARGE, &request);
    assert_true(run_script(twin, call));
    memory_run(twin->memory, call, 0);
    call_release(call);
}

static void test_same_answers(void **state)
{
    struct twin *twin = *state;
    int64_t at_ms = INT64_C(1800000000000);

    if (twin == NULL)
        skip();
    for (size_t round = 0; round < CALLS; round++) {
        struct call *lua;
        struct call *c;

        /* The memory forgets by the calls' clock and Redis by its own: not for too long at a time.
         */
        if (round % 500 == 0) {
            forget_all(twin);
            keep_subjects(twin, at_ms);
        }
        at_ms = draw_time(twin, at_ms);
        lua = draw_call(twin, at_ms);
        c = copy_of(lua);
        assert_true(run_script(twin, lua));
        memory_run(twin->memory, c, 0);
        compare_answers(lua, c, round);
        if (round % 16 == 0)
            compare_windows(twin, lua, round);
        call_release(lua);
        call_release(c);
    }
    memory_free(&twin->memory);
}

/* Charges from before now, as the journal brings them. */
static void test_same_replays(void **state)
{
    struct twin *twin = *state;
    int64_t now_ms;

    if (twin == NULL)
        skip();
    forget_all(twin);
    for (size_t round = 0; round < CALLS / 4; round++) {
        struct call *lua = draw_call(twin, 1);
        struct call *c;

        for (size_t i = 0; i < lua->nlimits; i++) {
            lua->limits[i].enforce = false;
            lua->limits[i].near = 0;
            lua->limits[i].max = WINDOW_COUNT_MAX;
        }
        now_ms = clock_now_us(&clock_wall) / 1000;
        lua->at_ms = now_ms - (int64_t)draw(twin, 90000);
        lua->operation = lua->operation == CALL_GIVE_BACK ? CALL_RETURN : CALL_REPLAY;
        if (draw(twin, 8) == 0) {
            lua->operation = CALL_GIVE_BACK;
            lua->at_ms = 0;
        }
        c = copy_of(lua);
        assert_true(run_script(twin, lua));
        memory_run(twin->memory, c, lua->now_ms);
        compare_answers(lua, c, round);
        if (round % 16 == 0)
            compare_windows(twin, lua, round);
        call_release(lua);
        call_release(c);
    }
    memory_free(&twin->memory);
}

/* A message with many additions has a long record. */
static void test_long_records(void **state)
{
    struct twin *twin = *state;
    struct store_limit limit = {"s:long", 'r', 1, 0, 1 << 30, 0, true, NULL, 0};
    struct store_request request = {.identity = "h/long",
                                    .fingerprint = 1,
                                    .limits = &limit,
                                    .nlimits = 1,
                                    .at_us = INT64_C(1800000000000000)};

    if (twin == NULL)
        skip();
    forget_all(twin);
    for (size_t round = 0; round < 1000; round++) {
        struct call *lua;
        struct call *c;

        request.at_us += 20000;
        limit.amount += 1 + (int64_t)draw(twin, 3);
        lua = call_new(&plain, round % 300 == 299 ? CALL_GIVE_BACK : CALL_CHARGE, &request);
        c = copy_of(lua);
        assert_true(run_script(twin, lua));
        memory_run(twin->memory, c, 0);
        compare_answers(lua, c, round);
        compare_windows(twin, lua, round);
        call_release(lua);
        call_release(c);
    }
    memory_free(&twin->memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_answers),
        cmocka_unit_test(test_same_replays),
        cmocka_unit_test(test_long_records),
    };

    return cmocka_run_group_tests(tests, start_twin, stop_twin);
}
