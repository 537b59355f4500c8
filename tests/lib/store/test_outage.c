/* SPDX-License-Identifier: BSD-2-Clause */
/* Redis goes away, comes back, freezes, forgets, refuses: what was accepted is counted, once. */
#include "lib/base/mem.h"
#include "tests/lib/store/ask.h"
#include "tests/support/process.h"
#include "tests/support/server_redis.h"

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

#define SLACK_MS 300 /* that a busy machine may need beyond a time-out */
#define MANY 2000

static const char *const durable[] = {"--appendonly", "yes", "--appendfsync", "always", NULL};

struct scene {
    struct server_redis server;
    struct ask ask;
    char *url;
    char *folder;
    char *journal;
    char identity[32];
    struct store_settings settings;
};

static void begin(struct scene *scene, const char *const *options)
{
    memset(scene, 0, sizeof(*scene));
    server_redis_start(&scene->server, options);
    scene->folder = process_folder();
    scene->journal = mem_print("%s/journal", scene->folder);
    scene->url = mem_print("unix:%s", scene->server.socket);
    scene->settings = (struct store_settings){
        .url = scene->url, .client_name = "test", .journal_size = 10 * MANY};
}

static void end(struct scene *scene)
{
    ask_close(&scene->ask);
    server_redis_stop(&scene->server);
    process_folder_remove(&scene->folder);
    free(scene->journal);
    free(scene->url);
}

static struct store_limit limit_of(int64_t max)
{
    return (struct store_limit){.subject = "user:a",
                                .count = 'm',
                                .window_sec = 86400,
                                .amount = 1,
                                .max = max,
                                .enforce = true};
}

static enum store_outcome charge(struct scene *scene, const char *identity, int64_t max)
{
    struct store_limit limit = limit_of(max);
    struct store_request request = {
        .identity = identity, .fingerprint = 1, .limits = &limit, .nlimits = 1};

    return ask_charge(&scene->ask, &request);
}

static enum store_outcome give_back(struct scene *scene, const char *identity)
{
    struct store_limit limit = limit_of(0);
    struct store_request request = {
        .identity = identity, .fingerprint = 1, .limits = &limit, .nlimits = 1};

    return ask_give_back(&scene->ask, &request);
}

/* What Redis itself says, asked by a store of its own. */
static int64_t used(struct scene *scene)
{
    struct store_limit limit = limit_of(1 << 30);
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

struct stream {
    struct scene *scene;
    size_t accepted;
    size_t local; /* of them */
    unsigned answered;
    int64_t longest_us;
};

static void on_stream_answer(const struct store_answer *answer, void *context)
{
    struct stream *stream = context;

    stream->answered++;
    stream->accepted += answer->outcome == STORE_OUTCOME_DONE;
    stream->local += answer->outcome == STORE_OUTCOME_DONE && answer->local;
    if (answer->waited_us > stream->longest_us)
        stream->longest_us = answer->waited_us;
}

static void send_one(struct stream *stream, size_t number)
{
    struct store_limit limit = limit_of(1 << 30);
    char identity[32];
    struct store_request request = {
        .identity = identity, .fingerprint = 1, .limits = &limit, .nlimits = 1};

    (void)snprintf(identity, sizeof(identity), "h/%zu", number);
    store_charge(stream->scene->ask.store, &request, on_stream_answer, stream);
}

static void finish(struct stream *stream, unsigned count)
{
    int64_t end_us = clock_now_us(&clock_steady) + 20000000;

    while (stream->answered < count) {
        if (clock_now_us(&clock_steady) > end_us)
            fail_msg("%u of %u were answered", stream->answered, count);
        loop_run_once(stream->scene->ask.loop, 20);
    }
}

/* kill -9 in a stream of charges: all that was accepted is counted in the end, and nothing twice.
 */
static void test_killed_in_the_middle(void **state)
{
    struct scene scene;
    struct stream stream = {.scene = &scene};

    (void)state;
    if (!server_redis_is_installed())
        skip();
    begin(&scene, durable);
    ask_open(&scene.ask, &scene.settings);
    for (size_t i = 0; i < MANY; i++) {
        send_one(&stream, i);
        if (i % 16 == 0)
            loop_run_once(scene.ask.loop, 0);
        /* Half-way, with some under way. */
        if (i == MANY / 3)
            server_redis_kill(&scene.server);
        if (i == 2 * MANY / 3)
            server_redis_restart(&scene.server);
    }
    finish(&stream, MANY);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene.ask.events.downs, scene.ask.events.ups);
    assert_int_equal(scene.ask.events.downs, 1);
    assert_int_equal(scene.ask.events.lost, 0);
    assert_true(scene.ask.events.replayed > 0);
    assert_int_equal(used(&scene), stream.accepted);
    assert_int_equal(stream.accepted, MANY);
    end(&scene);
}

/* SIGSTOP: the first to notice waits for the time-out, and after that nobody waits. */
static void test_frozen(void **state)
{
    struct scene scene;
    struct stream stream = {.scene = &scene};

    (void)state;
    if (!server_redis_is_installed())
        skip();
    begin(&scene, durable);
    ask_open(&scene.ask, &scene.settings);
    for (size_t i = 0; i < 100; i++)
        send_one(&stream, i);
    finish(&stream, 100);
    server_redis_freeze(&scene.server);
    for (size_t i = 100; i < 200; i++)
        send_one(&stream, i);
    finish(&stream, 200);
    assert_in_range(stream.longest_us, ASK_TIMEOUT_MS * 1000, (ASK_TIMEOUT_MS + SLACK_MS) * 1000);
    assert_false(store_is_up(scene.ask.store));
    stream.longest_us = 0;
    for (size_t i = 200; i < 300; i++)
        send_one(&stream, i);
    finish(&stream, 300);
    assert_in_range(stream.longest_us, 0, SLACK_MS / 3 * 1000);
    server_redis_thaw(&scene.server);
    ask_wait_up(&scene.ask);
    /* What was under way when it froze was carried out by it, and brought again by the journal. */
    assert_int_equal(used(&scene), 300);
    assert_int_equal(stream.accepted, 300);
    assert_int_equal(scene.ask.events.downs, 1);
    assert_int_equal(scene.ask.events.ups, 1);
    end(&scene);
}

static void test_script_forgotten(void **state)
{
    struct scene scene;
    struct stream stream = {.scene = &scene};

    (void)state;
    if (!server_redis_is_installed())
        skip();
    begin(&scene, NULL);
    scene.settings.timeout_ms = 20000;
    ask_open(&scene.ask, &scene.settings);
    send_one(&stream, 0);
    finish(&stream, 1);
    for (size_t i = 1; i < MANY; i++) {
        if (i % 200 == 100)
            free(server_redis_ask(&scene.server, "SCRIPT FLUSH"));
        send_one(&stream, i);
        if (i % 8 == 0)
            loop_run_once(scene.ask.loop, 0);
    }
    finish(&stream, MANY);
    assert_int_equal(stream.accepted, MANY);
    assert_int_equal(stream.local, 0);
    assert_int_equal(used(&scene), MANY);
    assert_int_equal(scene.ask.events.downs, 0);
    end(&scene);
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
    begin(&scene, durable);
    scene.settings.journal_path = scene.journal;
    server_redis_kill(&scene.server);
    pid = fork();
    if (pid == 0) {
        ask_open(&scene.ask, &scene.settings);
        for (int i = 0; i < 10; i++) {
            char identity[16];

            (void)snprintf(identity, sizeof(identity), "h/%d", i);
            if (charge(&scene, identity, 100) != STORE_OUTCOME_DONE || !scene.ask.answer.local)
                _exit(1);
        }
        if (charge(&scene, "", 100) != STORE_OUTCOME_DONE)
            _exit(1);
        if (give_back(&scene, "h/3") != STORE_OUTCOME_DONE)
            _exit(1);
        (void)kill(getpid(), SIGKILL);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    /* The next one goes on from what it last knew. */
    ask_open(&scene.ask, &scene.settings);
    assert_int_equal(charge(&scene, "h/next", 10), STORE_OUTCOME_OVER);
    assert_int_equal(scene.ask.limits[0].used, 10);
    server_redis_restart(&scene.server);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene.ask.events.replayed, 12);
    assert_int_equal(used(&scene), 10);
    end(&scene);
}

static void test_goes_on_from_what_it_knew(void **state)
{
    struct scene scene;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    begin(&scene, durable);
    ask_open(&scene.ask, &scene.settings);
    assert_int_equal(charge(&scene, "h/1", 3), STORE_OUTCOME_DONE);
    assert_int_equal(charge(&scene, "h/2", 3), STORE_OUTCOME_DONE);
    server_redis_kill(&scene.server);
    assert_int_equal(charge(&scene, "h/3", 3), STORE_OUTCOME_DONE);
    assert_true(scene.ask.answer.local);
    assert_int_equal(scene.ask.limits[0].used, 3);
    /* Known messages stay known. */
    assert_int_equal(charge(&scene, "h/2", 3), STORE_OUTCOME_DONE);
    assert_true(scene.ask.answer.known);
    assert_int_equal(charge(&scene, "h/4", 3), STORE_OUTCOME_OVER);
    assert_int_equal(give_back(&scene, "h/1"), STORE_OUTCOME_DONE);
    assert_int_equal(scene.ask.limits[0].used, 2);
    assert_int_equal(charge(&scene, "h/5", 3), STORE_OUTCOME_DONE);
    server_redis_restart(&scene.server);
    ask_wait_up(&scene.ask);
    assert_int_equal(used(&scene), 3);
    end(&scene);
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
    begin(&scene, durable);
    ask_open(&scene.ask, &scene.settings);
    assert_int_equal(charge(&scene, "h/1", 3), STORE_OUTCOME_DONE);
    assert_int_equal(charge(&scene, "h/2", 3), STORE_OUTCOME_DONE);
    assert_int_equal(charge(&scene, "h/3", 3), STORE_OUTCOME_DONE);
    /* Another host makes room, which this one cannot know. */
    ask_open(&other, &(struct store_settings){.url = scene.url});
    assert_int_equal(ask_reset(&other, "user:a"), STORE_OUTCOME_DONE);
    ask_close(&other);
    server_redis_freeze(&scene.server);
    assert_int_equal(charge(&scene, "h/4", 3), STORE_OUTCOME_OVER);
    assert_true(scene.ask.answer.local);
    /* Later in the same transaction there is room after all: that does count. */
    assert_int_equal(charge(&scene, "h/4", 4), STORE_OUTCOME_DONE);
    server_redis_thaw(&scene.server);
    ask_wait_up(&scene.ask);
    assert_int_equal(used(&scene), 1);
    end(&scene);
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
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        enum store_outcome want =
            rows[i].mode == STORE_ON_FAILURE_LOCAL ? STORE_OUTCOME_DONE : STORE_OUTCOME_AWAY;
        struct scene scene;

        fprintf(stderr, "store-failure = %s\n", rows[i].name);
        begin(&scene, durable);
        scene.settings.on_failure = rows[i].mode;
        ask_open(&scene.ask, &scene.settings);
        assert_int_equal(charge(&scene, "h/1", 100), STORE_OUTCOME_DONE);
        server_redis_freeze(&scene.server);
        assert_int_equal(charge(&scene, "h/2", 100), want);
        assert_false(store_is_up(scene.ask.store));
        assert_int_equal(charge(&scene, "h/3", 100), want);
        server_redis_thaw(&scene.server);
        ask_wait_up(&scene.ask);
        assert_int_equal(used(&scene), rows[i].used);
        end(&scene);
    }
}

/* A message that two programs see: the one charged it into its journal, the other gave it back. */
static void test_given_back_by_another(void **state)
{
    struct scene scene;
    struct store_limit limit = limit_of(10);
    struct store_request request = {
        .identity = "h/1", .fingerprint = 1, .limits = &limit, .nlimits = 1};
    struct ask other;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    begin(&scene, durable);
    ask_open(&scene.ask, &scene.settings);
    server_redis_kill(&scene.server);
    assert_int_equal(charge(&scene, "h/1", 10), STORE_OUTCOME_DONE);
    assert_true(scene.ask.answer.local);
    server_redis_restart(&scene.server);
    ask_open(&other, &(struct store_settings){.url = scene.url});
    assert_int_equal(ask_give_back(&other, &request), STORE_OUTCOME_DONE);
    ask_close(&other);
    ask_wait_up(&scene.ask);
    assert_int_equal(used(&scene), 0);
    end(&scene);
}

/* It overtakes its charge, which is still on its way out of the journal: that is void then. */
static void test_given_back_while_replaying(void **state)
{
    struct scene scene;
    struct stream stream = {.scene = &scene};
    struct store_status status;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    begin(&scene, NULL);
    ask_open(&scene.ask, &scene.settings);
    server_redis_kill(&scene.server);
    for (size_t i = 0; i < MANY; i++)
        send_one(&stream, i);
    finish(&stream, MANY);
    server_redis_restart(&scene.server);
    while (!store_is_up(scene.ask.store))
        loop_run_once(scene.ask.loop, 10);
    store_status(scene.ask.store, &status);
    assert_in_range(status.journal, MANY / 2, MANY);
    (void)snprintf(scene.identity, sizeof(scene.identity), "h/%d", MANY - 1);
    assert_int_equal(give_back(&scene, scene.identity), STORE_OUTCOME_DONE);
    assert_int_equal(give_back(&scene, "h/0"), STORE_OUTCOME_DONE);
    ask_wait_up(&scene.ask);
    assert_int_equal(used(&scene), MANY - 2);
    end(&scene);
}

static void test_journal_full(void **state)
{
    struct scene scene;
    struct store_status status;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    begin(&scene, durable);
    scene.settings.journal_size = 3;
    ask_open(&scene.ask, &scene.settings);
    server_redis_kill(&scene.server);
    for (int i = 0; i < 5; i++)
        assert_int_equal(charge(&scene, "", 100), STORE_OUTCOME_DONE);
    store_status(scene.ask.store, &status);
    assert_int_equal(status.journal, 3);
    assert_int_equal(status.journal_max, 3);
    server_redis_restart(&scene.server);
    ask_wait_up(&scene.ask);
    assert_int_equal(scene.ask.events.replayed, 3);
    assert_int_equal(scene.ask.events.lost, 2);
    assert_int_equal(used(&scene), 3);
    end(&scene);
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
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct scene scene;

        fprintf(stderr, "%s\n", rows[i].name);
        begin(&scene, rows[i].options);
        scene.settings.password = rows[i].password;
        scene.settings.database = rows[i].database;
        ask_open(&scene.ask, &scene.settings);
        ask_wait_down(&scene.ask);
        if (strstr(scene.ask.events.problem, rows[i].says) == NULL)
            fail_msg("%s: %s", rows[i].name, scene.ask.events.problem);
        assert_int_equal(charge(&scene, "h/1", 1), STORE_OUTCOME_DONE);
        assert_true(scene.ask.answer.local);
        assert_int_equal(charge(&scene, "h/2", 1), STORE_OUTCOME_OVER);
        end(&scene);
    }
}

/* While it is up: the charge that gets the error is counted here and brought later. */
static void test_memory_runs_out(void **state)
{
    struct scene scene;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    begin(&scene, NULL);
    ask_open(&scene.ask, &scene.settings);
    assert_int_equal(charge(&scene, "h/1", 100), STORE_OUTCOME_DONE);
    free(server_redis_ask(&scene.server, "CONFIG SET maxmemory 1"));
    assert_int_equal(charge(&scene, "h/2", 100), STORE_OUTCOME_DONE);
    assert_true(scene.ask.answer.local);
    assert_int_equal(scene.ask.events.downs, 1);
    assert_non_null(strstr(scene.ask.events.problem, "maxmemory"));
    free(server_redis_ask(&scene.server, "CONFIG SET maxmemory 0"));
    ask_wait_up(&scene.ask);
    assert_int_equal(used(&scene), 2);
    end(&scene);
}

/* Something else under our key: that subject is counted locally, the others as ever. */
static void test_wrong_type(void **state)
{
    struct scene scene;
    struct store_limit limit = limit_of(100);
    struct store_request request = {.identity = "", .limits = &limit, .nlimits = 1};

    (void)state;
    if (!server_redis_is_installed())
        skip();
    begin(&scene, NULL);
    ask_open(&scene.ask, &scene.settings);
    free(server_redis_ask(&scene.server, "SET sluice:{user:b}:use x"));
    limit.subject = "user:b";
    assert_int_equal(ask_charge(&scene.ask, &request), STORE_OUTCOME_DONE);
    assert_true(scene.ask.answer.local);
    assert_int_equal(charge(&scene, "h/1", 100), STORE_OUTCOME_DONE);
    assert_false(scene.ask.answer.local);
    assert_true(store_is_up(scene.ask.store));
    end(&scene);
}

static void test_closed_with_open_requests(void **state)
{
    struct scene scene;
    struct stream stream = {.scene = &scene};

    (void)state;
    if (!server_redis_is_installed())
        skip();
    begin(&scene, durable);
    scene.settings.journal_path = scene.journal;
    ask_open(&scene.ask, &scene.settings);
    assert_int_equal(charge(&scene, "h/x", 100), STORE_OUTCOME_DONE);
    for (size_t i = 0; i < 10; i++)
        send_one(&stream, i);
    store_close(&scene.ask.store);
    assert_int_equal(stream.answered, 10);
    assert_int_equal(stream.accepted, 0);
    loop_free(&scene.ask.loop);
    /* They may have been accepted for all it knew: the next one brings them. */
    ask_open(&scene.ask, &scene.settings);
    ask_wait_up(&scene.ask);
    assert_int_equal(used(&scene), 11);
    end(&scene);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_killed_in_the_middle),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_script_forgotten),
        cmocka_unit_test(test_process_killed_too),
        cmocka_unit_test(test_goes_on_from_what_it_knew),
        cmocka_unit_test(test_uncertain_and_refused),
        cmocka_unit_test(test_modes),
        cmocka_unit_test(test_given_back_by_another),
        cmocka_unit_test(test_given_back_while_replaying),
        cmocka_unit_test(test_journal_full),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_memory_runs_out),
        cmocka_unit_test(test_wrong_type),
        cmocka_unit_test(test_closed_with_open_requests),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
