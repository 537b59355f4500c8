/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/loop.h"

#include "lib/base/clock.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define DEADLINE_MS 10000

enum { POSTERS = 4, POSTS = 2000 };

struct poster {
    struct loop *loop;
    pthread_t thread;
    pthread_t loop_thread;
    int next; /* the number that its next call must have */
    int wrong;
    int *left; /* of all posters' calls; the last one stops the loop */
};

struct post {
    struct poster *poster;
    int number;
};

static void on_post(void *context)
{
    struct post *post = context;
    struct poster *poster = post->poster;

    if (post->number != poster->next || !pthread_equal(pthread_self(), poster->loop_thread))
        poster->wrong++;
    poster->next = post->number + 1;
    free(post);
    if (--*poster->left == 0)
        loop_stop(poster->loop);
}

static void *post_many(void *context)
{
    struct poster *poster = context;

    for (int i = 0; i < POSTS; i++) {
        struct post *post = malloc(sizeof(*post));

        *post = (struct post){poster, i};
        loop_post(poster->loop, on_post, post);
    }
    return NULL;
}

static void test_posts_of_many_threads_keep_their_order(void **state)
{
    struct loop *loop = loop_new();
    struct poster posters[POSTERS];
    int left = POSTERS * POSTS;

    (void)state;
    assert_non_null(loop);
    for (int i = 0; i < POSTERS; i++) {
        posters[i] = (struct poster){.loop = loop, .loop_thread = pthread_self(), .left = &left};
        assert_int_equal(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]), 0);
    }
    loop_run(loop);
    for (int i = 0; i < POSTERS; i++)
        assert_int_equal(pthread_join(posters[i].thread, NULL), 0);
    loop_free(&loop);
    assert_null(loop);
    for (int i = 0; i < POSTERS; i++) {
        assert_int_equal(posters[i].next, POSTS);
        assert_int_equal(posters[i].wrong, 0);
    }
}

struct chain {
    struct loop *loop;
    int left;
};

static void on_chain(void *context)
{
    struct chain *chain = context;

    if (--chain->left > 0)
        loop_post(chain->loop, on_chain, chain);
}

static void test_free_runs_what_waits(void **state)
{
    struct loop *loop = loop_new();
    struct chain chain = {loop, 5};

    (void)state;
    loop_post(loop, on_chain, &chain);
    loop_free(&loop);
    assert_int_equal(chain.left, 0);
    loop_free(&loop);
}

static void test_a_call_may_post(void **state)
{
    struct loop *loop = loop_new();
    struct chain chain = {loop, 5};

    (void)state;
    loop_post(loop, on_chain, &chain);
    for (int i = 0; i < 5; i++)
        loop_run_once(loop, DEADLINE_MS);
    assert_int_equal(chain.left, 0);
    loop_free(&loop);
}

struct timing {
    struct loop *loop;
    struct loop_timer *timer;
    int64_t due_us;
    int early;
    int fired;
    bool frees;
};

static void on_timing(void *context)
{
    struct timing *timing = context;

    timing->fired++;
    if (clock_now_us(&clock_steady) < timing->due_us)
        timing->early++;
    if (timing->frees)
        loop_timer_free(&timing->timer);
    loop_stop(timing->loop);
}

static void start(struct timing *timing, int64_t delay_ms)
{
    timing->due_us = clock_now_us(&clock_steady) + delay_ms * 1000;
    loop_timer_start(timing->timer, delay_ms);
}

static void test_timer_is_never_early(void **state)
{
    struct timing timing = {.loop = loop_new()};

    (void)state;
    timing.timer = loop_timer_new(timing.loop, on_timing, &timing);
    for (int64_t delay_ms = 0; delay_ms < 20; delay_ms++) {
        start(&timing, delay_ms);
        loop_run(timing.loop);
    }
    assert_int_equal(timing.fired, 20);
    assert_int_equal(timing.early, 0);
    loop_timer_free(&timing.timer);
    assert_null(timing.timer);
    loop_timer_free(&timing.timer);
    loop_free(&timing.loop);
}

static void start_late(void *context)
{
    int64_t until_us = clock_now_us(&clock_steady) + 10000;

    while (clock_now_us(&clock_steady) < until_us)
        continue;
    start(context, 20);
}

/* A call that took its time before it started the timer: the loop's own idea of now is old then. */
static void test_timer_is_never_early_after_a_long_call(void **state)
{
    struct timing first = {.loop = loop_new()};
    struct timing timing = {.loop = first.loop};

    (void)state;
    timing.timer = loop_timer_new(timing.loop, on_timing, &timing);
    first.timer = loop_timer_new(timing.loop, start_late, &timing);
    loop_timer_start(first.timer, 1);
    loop_run(timing.loop);
    assert_int_equal(timing.fired, 1);
    assert_int_equal(timing.early, 0);
    loop_timer_free(&first.timer);
    loop_timer_free(&timing.timer);
    loop_free(&timing.loop);
}

static void test_timer_starts_anew_and_stops(void **state)
{
    struct timing timing = {.loop = loop_new()};
    struct timing end = {.loop = timing.loop};

    (void)state;
    timing.timer = loop_timer_new(timing.loop, on_timing, &timing);
    end.timer = loop_timer_new(end.loop, on_timing, &end);
    start(&timing, DEADLINE_MS);
    start(&timing, 1);
    loop_run(timing.loop);
    assert_int_equal(timing.fired, 1);
    start(&timing, 1);
    loop_timer_stop(timing.timer);
    start(&end, 20);
    loop_run(end.loop);
    assert_int_equal(timing.fired, 1);
    assert_int_equal(end.fired, 1);
    start(&timing, 1);
    loop_timer_free(&timing.timer);
    start(&end, 20);
    loop_run(end.loop);
    assert_int_equal(timing.fired, 1);
    loop_timer_free(&end.timer);
    loop_free(&timing.loop);
}

static void test_timer_may_free_itself(void **state)
{
    struct timing timing = {.loop = loop_new(), .frees = true};

    (void)state;
    timing.timer = loop_timer_new(timing.loop, on_timing, &timing);
    start(&timing, 1);
    loop_run(timing.loop);
    assert_int_equal(timing.fired, 1);
    assert_null(timing.timer);
    loop_free(&timing.loop);
}

static void test_run_once_comes_back(void **state)
{
    struct loop *loop = loop_new();
    int64_t start_us = clock_now_us(&clock_steady);

    (void)state;
    loop_run_once(loop, 0);
    loop_run_once(loop, -1);
    loop_run_once(loop, 5);
    loop_run_once(loop, 5);
    assert_true(clock_now_us(&clock_steady) - start_us < DEADLINE_MS * 1000);
    loop_free(&loop);
}

/* A signal that comes before the loop runs must not be forgotten, nor end the run after the next.
 */
static void test_stop_before_run(void **state)
{
    struct timing timing = {.loop = loop_new()};

    (void)state;
    loop_stop(timing.loop);
    loop_run(timing.loop);
    timing.timer = loop_timer_new(timing.loop, on_timing, &timing);
    start(&timing, 1);
    loop_run(timing.loop);
    assert_int_equal(timing.fired, 1);
    loop_timer_free(&timing.timer);
    loop_free(&timing.loop);
}

static int64_t fixed_now(void *context)
{
    return *(int64_t *)context;
}

static void test_clocks(void **state)
{
    int64_t now_us = 42;
    struct clock fixed = {fixed_now, &now_us};
    int64_t steady_us = clock_now_us(&clock_steady);

    (void)state;
    assert_int_equal(clock_now_us(&fixed), 42);
    assert_true(clock_now_us(&clock_steady) >= steady_us);
    assert_true(clock_now_us(&clock_wall) >
                INT64_C(1700000000000000)); /* in 2023, in microseconds */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_posts_of_many_threads_keep_their_order),
        cmocka_unit_test(test_free_runs_what_waits),
        cmocka_unit_test(test_a_call_may_post),
        cmocka_unit_test(test_timer_is_never_early),
        cmocka_unit_test(test_timer_is_never_early_after_a_long_call),
        cmocka_unit_test(test_timer_starts_anew_and_stops),
        cmocka_unit_test(test_timer_may_free_itself),
        cmocka_unit_test(test_run_once_comes_back),
        cmocka_unit_test(test_stop_before_run),
        cmocka_unit_test(test_clocks),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
