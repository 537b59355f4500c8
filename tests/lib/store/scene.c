/* SPDX-License-Identifier: BSD-2-Clause */
/* A store, its private Redis and a user whose charges are counted. */
#include "tests/lib/store/scene.h"

#include "lib/base/mem.h"
#include "tests/support/process.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

const char *const scene_durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

void scene_begin(struct scene *scene, const char *const *options)
{
    memset(scene, 0, sizeof(*scene));
    server_redis_start(&scene->server, options);
    scene->folder = process_folder();
    scene->journal = mem_print("%s/journal", scene->folder);
    scene->url = mem_print("unix:%s", scene->server.socket);
    scene->settings = (struct store_settings){
        .url = scene->url, .client_name = "test", .journal_size = 10 * SCENE_MANY};
}

void scene_end(struct scene *scene)
{
    ask_close(&scene->ask);
    server_redis_stop(&scene->server);
    process_folder_remove(&scene->folder);
    free(scene->journal);
    free(scene->url);
}

struct store_limit scene_limit(int64_t max)
{
    return (struct store_limit){.subject = "user:a",
                                .count = 'm',
                                .window_sec = 86400,
                                .amount = 1,
                                .max = max,
                                .enforce = true};
}

enum store_outcome scene_charge(struct scene *scene, const char *identity, int64_t max)
{
    struct store_limit limit = scene_limit(max);
    struct store_request request = {
        .identity = identity, .fingerprint = 1, .limits = &limit, .nlimits = 1};

    return ask_charge(&scene->ask, &request);
}

enum store_outcome scene_give_back(struct scene *scene, const char *identity)
{
    struct store_limit limit = scene_limit(0);
    struct store_request request = {
        .identity = identity, .fingerprint = 1, .limits = &limit, .nlimits = 1};

    return ask_give_back(&scene->ask, &request);
}

int64_t scene_used(struct scene *scene)
{
    struct store_limit limit = scene_limit(1 << 30);
    struct store_request request = {.identity = "", .limits = &limit, .nlimits = 1};
    struct ask ask;
    int64_t count;

    ask_open(&ask, &(struct store_settings){.url = scene->url, .timeout_ms = 10000});
    assert_int_equal(ask_look(&ask, &request), STORE_OUTCOME_DONE);
    assert_false(ask.answer.local);
    count = ask.limits[0].used;
    ask_close(&ask);
    return count;
}

static void on_stream_answer(const struct store_answer *answer, void *context)
{
    struct scene_stream *stream = context;

    stream->answered++;
    stream->accepted += answer->outcome == STORE_OUTCOME_DONE;
    stream->local += answer->outcome == STORE_OUTCOME_DONE && answer->local;
    if (answer->waited_us > stream->longest_us)
        stream->longest_us = answer->waited_us;
}

void stream_send(struct scene_stream *stream, size_t number)
{
    struct store_limit limit = scene_limit(1 << 30);
    char identity[32];
    struct store_request request = {
        .identity = identity, .fingerprint = 1, .limits = &limit, .nlimits = 1};

    (void)snprintf(identity, sizeof(identity), "h/%zu", number);
    store_charge(stream->scene->ask.store, &request, on_stream_answer, stream);
}

void stream_finish(struct scene_stream *stream, unsigned count)
{
    int64_t end_us = clock_now_us(&clock_steady) + 20000000;

    while (stream->answered < count) {
        if (clock_now_us(&clock_steady) > end_us)
            fail_msg("%u of %u were answered", stream->answered, count);
        loop_run_once(stream->scene->ask.loop, 20);
    }
}
