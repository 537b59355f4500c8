/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/log/destinations.h"

#include "lib/base/mem.h"

#include <fcntl.h>
#include <regex.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char folder[] = "/tmp/sluice-test-XXXXXX";
static int saved_stderr;
char *log_path;

int log_set_up(void **state)
{
    (void)state;
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    (void)umask(022);
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    if (mkdtemp(folder) == NULL)
        return -1;
    log_path = mem_print("%s/log", folder);
    return 0;
}

int log_tear_down(void **state)
{
    char *rotated = mem_print("%s.1", log_path);

    (void)state;
    (void)unlink(log_path);
    (void)unlink(rotated);
    (void)rmdir(folder);
    free(rotated);
    free(log_path);
    return 0;
}

struct log *open_log(const char *kind, enum log_format format)
{
    char *destination =
        strcmp(kind, "stderr") == 0 ? mem_copy(kind) : mem_print("%s:%s", kind, log_path);
    struct log_settings settings = {.program = "sluice-test",
                                    .destination = destination,
                                    .format = format,
                                    .facility = LOG_MAIL};
    char *problem = NULL;
    struct log *log = log_open(&settings, &problem);

    if (log == NULL)
        fail_msg("%s: %s", destination, problem);
    free(destination);
    return log;
}

void write_number(struct log *log, int64_t number, const char *filler)
{
    struct log_event event;

    log_begin(&event, log, LOG_INFO, "q", "test");
    log_number(&event, "n", number);
    log_string(&event, "filler", filler);
    log_write(&event);
}

void assert_matches(const char *line, const char *pattern)
{
    regex_t regex;

    assert_int_equal(regcomp(&regex, pattern, REG_EXTENDED | REG_NOSUB), 0);
    if (regexec(&regex, line, 0, NULL, 0) != 0)
        fail_msg("\"%s\" does not match %s", line, pattern);
    regfree(&regex);
}

int64_t assert_numbered(const char *lines, int64_t first)
{
    const char *end = lines + strlen(lines);

    while (lines < end) {
        static const char name[] = "event=test n=";
        const char *line_end = memchr(lines, '\n', (size_t)(end - lines));
        const char *number =
            line_end != NULL ? memmem(lines, (size_t)(line_end - lines), name, strlen(name)) : NULL;

        if (number == NULL || strtoll(number + strlen(name), NULL, 10) != first)
            fail_msg("not n=%lld: %.200s", (long long)first, lines);
        lines = line_end + 1;
        first++;
    }
    return first;
}

void take_in(int fd, struct text *text)
{
    char bytes[8192];
    ssize_t got;

    while ((got = read(fd, bytes, sizeof(bytes))) > 0)
        text_add(text, bytes, (size_t)got);
}

int catch_stderr(bool narrow)
{
    int ends[2];

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    if (narrow)
        assert_true(fcntl(ends[1], F_SETPIPE_SZ, 4096) >= 0);
    assert_int_equal(fcntl(ends[0], F_SETFL, O_NONBLOCK), 0);
    saved_stderr = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 10);
    assert_true(saved_stderr >= 0);
    assert_true(dup2(ends[1], STDERR_FILENO) >= 0);
    close(ends[1]);
    return ends[0];
}

void release_stderr(void)
{
    (void)dup2(saved_stderr, STDERR_FILENO);
    close(saved_stderr);
}
