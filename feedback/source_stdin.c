/* SPDX-License-Identifier: BSD-2-Clause */
/* Log lines from standard input, up to its end. */
#include "feedback/lines.h"
#include "feedback/source.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

struct standard_input {
    struct lines lines;
    struct event *readable; /* NULL: a file or a device, which libevent cannot wait for */
    void (*wake)(void *context);
    void *context;
    bool ended;
};

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct standard_input *input = context;

    (void)fd;
    (void)what;
    input->wake(input->context);
}

/* Reads once.  false: there is nothing now. */
static bool fill(struct standard_input *input)
{
    size_t room;
    char *to = lines_room(&input->lines, &room);
    ssize_t got = read(STDIN_FILENO, to, room);

    if (got > 0) {
        lines_added(&input->lines, (size_t)got);
        return true;
    }
    if (got < 0 && errno == EINTR)
        return true;
    if (got < 0 && errno == EAGAIN) {
        if (input->readable != NULL)
            event_add(input->readable, NULL);
        return false;
    }
    input->ended = true;
    return false;
}

static enum source_result next(void *state, struct span *line_r)
{
    struct standard_input *input = state;
    uint64_t octets;

    for (;;) {
        if (lines_next(&input->lines, line_r, &octets))
            return SOURCE_LINE;
        if (input->ended)
            return lines_rest(&input->lines, line_r, &octets) ? SOURCE_LINE : SOURCE_END;
        if (!fill(input) && !input->ended)
            return SOURCE_NOTHING;
    }
}

static void release(void *state)
{
    struct standard_input *input = state;

    if (input->readable != NULL)
        event_free(input->readable);
    lines_free(&input->lines);
    free(input);
}

const struct source_kind *source_stdin_open(struct loop *loop, void (*wake)(void *context),
                                            void *context, void **state_r, char **problem_r)
{
    static const struct source_kind kind = {.next = next, .free = release};
    struct standard_input *input = mem_new(1, sizeof(*input));
    int flags = fcntl(STDIN_FILENO, F_GETFL);
    struct stat status;

    (void)problem_r;
    input->wake = wake;
    input->context = context;
    lines_init(&input->lines);
    if (flags >= 0)
        (void)fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK);
    /* epoll takes no regular file, which never makes anybody wait either. */
    if (fstat(STDIN_FILENO, &status) == 0 && !S_ISREG(status.st_mode))
        input->readable = event_new(loop_base(loop), STDIN_FILENO, EV_READ, on_readable, input);
    *state_r = input;
    return &kind;
}
