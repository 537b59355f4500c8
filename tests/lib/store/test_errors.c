/* SPDX-License-Identifier: BSD-2-Clause */
/* Redis forgets the script, or answers with errors; the journal is full, the store closed. */
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

static void test_script_forgotten(void **state)
{
    struct scene scene;
    struct scene_stream stream = {.scene = &scene};

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, NULL);
    scene.settings.timeout_ms = 20000;
    ask_open(&scene.ask, &scene.settings);
    stream_send(&stream, 0);
    stream_finish(&stream, 1);
    for (size_t i = 1; i < SCENE_MANY; i++) {
        if (i % 200 == 100)
            free(server_redis_ask(&scene.server, "SCRIPT FLUSH"));
        stream_send(&stream, i);
        if (i % 8 == 0)
            loop_run_once(scene.ask.loop, 0);
    }
    stream_finish(&stream, SCENE_MANY);
    assert_int_equal(stream.accepted, SCENE_MANY);
    assert_int_equal(stream.local, 0);
    assert_int_equal(scene_used(&scene), SCENE_MANY);
    assert_int_equal(scene.ask.events.downs, 0);
    scene_end(&scene);
}

static void test_journal_full(void **state)
{
    struct scene scene;
    struct store_status status;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, scene_durable);
    scene.settings.journal_size = 3;
    ask_open(&scene.ask, &scene.settings);
    server_redis_kill(&scene.server);
    for (int i = 0; i < 5; i++)
        assert_int_equal(scene_charge(&scene, "", 100), STORE_OUTCOME_DONE);
    store_status(scene.ask.store, &status);
    assert_int_equal(status.journal, 3);
    assert_int_equal(status.journal_max, 3);
    server_redis_restart(&scene.server);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene.ask.events.replayed, 3);
    assert_int_equal(scene.ask.events.lost, 2);
    assert_int_equal(scene_used(&scene), 3);
    scene_end(&scene);
}

/* Redis answers, but with an error: it is away, and it is said what to do. */
static void test_errors(void **state)
{
    static const struct {
        const char *name;
        const char *options[4];
        const char *password;
        int database;
        const char *says;
    } rows[] = {
        {"no password", {"--requirepass", "secret"}, NULL, 0, "set store-password-file"},
        {"wrong password", {"--requirepass", "secret"}, "wrong", 0, "store-password-file"},
        {"no such database", {"--databases", "4"}, NULL, 9, "databases"},
        {"out of memory", {"--maxmemory", "1"}, NULL, 0, "raise maxmemory"},
        {"a replica", {"--replicaof", "127.0.0.1", "1"}, NULL, 0, "primary"},
    };

    (void)state;
    if (!server_redis_is_installed())
        skip();
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct scene scene;

        fprintf(stderr, "%s\n", rows[i].name);
        scene_begin(&scene, rows[i].options);
        scene.settings.password = rows[i].password;
        scene.settings.database = rows[i].database;
        ask_open(&scene.ask, &scene.settings);
        ask_wait_down(&scene.ask);
        if (strstr(scene.ask.events.problem, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].name, scene.ask.events.problem);
        assert_int_equal(scene_charge(&scene, "h/1", 1), STORE_OUTCOME_DONE);
        assert_true(scene.ask.answer.local);
        assert_int_equal(scene_charge(&scene, "h/2", 1), STORE_OUTCOME_OVER);
        scene_end(&scene);
    }
}

/* While it is up: the charge that gets the error is counted here and brought later. */
static void test_memory_runs_out(void **state)
{
    struct scene scene;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, NULL);
    ask_open(&scene.ask, &scene.settings);
    assert_int_equal(scene_charge(&scene, "h/1", 100), STORE_OUTCOME_DONE);
    free(server_redis_ask(&scene.server, "CONFIG SET maxmemory 1"));
    assert_int_equal(scene_charge(&scene, "h/2", 100), STORE_OUTCOME_DONE);
    assert_true(scene.ask.answer.local);
    assert_int_equal(scene.ask.events.downs, 1);
    assert_non_null(strstr(scene.ask.events.problem, "maxmemory"));
    free(server_redis_ask(&scene.server, "CONFIG SET maxmemory 0"));
    ask_wait_up(&scene.ask);
    assert_int_equal(scene_used(&scene), 2);
    scene_end(&scene);
}

/* Something else under our key: that subject is counted locally, the others as ever. */
static void test_wrong_type(void **state)
{
    struct scene scene;
    struct store_limit limit = scene_limit(100);
    struct store_request request = {.identity = "", .limits = &limit, .nlimits = 1};

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, NULL);
    ask_open(&scene.ask, &scene.settings);
    free(server_redis_ask(&scene.server, "SET sluice:{user:b}:use x"));
    limit.subject = "user:b";
    assert_int_equal(ask_charge(&scene.ask, &request), STORE_OUTCOME_DONE);
    assert_true(scene.ask.answer.local);
    assert_int_equal(scene_charge(&scene, "h/1", 100), STORE_OUTCOME_DONE);
    assert_false(scene.ask.answer.local);
    assert_true(store_is_up(scene.ask.store));
    scene_end(&scene);
}

static void test_closed_with_open_requests(void **state)
{
    struct scene scene;
    struct scene_stream stream = {.scene = &scene};

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, scene_durable);
    scene.settings.journal_path = scene.journal;
    ask_open(&scene.ask, &scene.settings);
    assert_int_equal(scene_charge(&scene, "h/x", 100), STORE_OUTCOME_DONE);
    for (size_t i = 0; i < 10; i++)
        stream_send(&stream, i);
    store_close(&scene.ask.store);
    assert_int_equal(stream.answered, 10);
    assert_int_equal(stream.accepted, 0);
    loop_free(&scene.ask.loop);
    /* They may have been accepted for all it knew: the next one brings them. */
    ask_open(&scene.ask, &scene.settings);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene_used(&scene), 11);
    scene_end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script_forgotten), cmocka_unit_test(test_journal_full),
        cmocka_unit_test(test_errors),           cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_wrong_type),       cmocka_unit_test(test_closed_with_open_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
