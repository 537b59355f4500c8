/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/log/destinations.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/privileges.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void reopen(struct log *log)
{
    char *destination = mem_print("file:%s", log_path);
    struct log_settings settings = {.program = "sluice-test",
                                    .destination = destination,
                                    .format = LOG_FORMAT_TEXT,
                                    .facility = LOG_MAIL};
    char *problem = NULL;

    if (!log_reopen(log, &settings, &problem))
        fail_msg("%s", problem);
    free(destination);
}

static char *contents(const char *file)
{
    struct text text = TEXT_EMPTY;
    char bytes[4096];
    ssize_t got;
    int fd = open(file, O_RDONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    while ((got = read(fd, bytes, sizeof(bytes))) > 0)
        text_add(&text, bytes, (size_t)got);
    close(fd);
    return text_take(&text);
}

/* Every line of the file is whole, and they are the numbers from first to last. */
static void assert_file(const char *file, int64_t first, int64_t last)
{
    char *lines = contents(file);
    char *rest = lines;
    char *line;

    assert_int_equal(assert_numbered(lines, first), last + 1);
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0')
        assert_matches(line, "^[^ ]{32} [^ ]+ sluice-test\\[[0-9]+\\]: q: event=test n=[0-9]+$");
    free(lines);
}

static void test_file(void **state)
{
    static const char time[] =
        "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\.[0-9]{6}[+-][0-9]{2}:[0-9]{2}";
    char *pattern =
        mem_print("%s [^ .]+ sluice-test\\[%d\\]: q: event=test n=7\n$", time, (int)getpid());
    char *json_pattern =
        mem_print("^\\{\"time\":\"%s\",\"host\":\"[^\".]+\",\"program\":\"sluice-test\",\"pid\":%d,"
                  "\"queue_id\":\"q\",\"event\":\"test\",\"n\":7\\}\n$",
                  time + 1, (int)getpid());
    struct log *log = open_log("file", LOG_FORMAT_TEXT);
    struct stat status;
    char *lines;

    (void)state;
    write_number(log, 7, NULL);
    lines = contents(log_path);
    assert_matches(lines, pattern);
    assert_int_equal(stat(log_path, &status), 0);
    assert_int_equal(status.st_mode & 07777, 0640);
    log_close(&log);
    free(lines);
    assert_int_equal(unlink(log_path), 0);
    log = open_log("file", LOG_FORMAT_JSON);
    write_number(log, 7, NULL);
    lines = contents(log_path);
    assert_matches(lines, json_pattern);
    log_close(&log);
    free(lines);
    free(pattern);
    free(json_pattern);
}

static void test_file_is_added_to(void **state)
{

    (void)state;
    for (int i = 0; i < 3; i++) {
        struct log *log = open_log("file", LOG_FORMAT_TEXT);

        write_number(log, i, NULL);
        log_close(&log);
    }
    assert_file(log_path, 0, 2);
}

static void test_destinations(void **state)
{
    static const char *const wrong[] = {
        "",         "sylog",     "file",    "file:",
        "stderr:x", "syslogger", "stderrx", "file:/dev/null/folder/log",
        "syslog:",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct log_settings settings = {.program = "sluice-test",
                                        .destination = wrong[i],
                                        .format = LOG_FORMAT_TEXT,
                                        .facility = LOG_MAIL};
        char *problem = NULL;

        if (log_open(&settings, &problem) != NULL || problem == NULL)
            fail_msg("\"%s\" was opened", wrong[i]);
        free(problem);
    }
}

static void test_rotation(void **state)
{
    struct log *log = open_log("file", LOG_FORMAT_TEXT);
    struct log_settings wrong = {.program = "sluice-test",
                                 .destination = "file:/dev/null/folder/log",
                                 .format = LOG_FORMAT_JSON,
                                 .facility = LOG_MAIL};
    char *rotated = mem_print("%s.1", log_path);
    char *problem = NULL;

    (void)state;
    write_number(log, 0, NULL);
    assert_int_equal(rename(log_path, rotated), 0);
    write_number(log, 1, NULL);
    reopen(log);
    write_number(log, 2, NULL);
    assert_false(log_reopen(log, &wrong, &problem));
    assert_non_null(strstr(problem, "/dev/null/folder/log"));
    free(problem);
    write_number(log, 3, NULL);
    log_close(&log);
    assert_file(rotated, 0, 1);
    assert_file(log_path, 2, 3);
    free(rotated);
}

/* What root makes is given to who writes it later; what lay there before is not. */
static void test_owner(void **state)
{
    char *destination = mem_print("file:%s", log_path);
    const struct log_settings settings = {
        .program = "sluice-test", .destination = destination, .owner = "nobody"};
    uid_t uid;
    gid_t gid;

    (void)state;
    if (geteuid() != 0 || !privileges_find_user("nobody", &uid, &gid)) {
        free(destination);
        skip();
    }
    for (int before = 0; before < 2; before++) {
        char *problem = NULL;
        struct log *log;
        struct stat status;

        (void)unlink(log_path);
        if (before)
            assert_int_equal(close(open(log_path, O_WRONLY | O_CREAT, 0640)), 0);
        log = log_open(&settings, &problem);
        assert_non_null(log);
        assert_int_equal(stat(log_path, &status), 0);
        assert_int_equal(status.st_uid, before ? 0 : uid);
        log_close(&log);
    }
    free(destination);
}

static void limit_file_size(rlim_t size)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = size < limit.rlim_max ? size : limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* A file that takes one line and a part of the next, as a disk that fills up does.  What happens
 * before there is room again must lose nothing and leave no line broken. */
static struct log *fill_disk(void)
{
    struct log *log = open_log("file", LOG_FORMAT_TEXT);
    struct stat status;

    write_number(log, 0, NULL);
    assert_int_equal(stat(log_path, &status), 0);
    limit_file_size((rlim_t)status.st_size + 30);
    write_number(log, 1, NULL);
    write_number(log, 2, NULL);
    return log;
}

static void test_full_disk(void **state)
{
    struct log *log = fill_disk();
    size_t left = log_flush(log);

    (void)state;
    write_number(log, 3, NULL);
    limit_file_size(RLIM_INFINITY);
    assert_true(left > 0);
    assert_int_equal(log_flush(log), 0);
    write_number(log, 4, NULL);
    assert_file(log_path, 0, 4);
    log_close(&log);
}

static void test_full_disk_and_the_next_line_writes(void **state)
{
    struct log *log = fill_disk();

    (void)state;
    limit_file_size(RLIM_INFINITY);
    write_number(log, 3, NULL);
    assert_file(log_path, 0, 3);
    log_close(&log);
}

static void test_reload_on_a_full_disk(void **state)
{
    struct log *log = fill_disk();

    (void)state;
    reopen(log); /* the same file: its half line is finished */
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(log_flush(log), 0);
    assert_file(log_path, 0, 2);
    log_close(&log);
}

static void test_rotation_on_a_full_disk(void **state)
{
    char *rotated = mem_print("%s.1", log_path);
    struct log *log = fill_disk();

    (void)state;
    assert_int_equal(rename(log_path, rotated), 0);
    limit_file_size(20); /* the new file takes no whole line either */
    reopen(log);
    limit_file_size(RLIM_INFINITY);
    assert_int_equal(log_flush(log), 0);
    /* A line begun in the old file is whole in the new one. */
    assert_file(log_path, 1, 2);
    free(rotated);
    log_close(&log);
}

enum { WRITERS = 6, LINES_EACH = 1000 };

struct writer {
    struct log *log;
    pthread_t thread;
    int number;
};

static void *write_many(void *context)
{
    struct writer *writer = context;

    for (int i = 0; i < LINES_EACH; i++) {
        struct log_event event;

        log_begin(&event, writer->log, LOG_INFO, "q", "test");
        log_number(&event, "writer", writer->number);
        log_number(&event, "n", i);
        log_write(&event);
    }
    return NULL;
}

static void test_many_threads(void **state)
{
    struct log *log = open_log("file", LOG_FORMAT_TEXT);
    struct writer writers[WRITERS];
    int next[WRITERS] = {0};
    int count = 0;
    char *lines, *rest, *line;

    (void)state;
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = (struct writer){.log = log, .number = i};
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_many, &writers[i]), 0);
    }
    for (int i = 0; i < 50; i++) {
        reopen(log);
        (void)log_flush(log);
    }
    for (int i = 0; i < WRITERS; i++)
        assert_int_equal(pthread_join(writers[i].thread, NULL), 0);
    log_close(&log);
    lines = contents(log_path);
    rest = lines;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        const char *at = strstr(line, "]: q: event=test writer=");
        int writer = -1, n = -1;

        if (at == NULL || sscanf(at, "]: q: event=test writer=%d n=%d", &writer, &n) != 2 ||
            writer < 0 || writer >= WRITERS || n != next[writer])
            fail_msg("%s", line);
        next[writer]++;
        count++;
    }
    free(lines);
    assert_int_equal(count, WRITERS * LINES_EACH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_file, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_file_is_added_to, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_destinations, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_rotation, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_owner, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_full_disk_and_the_next_line_writes, log_set_up,
                                        log_tear_down),
        cmocka_unit_test_setup_teardown(test_reload_on_a_full_disk, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_rotation_on_a_full_disk, log_set_up, log_tear_down),
        cmocka_unit_test_setup_teardown(test_many_threads, log_set_up, log_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
