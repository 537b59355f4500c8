/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/runner.h"

#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_US (30 * INT64_C(1000000))

struct ended {
    char *problem;
    int count;
};

static void note(const char *problem, void *context)
{
    struct ended *ended = context;

    free(ended->problem);
    ended->problem = mem_copy(problem != NULL ? problem : "");
    ended->count++;
}

static void wait_for(struct loop *loop, const struct ended *ended, int count)
{
    int64_t deadline_us = clock_now_us(&clock_steady) + PATIENCE_US;

    while (ended->count < count) {
        assert_true(clock_now_us(&clock_steady) < deadline_us);
        loop_run_once(loop, 100);
    }
}

/* Whatever a program does, its end is told once, and the loop goes on. */
static void test_ends(void **state)
{
    static const struct {
        const char *name, *argv[4];
        const char *want;
        size_t input;
        int64_t timeout_ms;
    } cases[] = {
        {"well", {"/bin/true"}, "", 10, 20000},
        {"badly", {"/bin/false"}, "exit status 1", 10, 20000},
        {"missing", {"/no/such/program"}, "No such file or directory", 10, 20000},
        {"no program", {"/etc/passwd"}, "Permission denied", 10, 20000},
        {"hangs", {"/bin/sleep", "300"}, "it took too long, and was ended", 10, 100},
        {"does not want to end",
         {"/bin/sh", "-c", "trap '' TERM INT; sleep 300; sleep 300"},
         "it took too long, and was ended",
         10,
         100},
        {"ends itself", {"/bin/sh", "-c", "kill -9 $$"}, "signal 9", 10, 20000},
        {"writes without end",
         {"/bin/sh", "-c", "yes | head -c 20000000; yes 1>&2 | head -c 10"},
         "it took too long, and was ended",
         10,
         2000},
        {"reads nothing", {"/bin/true"}, "", RUNNER_INPUT_MAX, 20000},
        {"reads all", {"/bin/sh", "-c", "test $(wc -c) = 32768"}, "", RUNNER_INPUT_MAX + 5, 20000},
        {"PATH and nothing else",
         {"/bin/sh", "-c", "test \"$(env | grep -c -v -e ^PATH= -e ^PWD= -e ^_= -e ^SHLVL=)\" = 0"},
         "",
         0,
         20000},
        {"no shell",
         {
             "/usr/bin/test",
             "$(id); x",
             "=",
         },
         "exit status 2",
         0,
         20000},
    };
    struct loop *loop = loop_new();
    struct runner *runner = runner_new(loop);

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct ended ended = {NULL, 0};
        char *input = mem_new(cases[i].input + 1, 1);
        size_t argc = 0;

        memset(input, 'x', cases[i].input);
        while (argc < 4 && cases[i].argv[argc] != NULL)
            argc++;
        assert_true(runner_start(runner, cases[i].argv, argc, input, cases[i].input, 2,
                                 cases[i].timeout_ms, note, &ended));
        free(input);
        wait_for(loop, &ended, 1);
        if (strcmp(ended.problem, cases[i].want) != 0 || ended.count != 1)
            fail_msg("%s: \"%s\", told %d times", cases[i].name, ended.problem, ended.count);
        free(ended.problem);
    }
    runner_free(&runner);
    loop_free(&loop);
}

/* One runs, so many wait, and the next is refused; all end when the daemon does. */
static void test_bounded(void **state)
{
    static const char *const argv[] = {"/bin/sleep", "300"};
    struct loop *loop = loop_new();
    struct runner *runner = runner_new(loop);
    struct ended ended = {NULL, 0};

    (void)state;
    assert_true(runner_start(runner, argv, 2, "", 0, 1, 300000, note, &ended));
    for (int i = 0; i < 3; i++)
        loop_run_once(loop, 10);
    for (int i = 0; i < RUNNER_WAITING_MAX; i++)
        assert_true(runner_start(runner, argv, 2, "", 0, 1, 300000, note, &ended));
    assert_false(runner_start(runner, argv, 2, "", 0, 1, 300000, note, &ended));
    assert_int_equal(ended.count, 0);
    runner_free(&runner);
    assert_int_equal(ended.count, RUNNER_WAITING_MAX + 1);
    assert_string_equal(ended.problem, "the daemon stops");
    free(ended.problem);
    loop_free(&loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_bounded),
    };

    return cmocka_run_group_tests_name("runner", tests, NULL, NULL);
}
