/* SPDX-License-Identifier: BSD-2-Clause */
/* Notes in Redis: how long they live, and what is said of them while it is away. */
#include "lib/base/count.h"
#include "tests/lib/store/scene.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define HOUR_MS 3600000

static enum store_outcome set(struct ask *ask, const char *subject, const char *value,
                              int64_t life_ms, bool replace)
{
    const struct store_pair pair = {"suspended", value};
    const struct store_note_change change = {.subject = subject,
                                             .kind = "flag",
                                             .pairs = &pair,
                                             .npairs = 1,
                                             .life_ms = life_ms,
                                             .replace = replace};

    return ask_set(ask, &change);
}

static long long life_of(struct scene *scene, const char *key)
{
    char *answer = server_redis_ask(&scene->server, "TTL %s", key);
    long long life = atoll(answer);

    free(answer);
    return life;
}

static void test_life(void **state)
{
    static const struct {
        const char *name;
        int64_t life_ms;
        bool replace;
        int least, most; /* seconds; -1: for ever */
    } steps[] = {
        {"new", HOUR_MS, false, 3500, 3600},
        {"a shorter life changes nothing", 60000, false, 3500, 3600},
        {"a longer one counts", 2 * HOUR_MS, false, 7100, 7200},
        {"replaced: just so long", 60000, true, 30, 60},
        {"for ever", 0, false, -1, -1},
        {"and still for ever", HOUR_MS, false, -1, -1},
        {"until it is replaced", HOUR_MS, true, 3500, 3600},
    };
    struct store_mark mark = {.subject = "user:a",
                              .kind = "seen",
                              .field = "x",
                              .amount = 1,
                              .keep_sec = 7776000,
                              .fields_max = 9};
    struct store_request request = {.identity = "", .marks = &mark, .nmarks = 1};
    struct scene scene;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, NULL);
    ask_open(&scene.ask, &scene.settings);
    for (size_t i = 0; i < COUNT_OF(steps); i++) {
        long long life;

        assert_int_equal(set(&scene.ask, "user:a", "x", steps[i].life_ms, steps[i].replace),
                         STORE_OUTCOME_DONE);
        life = life_of(&scene, "sluice:{user:a}:flag");
        if (life < steps[i].least || life > steps[i].most)
            fail_msg("%s: %lld s", steps[i].name, life);
    }
    assert_int_equal(ask_charge(&scene.ask, &request), STORE_OUTCOME_DONE);
    assert_in_range(life_of(&scene, "sluice:{user:a}:seen"), 7775000, 7776000);
    scene_end(&scene);
}

/* What was known holds while Redis is away, and what is changed meanwhile is there when it is back.
 */
static void test_away(void **state)
{
    struct store_wish wish = {.subject = "user:known", .kind = "flag"};
    struct store_request request = {.identity = "", .wishes = &wish, .nwishes = 1};
    struct scene scene;
    struct ask *ask = &scene.ask;
    char *kept;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    scene_begin(&scene, scene_durable);
    ask_open(ask, &scene.settings);
    assert_int_equal(set(ask, "user:known", "yes", HOUR_MS, false), STORE_OUTCOME_DONE);
    assert_int_equal(set(ask, "user:removed", "yes", HOUR_MS, false), STORE_OUTCOME_DONE);
    assert_string_equal(ask_note(ask, "user:known", "flag"), "suspended=yes;");
    server_redis_kill(&scene.server);
    ask_wait_down(ask);
    assert_int_equal(ask_look(ask, &request), STORE_OUTCOME_DONE);
    assert_true(ask->answer.local);
    assert_string_equal(ask->notes[0], "suspended=yes;");
    assert_int_equal(set(ask, "user:new", "yes", HOUR_MS, false), STORE_OUTCOME_AWAY);
    assert_string_equal(ask_note(ask, "user:new", "flag"), "suspended=yes;");
    assert_int_equal(ask_remove(ask, "user:removed", "flag", NULL), STORE_OUTCOME_AWAY);
    assert_string_equal(ask_note(ask, "user:removed", "flag"), "");
    server_redis_restart(&scene.server);
    ask_wait_up(ask);
    assert_string_equal(ask_note(ask, "user:new", "flag"), "suspended=yes;");
    assert_false(ask->answer.local);
    assert_string_equal(ask_note(ask, "user:removed", "flag"), "");
    assert_string_equal(ask_note(ask, "user:known", "flag"), "suspended=yes;");
    kept = server_redis_ask(&scene.server, "HGET sluice:{user:new}:flag suspended");
    assert_string_equal(kept, "yes");
    free(kept);
    scene_end(&scene);
}

/* A suspension holds whatever store-failure says. */
static void test_away_in_other_modes(void **state)
{
    static const enum store_failure_mode modes[] = {STORE_ON_FAILURE_ACCEPT,
                                                    STORE_ON_FAILURE_DEFER};
    struct scene scene;
    struct ask *ask = &scene.ask;

    (void)state;
    if (!server_redis_is_installed())
        skip();
    for (size_t i = 0; i < COUNT_OF(modes); i++) {
        scene_begin(&scene, NULL);
        scene.settings.on_failure = modes[i];
        ask_open(ask, &scene.settings);
        assert_int_equal(set(ask, "user:known", "yes", HOUR_MS, false), STORE_OUTCOME_DONE);
        server_redis_kill(&scene.server);
        ask_wait_down(ask);
        assert_string_equal(ask_note(ask, "user:known", "flag"), "suspended=yes;");
        assert_int_equal(ask->answer.outcome, STORE_OUTCOME_AWAY);
        scene_end(&scene);
    }
}

static void on_done(bool complete, void *context)
{
    *(int *)context = complete;
}

static void on_shown(const char *subject, const struct store_note *note, void *context)
{
    (void)subject;
    (void)note;
    (void)context;
    fail_msg("a store that is away has nothing to show");
}

static void test_list_away(void **state)
{
    int complete = -1;
    const struct store_note_list list = {on_shown, on_done, &complete};
    struct ask ask;

    (void)state;
    ask_open(&ask, &(struct store_settings){.url = "broken:", .journal_size = 10});
    ask_wait_down(&ask);
    assert_int_equal(set(&ask, "user:a", "yes", HOUR_MS, false), STORE_OUTCOME_AWAY);
    store_note_list(ask.store, "flag", &list);
    while (complete == -1)
        loop_run_once(ask.loop, 50);
    assert_false(complete);
    ask_close(&ask);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_life),
        cmocka_unit_test(test_away),
        cmocka_unit_test(test_away_in_other_modes),
        cmocka_unit_test(test_list_away),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
