/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/log/destinations.h"

#include "lib/base/clock.h"
#include "lib/base/count.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

static void test_stderr(void **state)
{
    int fd = catch_stderr(false);
    struct log *log = open_log("stderr", LOG_FORMAT_TEXT);
    struct text text = TEXT_EMPTY;

    (void)state;
    write_number(log, 0, NULL);
    write_number(log, 1, NULL);
    log_close(&log);
    release_stderr();
    take_in(fd, &text);
    close(fd);
    assert_matches(text_string(&text),
                   "^[0-9T:.+-]+ [^ ]+ sluice-test\\[[0-9]+\\]: q: event=test n=0\n");
    assert_int_equal(assert_numbered(text_string(&text), 0), 2);
    text_free(&text);
}

static void test_stalled_stderr(void **state)
{
    enum { LINES = 500 };
    int fd = catch_stderr(true);
    struct log *log = open_log("stderr", LOG_FORMAT_TEXT);
    struct text text = TEXT_EMPTY;
    int64_t deadline_us = clock_now_us(&clock_steady) + DEADLINE_US;
    size_t left;

    (void)state;
    for (int i = 0; i < LINES; i++)
        write_number(log, i, "and more than a pipe of one page holds");
    do {
        take_in(fd, &text);
        left = log_flush(log);
    } while (left > 0 && clock_now_us(&clock_steady) < deadline_us);
    take_in(fd, &text);
    log_close(&log);
    release_stderr();
    close(fd);
    assert_int_equal(assert_numbered(text_string(&text), 0), LINES);
    text_free(&text);
}

static void test_closing_tells_what_is_lost(void **state)
{
    static const char *const said[] = {"", "1 log line could not be written\n",
                                       "2 log lines could not be written\n"};

    (void)state;
    for (int count = 0; count < (int)COUNT_OF(said); count++) {
        int fd = catch_stderr(false);
        struct log *log = open_log("syslog", LOG_FORMAT_TEXT);
        struct text text = TEXT_EMPTY;

        for (int i = 0; i < count; i++)
            write_number(log, i, NULL);
        log_close(&log);
        release_stderr();
        take_in(fd, &text);
        close(fd);
        assert_string_equal(text_string(&text), said[count]);
        text_free(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_stderr, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_stalled_stderr, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_closing_tells_what_is_lost, log_set_up, log_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
