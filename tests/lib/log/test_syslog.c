/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/log/destinations.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

static int listen_at_path(int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    assert_true(fd >= 0);
    assert_true(strlen(log_path) < sizeof(address.sun_path));
    memcpy(address.sun_path, log_path, strlen(log_path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    if (type == SOCK_STREAM)
        assert_int_equal(listen(fd, 5), 0);
    return fd;
}

/* Adds the datagrams that are there, each as a line. */
static size_t take_datagrams(int fd, struct text *text)
{
    char bytes[4096];
    ssize_t got;
    size_t count = 0;

    while ((got = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT)) >= 0) {
        text_add(text, bytes, (size_t)got);
        text_add_char(text, '\n');
        count++;
    }
    return count;
}

static void test_syslog(void **state)
{
    int fd = listen_at_path(SOCK_DGRAM);
    struct log *log = open_log("syslog", LOG_FORMAT_TEXT);
    struct log *json = open_log("syslog", LOG_FORMAT_JSON);
    struct text text = TEXT_EMPTY;
    char *pattern = mem_print(
        "^<22>(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ 123][0-9] [0-2][0-9]:[0-5][0-9]:"
        "[0-6][0-9] sluice-test\\[%d\\]: q: event=test n=0\n<22>[^<]*: "
        "\\{\"queue_id\":\"q\",\"event\":\"test\",\"n\":1\\}\n<19>[^<]*: NOQUEUE: event=x\n$",
        (int)getpid());
    struct log_event event;

    (void)state;
    write_number(log, 0, NULL);
    write_number(json, 1, NULL);
    log_begin(&event, log, LOG_ERR, NULL, "x");
    log_write(&event);
    assert_int_equal(take_datagrams(fd, &text), 3);
    assert_matches(text_string(&text), pattern);
    log_close(&log);
    log_close(&json);
    text_free(&text);
    free(pattern);
    close(fd);
}

/* Flushes and reads until nothing is kept. */
static void drain_datagrams(struct log *log, int fd, struct text *text)
{
    int64_t deadline_us = clock_now_us(&clock_steady) + DEADLINE_US;
    struct pollfd ready = {.fd = fd, .events = POLLIN};

    while (log_flush(log) > 0 && clock_now_us(&clock_steady) < deadline_us) {
        (void)poll(&ready, 1, WAIT_MS);
        (void)take_datagrams(fd, text);
    }
    (void)take_datagrams(fd, text);
}

static void test_stalled_syslog(void **state)
{
    enum { LINES = 3000 };
    int fd = listen_at_path(SOCK_DGRAM);
    struct log *log = open_log("syslog", LOG_FORMAT_TEXT);
    struct text text = TEXT_EMPTY;

    (void)state;
    for (int i = 0; i < LINES; i++)
        write_number(log, i, NULL);
    assert_true(log_flush(log) > 0);
    drain_datagrams(log, fd, &text);
    assert_int_equal(assert_numbered(text_string(&text), 0), LINES);
    log_close(&log);
    text_free(&text);
    close(fd);
}

static void test_restarted_syslog(void **state)
{
    int fd = listen_at_path(SOCK_DGRAM);
    struct log *log = open_log("syslog", LOG_FORMAT_TEXT);
    struct text text = TEXT_EMPTY;

    (void)state;
    write_number(log, 0, NULL);
    (void)take_datagrams(fd, &text);
    close(fd);
    assert_int_equal(unlink(log_path), 0);
    fd = listen_at_path(SOCK_DGRAM);
    write_number(log, 1, NULL); /* not one line later: this one */
    assert_int_equal(take_datagrams(fd, &text), 1);
    close(fd);
    assert_int_equal(unlink(log_path), 0);
    write_number(log, 2, NULL);
    write_number(log, 3, NULL);
    assert_true(log_flush(log) > 0);
    fd = listen_at_path(SOCK_DGRAM);
    drain_datagrams(log, fd, &text);
    assert_int_equal(assert_numbered(text_string(&text), 0), 4);
    log_close(&log);
    text_free(&text);
    close(fd);
}

/* More than is kept, with no syslog there: the first ones arrive in order, then the count of the
 * others, then what came afterwards. */
static void test_lost_lines_are_counted(void **state)
{
    enum { LINES = 6000, AFTER = 3 };
    struct log *log = open_log("syslog", LOG_FORMAT_TEXT);
    struct text text = TEXT_EMPTY;
    int64_t deadline_us = clock_now_us(&clock_steady) + DEADLINE_US;
    char filler[901];
    char *lost, *report;
    int64_t kept;
    int fd;

    (void)state;
    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    for (int i = 0; i < LINES; i++)
        write_number(log, i, filler);
    assert_true(log_flush(log) <= LOG_KEEP_MAX);
    assert_true(log_flush(log) > LOG_KEEP_MAX - LOG_LINE_MAX);
    fd = listen_at_path(SOCK_DGRAM);
    while (take_datagrams(fd, &text) == 0 && clock_now_us(&clock_steady) < deadline_us)
        (void)log_flush(log);
    assert_true(log_flush(log) > 0); /* some are still kept, and there is room for more */
    for (int i = 0; i < AFTER; i++)
        write_number(log, LINES + i, NULL);
    drain_datagrams(log, fd, &text);
    report = strstr(text_string(&text), "NOQUEUE: event=log lost=");
    assert_non_null(report);
    while (report > text.bytes && report[-1] != '\n')
        report--;
    *report = '\0';
    kept = assert_numbered(text_string(&text), 0);
    lost = strstr(report + 1, "lost=") + 5;
    assert_int_equal(strtoll(lost, &lost, 10), LINES - kept);
    assert_int_equal(*lost, '\n');
    assert_int_equal(assert_numbered(lost + 1, LINES), LINES + AFTER);
    assert_matches(report + 1, "^20>"); /* mail.warning */
    log_close(&log);
    text_free(&text);
    close(fd);
}

/* Some syslogs listen on a stream; there a NUL ends each message. */
static void test_stream_syslog(void **state)
{
    enum { LINES = 2000 };
    int listener = listen_at_path(SOCK_STREAM);
    struct log *log = open_log("syslog", LOG_FORMAT_TEXT);
    struct text text = TEXT_EMPTY;
    int64_t deadline_us = clock_now_us(&clock_steady) + DEADLINE_US;
    char filler[801];
    int fd;

    (void)state;
    memset(filler, 'x', sizeof(filler) - 1);
    filler[sizeof(filler) - 1] = '\0';
    for (int i = 0; i < LINES; i++)
        write_number(log, i, filler); /* more than a socket's buffer: some are written in parts */
    assert_true(log_flush(log) > 0);
    fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    assert_true(fd >= 0);
    do
        take_in(fd, &text);
    while (log_flush(log) > 0 && clock_now_us(&clock_steady) < deadline_us);
    take_in(fd, &text);
    assert_true(text.length > 0);
    for (size_t i = 0; i < text.length; i++) {
        assert_true(text.bytes[i] != '\n');
        if (text.bytes[i] == '\0')
            text.bytes[i] = '\n';
    }
    assert_int_equal(assert_numbered(text_string(&text), 0), LINES);
    log_close(&log);
    text_free(&text);
    close(fd);
    close(listener);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_syslog, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_stalled_syslog, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_restarted_syslog, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_lost_lines_are_counted, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_stream_syslog, log_set_up, log_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
