/* SPDX-License-Identifier: BSD-2-Clause */
/* Redis goes away, freezes and comes back: what was accepted is counted, once. */
#include "lib/base/count.h"
#include "tests/lib/store/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define SLACK_MS 900 /* that a busy machine may need beyond a time-out; less than another one */

/* kill -9 in a stream of charges: all that was accepted is counted in the end, and nothing twice.
 */
static void test_killed_in_the_middle(void **state)
{
    struct scene scene;
    struct scene_stream stream = {.scene = &scene};

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, scene_durable);
    ask_open(&scene.ask, &scene.settings);
    for (size_t i = 0; i < SCENE_MANY; i++) {
        stream_send(&stream, i);
        if (i % 16 == 0)
            loop_run_once(scene.ask.loop, 0);
        /* Half-way, with some under way. */
        if (i == SCENE_MANY / 3)
            server_redis_kill(&scene.server);
        if (i == 2 * SCENE_MANY / 3)
            server_redis_restart(&scene.server);
    }
    stream_finish(&stream, SCENE_MANY);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene.ask.events.downs, scene.ask.events.ups);
    assert_int_equal(scene.ask.events.downs, 1);
    assert_int_equal(scene.ask.events.lost, 0);
    assert_true(scene.ask.events.replayed > 0);
    assert_int_equal(scene_used(&scene), stream.accepted);
    assert_int_equal(stream.accepted, SCENE_MANY);
    scene_end(&scene);
}

/* SIGSTOP: the first to notice waits for the time-out, and after that nobody waits. */
static void test_frozen(void **state)
{
    struct scene scene;
    struct scene_stream stream = {.scene = &scene};

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, scene_durable);
    ask_open(&scene.ask, &scene.settings);
    for (size_t i = 0; i < 100; i++)
        stream_send(&stream, i);
    stream_finish(&stream, 100);
    server_redis_freeze(&scene.server);
    for (size_t i = 100; i < 200; i++)
        stream_send(&stream, i);
    stream_finish(&stream, 200);
    assert_in_range(stream.longest_us, ASK_TIMEOUT_MS * 1000, (ASK_TIMEOUT_MS + SLACK_MS) * 1000);
    assert_false(store_is_up(scene.ask.store));
    stream.longest_us = 0;
    for (size_t i = 200; i < 300; i++)
        stream_send(&stream, i);
    stream_finish(&stream, 300);
    assert_in_range(stream.longest_us, 0, SLACK_MS * 1000);
    server_redis_thaw(&scene.server);
    ask_wait_up(&scene.ask);
    /* What was under way when it froze was carried out by it, and brought again by the journal. */
    assert_int_equal(scene_used(&scene), 300);
    assert_int_equal(stream.accepted, 300);
    assert_int_equal(scene.ask.events.downs, 1);
    assert_int_equal(scene.ask.events.ups, 1);
    scene_end(&scene);
}

/* Its journal's file brings the charges of a process that was killed to Redis, once. */
static void test_process_killed_too(void **state)
{
    struct scene scene;
    pid_t pid;
    int status;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, scene_durable);
    scene.settings.journal_path = scene.journal;
    server_redis_kill(&scene.server);
    pid = fork();
    if (pid == 0) {
        ask_open(&scene.ask, &scene.settings);
        for (int i = 0; i < 10; i++) {
            char identity[16];

            (void)snprintf(identity, sizeof(identity), "h/%d", i);
            if (scene_charge(&scene, identity, 100) != STORE_OUTCOME_DONE ||
                !scene.ask.answer.local)
                _exit(1);
        }
        if (scene_charge(&scene, "", 100) != STORE_OUTCOME_DONE)
            _exit(1);
        if (scene_give_back(&scene, "h/3") != STORE_OUTCOME_DONE)
            _exit(1);
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    /* The next one goes on from what it last knew. */
    ask_open(&scene.ask, &scene.settings);
    assert_int_equal(scene_charge(&scene, "h/next", 10), STORE_OUTCOME_OVER);
    assert_int_equal(scene.ask.limits[0].used, 10);
    server_redis_restart(&scene.server);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene.ask.events.replayed, 12);
    assert_int_equal(scene_used(&scene), 10);
    scene_end(&scene);
}

static void test_goes_on_from_what_it_knew(void **state)
{
    struct scene scene;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, scene_durable);
    ask_open(&scene.ask, &scene.settings);
    assert_int_equal(scene_charge(&scene, "h/1", 3), STORE_OUTCOME_DONE);
    assert_int_equal(scene_charge(&scene, "h/2", 3), STORE_OUTCOME_DONE);
    server_redis_kill(&scene.server);
    assert_int_equal(scene_charge(&scene, "h/3", 3), STORE_OUTCOME_DONE);
    assert_true(scene.ask.answer.local);
    assert_int_equal(scene.ask.limits[0].used, 3);
    /* Known messages stay known. */
    assert_int_equal(scene_charge(&scene, "h/2", 3), STORE_OUTCOME_DONE);
    assert_true(scene.ask.answer.known);
    assert_int_equal(scene_charge(&scene, "h/4", 3), STORE_OUTCOME_OVER);
    assert_int_equal(scene_give_back(&scene, "h/1"), STORE_OUTCOME_DONE);
    assert_int_equal(scene.ask.limits[0].used, 2);
    assert_int_equal(scene_charge(&scene, "h/5", 3), STORE_OUTCOME_DONE);
    server_redis_restart(&scene.server);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene_used(&scene), 3);
    scene_end(&scene);
}

/* A charge whose answer was lost, for a message that the local counters refuse: it costs nothing.
 */
static void test_uncertain_and_refused(void **state)
{
    struct scene scene;
    struct ask other;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, scene_durable);
    ask_open(&scene.ask, &scene.settings);
    assert_int_equal(scene_charge(&scene, "h/1", 3), STORE_OUTCOME_DONE);
    assert_int_equal(scene_charge(&scene, "h/2", 3), STORE_OUTCOME_DONE);
    assert_int_equal(scene_charge(&scene, "h/3", 3), STORE_OUTCOME_DONE);
    /* Another host makes room, which this one cannot know. */
    ask_open(&other, &(struct store_settings){.url = scene.url});
    assert_int_equal(ask_reset(&other, "user:a"), STORE_OUTCOME_DONE);
    ask_close(&other);
    server_redis_freeze(&scene.server);
    assert_int_equal(scene_charge(&scene, "h/4", 3), STORE_OUTCOME_OVER);
    assert_true(scene.ask.answer.local);
    /* Later in the same transaction there is room after all: that does count. */
    assert_int_equal(scene_charge(&scene, "h/4", 4), STORE_OUTCOME_DONE);
    server_redis_thaw(&scene.server);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene_used(&scene), 1);
    scene_end(&scene);
}

static void test_modes(void **state)
{
    static const struct {
        const char *name;
        enum store_failure_mode mode;
        int64_t used; /* one before; then one whose answer is lost, and one when it is known to be
                         away */
    } rows[] = {
        {"local", STORE_ON_FAILURE_LOCAL, 3},
        {"accept", STORE_ON_FAILURE_ACCEPT, 3},
        {"defer", STORE_ON_FAILURE_DEFER, 1},
    };

    (void)state;
    if (!server_redis_is_installed())
        skip();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        enum store_outcome want =
            rows[i].mode == STORE_ON_FAILURE_LOCAL ? STORE_OUTCOME_DONE : STORE_OUTCOME_AWAY;
        struct scene scene;

        fprintf(stderr, "store-failure = %s\n", rows[i].name);
        scene_begin(&scene, scene_durable);
        scene.settings.on_failure = rows[i].mode;
        ask_open(&scene.ask, &scene.settings);
        assert_int_equal(scene_charge(&scene, "h/1", 100), STORE_OUTCOME_DONE);
        server_redis_freeze(&scene.server);
        assert_int_equal(scene_charge(&scene, "h/2", 100), want);
        assert_false(store_is_up(scene.ask.store));
        assert_int_equal(scene_charge(&scene, "h/3", 100), want);
        server_redis_thaw(&scene.server);
        ask_wait_up(&scene.ask);
        assert_int_equal(scene_used(&scene), rows[i].used);
        scene_end(&scene);
    }
}

/* A message that two programs see: the one charged it into its journal, the other gave it back. */
static void test_given_back_by_another(void **state)
{
    struct scene scene;
    struct store_limit limit = scene_limit(10);
    struct store_request request = {
        .identity = "h/1", .fingerprint = 1, .limits = &limit, .nlimits = 1};
    struct ask other;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, scene_durable);
    ask_open(&scene.ask, &scene.settings);
    server_redis_kill(&scene.server);
    assert_int_equal(scene_charge(&scene, "h/1", 10), STORE_OUTCOME_DONE);
    assert_true(scene.ask.answer.local);
    server_redis_restart(&scene.server);
    ask_open(&other, &(struct store_settings){.url = scene.url});
    assert_int_equal(ask_give_back(&other, &request), STORE_OUTCOME_DONE);
    ask_close(&other);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene_used(&scene), 0);
    scene_end(&scene);
}

/* It overtakes its charge, which is still on its way out of the journal: that is void then. */
static void test_given_back_while_replaying(void **state)
{
    struct scene scene;
    struct scene_stream stream = {.scene = &scene};
    struct store_status status;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, NULL);
    ask_open(&scene.ask, &scene.settings);
    server_redis_kill(&scene.server);
    for (size_t i = 0; i < SCENE_MANY; i++)
        stream_send(&stream, i);
    stream_finish(&stream, SCENE_MANY);
    server_redis_restart(&scene.server);
    while (!store_is_up(scene.ask.store))
        loop_run_once(scene.ask.loop, 10);
    store_status(scene.ask.store, &status);
    assert_in_range(status.journal, SCENE_MANY / 2, SCENE_MANY);
    (void)snprintf(scene.identity, sizeof(scene.identity), "h/%d", SCENE_MANY - 1);
    assert_int_equal(scene_give_back(&scene, scene.identity), STORE_OUTCOME_DONE);
    assert_int_equal(scene_give_back(&scene, "h/0"), STORE_OUTCOME_DONE);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene_used(&scene), SCENE_MANY - 2);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_in_the_middle),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_process_killed_too),
        cmocka_unit_test(test_goes_on_from_what_it_knew),
        cmocka_unit_test(test_uncertain_and_refused),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_given_back_by_another),
        cmocka_unit_test(test_given_back_while_replaying),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
