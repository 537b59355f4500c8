/* SPDX-License-Identifier: BSD-2-Clause */
/* The second SPF engine's program: asked, killed, frozen, missing, and asked nonsense. */
#include "lib/auth/spf_engine.h"
#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define PATIENCE_US (20 * INT64_C(1000000))
#define SHORT_MS 2000
#define LONG_MS 20000 /* where nothing is to be late */
#define STEP_MS 20

#define PASSES                                                                                     \
    "client 192.0.2.1\ndomain example.com\nask TXT found example.com\nis v=spf1 a -all\n"          \
    "ask A found example.com\nis 192.0.2.1\n"
#define NO_RECORD "client 192.0.2.1\ndomain example.com\nask TXT nodata example.com\n"
#define MISSES "client 192.0.2.1\ndomain example.com\nask TXT found example.com\nis v=spf1 a -all\n"

struct fixture {
    struct loop *loop;
    struct spf_engine *engine;
    unsigned downs, ups, differences;
    char *problem;
    unsigned answered;
    struct spf_opinion opinion;
};

static void tell(const struct spf_engine_event *event, void *context)
{
    struct fixture *fixture = context;

    fixture->downs += event->happening == SPF_ENGINE_DOWN;
    fixture->ups += event->happening == SPF_ENGINE_UP;
    fixture->differences += event->happening == SPF_ENGINE_DIFFERS;
    if (event->problem != NULL) {
        free(fixture->problem);
        fixture->problem = mem_copy(event->problem);
    }
}

static void open_with(struct fixture *fixture, enum conf_spf_engine which, const char *program,
                      int64_t timeout_ms)
{
    const char *top = getenv("top_builddir");
    char *built = mem_print("%s/sluice-libspf2", top != NULL ? top : ".");
    const struct spf_engine_settings settings = {
        .engine = which,
        .program = program != NULL ? program : built,
        .timeout_ms = timeout_ms,
        .tell = tell,
        .context = fixture,
    };

    *fixture = (struct fixture){.loop = loop_new()};
    fixture->engine = spf_engine_new(fixture->loop, &settings);
    free(built);
}

static void open_engine(struct fixture *fixture, enum conf_spf_engine which, const char *program)
{
    open_with(fixture, which, program, LONG_MS);
}

static void close_engine(struct fixture *fixture)
{
    spf_engine_free(&fixture->engine);
    loop_free(&fixture->loop);
    free(fixture->problem);
}

static void on_answer(const struct spf_opinion *opinion, void *context)
{
    struct fixture *fixture = context;

    fixture->answered++;
    fixture->opinion = *opinion;
}

static struct spf_asking *ask(struct fixture *fixture, const char *text, enum spf_status own)
{
    static const struct ip_address client = {.family = 4, .bytes = {192, 0, 2, 1}};
    const struct spf_question question = {
        .text = text,
        .length = strlen(text),
        .client = &client,
        .domain = "example.com",
        .own = own,
        .mechanism = "a",
    };

    return spf_engine_ask(fixture->engine, &question, on_answer, fixture);
}

static void wait_for(struct fixture *fixture, const unsigned *count, unsigned wanted)
{
    int64_t end_us = clock_now_us(&clock_steady) + PATIENCE_US;

    while (*count < wanted) {
        assert_true(clock_now_us(&clock_steady) < end_us);
        loop_run_once(fixture->loop, STEP_MS);
    }
}

static void get(struct fixture *fixture, const char *text, enum spf_status own)
{
    fixture->answered = 0;
    assert_non_null(ask(fixture, text, own));
    wait_for(fixture, &fixture->answered, 1);
}

/* It is started anew, if not at once. */
static void get_again(struct fixture *fixture)
{
    int64_t end_us = clock_now_us(&clock_steady) + PATIENCE_US;

    fixture->opinion.given = false;
    while (!fixture->opinion.given) {
        assert_true(clock_now_us(&clock_steady) < end_us);
        (void)ask(fixture, PASSES, SPF_PASS);
        loop_run_once(fixture->loop, STEP_MS);
    }
    assert_int_equal(fixture->opinion.said, SPF_PASS);
}

static void test_whose_result_stands(void **state)
{
    static const struct {
        const char *name;
        enum conf_spf_engine which;
        const char *text;
        enum spf_status own, said, stands;
    } rows[] = {
        {"the same", SPF_ENGINE_LIBSPF2, PASSES, SPF_PASS, SPF_PASS, SPF_PASS},
        {"libspf2's", SPF_ENGINE_LIBSPF2, PASSES, SPF_FAIL, SPF_PASS, SPF_PASS},
        {"ours", SPF_ENGINE_BOTH, PASSES, SPF_FAIL, SPF_PASS, SPF_FAIL},
        {"ours against an error", SPF_ENGINE_LIBSPF2, NO_RECORD, SPF_PASS, SPF_NONE, SPF_PASS},
        {"ours where more was asked", SPF_ENGINE_LIBSPF2, MISSES, SPF_PASS, SPF_FAIL, SPF_PASS},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;

        open_engine(&fixture, rows[i].which, NULL);
        get(&fixture, rows[i].text, rows[i].own);
        if (!fixture.opinion.given || fixture.opinion.said != rows[i].said ||
            fixture.opinion.stands != rows[i].stands ||
            fixture.differences != (rows[i].own != rows[i].said))
            fail_msg("%s: given %d, said %s, stands %s, %u differences", rows[i].name,
                     fixture.opinion.given, spf_status_name(fixture.opinion.said),
                     spf_status_name(fixture.opinion.stands), fixture.differences);
        assert_int_equal(fixture.downs + fixture.ups, 0);
        close_engine(&fixture);
    }
}

static void test_many(void **state)
{
    struct fixture fixture;

    (void)state;
    open_engine(&fixture, SPF_ENGINE_BOTH, NULL);
    for (unsigned i = 0; i < SPF_ENGINE_WAITING_MAX; i++)
        assert_non_null(ask(&fixture, PASSES, SPF_PASS));
    assert_null(ask(&fixture, PASSES, SPF_PASS));
    wait_for(&fixture, &fixture.answered, SPF_ENGINE_WAITING_MAX);
    assert_true(fixture.opinion.given);
    assert_int_equal(fixture.differences + fixture.downs, 0);
    close_engine(&fixture);
}

static void ask_once_more(const struct spf_opinion *opinion, void *context)
{
    on_answer(opinion, context);
    assert_non_null(ask(context, PASSES, SPF_PASS));
}

/* Each question is sent once, also where it is asked from within an answer. */
static void test_asked_within_an_answer(void **state)
{
    static const struct ip_address client = {.family = 4, .bytes = {192, 0, 2, 1}};
    const struct spf_question question = {
        .text = PASSES,
        .length = strlen(PASSES),
        .client = &client,
        .domain = "example.com",
        .own = SPF_PASS,
        .mechanism = "a",
    };
    struct fixture fixture;

    (void)state;
    open_engine(&fixture, SPF_ENGINE_BOTH, NULL);
    assert_non_null(spf_engine_ask(fixture.engine, &question, ask_once_more, &fixture));
    wait_for(&fixture, &fixture.answered, 2);
    get(&fixture, PASSES, SPF_PASS);
    get(&fixture, PASSES, SPF_PASS);
    assert_true(fixture.opinion.given);
    assert_int_equal(fixture.downs, 0);
    close_engine(&fixture);
}

static void test_cancel_and_stop(void **state)
{
    struct fixture fixture;

    (void)state;
    open_engine(&fixture, SPF_ENGINE_BOTH, NULL);
    spf_engine_cancel(ask(&fixture, PASSES, SPF_PASS));
    assert_non_null(ask(&fixture, PASSES, SPF_PASS));
    wait_for(&fixture, &fixture.answered, 1);
    assert_non_null(ask(&fixture, PASSES, SPF_PASS));
    spf_engine_stop(fixture.engine);
    assert_int_equal(fixture.answered, 2);
    assert_false(fixture.opinion.given);
    assert_null(ask(&fixture, PASSES, SPF_PASS));
    close_engine(&fixture);
}

static void test_reload(void **state)
{
    struct fixture fixture;

    (void)state;
    open_engine(&fixture, SPF_ENGINE_OWN, NULL);
    assert_false(spf_engine_is_on(fixture.engine));
    assert_null(ask(&fixture, PASSES, SPF_PASS));
    spf_engine_set(fixture.engine, SPF_ENGINE_BOTH);
    get(&fixture, PASSES, SPF_PASS);
    spf_engine_set(fixture.engine, SPF_ENGINE_OWN);
    assert_null(ask(&fixture, PASSES, SPF_PASS));
    spf_engine_set(fixture.engine, SPF_ENGINE_LIBSPF2);
    get_again(&fixture);
    assert_int_equal(fixture.downs + fixture.ups, 0);
    close_engine(&fixture);
}

/* Whatever ends it: our result stands, that is said once, and the next question starts it anew. */
static void end_in_the_middle(int signal, const char *problem, int64_t timeout_ms)
{
    struct fixture fixture;

    open_with(&fixture, SPF_ENGINE_LIBSPF2, NULL, timeout_ms);
    get(&fixture, PASSES, SPF_PASS);
    fixture.answered = 0;
    assert_int_equal(kill(spf_engine_pid(fixture.engine), SIGSTOP), 0);
    assert_non_null(ask(&fixture, PASSES, SPF_FAIL));
    assert_non_null(ask(&fixture, PASSES, SPF_FAIL));
    assert_int_equal(kill(spf_engine_pid(fixture.engine), signal), 0);
    wait_for(&fixture, &fixture.answered, 2);
    assert_false(fixture.opinion.given);
    assert_int_equal(fixture.opinion.stands, SPF_FAIL);
    wait_for(&fixture, &fixture.downs, 1);
    assert_string_equal(fixture.problem, problem);
    get_again(&fixture);
    assert_int_equal(fixture.ups, 1);
    assert_int_equal(kill(spf_engine_pid(fixture.engine), SIGKILL), 0);
    get(&fixture, PASSES, SPF_PASS);
    assert_false(fixture.opinion.given);
    get_again(&fixture);
    assert_int_equal(fixture.downs, 1);
    assert_int_equal(fixture.ups, 1);
    close_engine(&fixture);
}

/* A service manager stops a daemon and its helper at once, and an operator's Ctrl-C does. */
static void test_stopped_with_the_daemon(void **state)
{
    static const int signals[] = {SIGHUP, SIGINT, SIGTERM};
    struct fixture fixture;

    (void)state;
    open_engine(&fixture, SPF_ENGINE_BOTH, NULL);
    for (size_t i = 0; i < COUNT_OF(signals); i++) {
        get(&fixture, PASSES, SPF_PASS);
        assert_int_equal(kill(spf_engine_pid(fixture.engine), signals[i]), 0);
    }
    get(&fixture, PASSES, SPF_PASS);
    assert_true(fixture.opinion.given);
    assert_int_equal(fixture.downs, 0);
    close_engine(&fixture);
}

static void test_killed(void **state)
{
    (void)state;
    end_in_the_middle(SIGKILL, "signal 9", LONG_MS);
}

static void test_frozen(void **state)
{
    (void)state;
    end_in_the_middle(SIGSTOP, "no answer in time", SHORT_MS);
}

static void test_unusable(void **state)
{
    static const struct {
        const char *program, *text, *problem;
        bool starts;
    } rows[] = {
        {"/nowhere/sluice-libspf2", PASSES, "cannot start /nowhere/sluice-libspf2: No such file",
         false},
        {"/bin/false", PASSES, "exit status 1", true},
        {NULL, "client nonsense\n", "exit status 65", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct fixture fixture;

        open_engine(&fixture, SPF_ENGINE_LIBSPF2, rows[i].program);
        assert_int_equal(ask(&fixture, rows[i].text, SPF_PASS) != NULL, rows[i].starts);
        wait_for(&fixture, &fixture.answered, rows[i].starts);
        assert_null(ask(&fixture, rows[i].text, SPF_PASS));
        wait_for(&fixture, &fixture.downs, 1);
        if (strncmp(fixture.problem, rows[i].problem, strlen(rows[i].problem)) != 0)
            fail_msg("row %zu: %s", i, fixture.problem);
        assert_int_equal(fixture.downs, 1);
        close_engine(&fixture);
    }
}

static void test_reading(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {
        {PASSES, true},
        {NO_RECORD, true},
        {"", false},
        {"client 192.0.2.1\ndomain example.com", false},
        {"client 192.0.2.1\n", false},
        {"domain example.com\n", false},
        {"client 192.0.2.1\ndomain example..com\n", false},
        {"client 192.0.2.1\ndomain example.com\nis v=spf1\n", false},
        {"client 192.0.2.1\ndomain example.com\nask TXT absent example.com\nis v=spf1\n", false},
        {"client 192.0.2.1\ndomain example.com\nask SPF found example.com\n", false},
        {"client 192.0.2.1\ndomain example.com\nask A found a.example.com\nis ::1\n", false},
        {"client 192.0.2.1\ndomain example.com\nask\n", false},
        {"client 192.0.2.1\ndomain example.com\n\n", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct spf_request request;

        if (spf_request_parse(rows[i].text, strlen(rows[i].text), &request) != rows[i].good)
            fail_msg("\"%s\"", rows[i].text);
        spf_request_clear(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_whose_result_stands),
        cmocka_unit_test(test_many),
        cmocka_unit_test(test_asked_within_an_answer),
        cmocka_unit_test(test_cancel_and_stop),
        cmocka_unit_test(test_reload),
        cmocka_unit_test(test_stopped_with_the_daemon),
        cmocka_unit_test(test_killed),
        cmocka_unit_test(test_frozen),
        cmocka_unit_test(test_unusable),
        cmocka_unit_test(test_reading),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
