/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A log file that grows and is rotated: renamed, or copied and truncated; what is old may be
 * compressed.
 *
 * One rule serves start, restart and rotation: find the file that the mark is in, among the log and
 * what rotation made of it, and read on from there, file by file, up to the log itself.
 */
#include "feedback/input.h"
#include "feedback/lines.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define LOOK_MS 200 /* how often to look whether the log has grown */
#define KNOWN_MAX ((uint64_t)16 * 1024 * 1024) /* octets before a mark that are read once more */

struct log_file {
    char *path;
    struct strings plan; /* older files, to be read before the log itself */
    size_t planned; /* the next of them */
    uint64_t start; /* offset in the next file */
    uint64_t known; /* up to there the next file, or the open one, was read before; 0: it was not */
    struct input input;
    bool is_log; /* the open file is the log itself, not an older one */
    bool leaving; /* another file has taken its place, and this was the last look */
    int problem; /* errno: why the log itself cannot be opened; 0 */
    struct lines lines;
    struct loop_timer *look;
    void (*wake)(void *context);
    void *context;
};

/* Which of the files beside the log a mark is in, the log itself being behind the last; -1: none.
 */
static long find_file(const struct log_file *log, const struct strings *files,
                      const struct mark *mark)
{
    if (input_is(log->path, mark))
        return (long)files->count;
    for (size_t i = files->count; i-- > 0;)
        if (input_is(files->items[i], mark))
            return (long)i;
    return -1;
}

/* Where to read on from a mark in that file. */
static void plan(struct log_file *log, const struct strings *files, long where, uint64_t offset)
{
    log->start = offset;
    for (size_t i = (size_t)where; i < files->count; i++)
        strings_add(&log->plan, files->items[i]);
}

/* false: the mark is in none of the files. */
static bool plan_from(struct log_file *log, const struct mark *mark)
{
    struct strings files;
    long where;

    input_rotated(log->path, INT64_MIN, &files);
    where = find_file(log, &files, mark);
    if (where >= 0)
        plan(log, &files, where, mark->offset);
    strings_free(&files);
    return where >= 0;
}

/* From the furthest of the marks. */
static bool plan_from_marks(struct log_file *log, const struct marks *marks)
{
    const struct mark *furthest = &marks->kept;
    struct strings files;
    long where;

    input_rotated(log->path, INT64_MIN, &files);
    where = find_file(log, &files, furthest);
    for (size_t i = 0; i < marks->ntold; i++) {
        const struct mark *told = &marks->told[i];
        const long its = told->file != 0 ? find_file(log, &files, told) : -1;

        if (its > where || (its == where && its >= 0 && told->offset > furthest->offset)) {
            where = its;
            furthest = told;
        }
    }
    if (where >= 0)
        plan(log, &files, where, furthest->offset);
    strings_free(&files);
    return where >= 0;
}

/* After a restart, what was read last is read again: who sent which message. */
static void plan_known(struct log_file *log)
{
    log->known = log->start;
    log->start -= log->start < KNOWN_MAX ? log->start : KNOWN_MAX;
}

static void plan_all(struct log_file *log, int64_t first_read_sec)
{
    int64_t now_sec = clock_now_us(&clock_wall) / 1000000;

    if (first_read_sec > 0)
        input_rotated(log->path, now_sec - first_read_sec, &log->plan);
}

static void drop_plan(struct log_file *log)
{
    strings_free(&log->plan);
    log->plan = (struct strings){.count = 0};
    log->planned = 0;
    log->start = 0;
    log->known = 0;
}

/* Opens the next file.  false: the log is not there now. */
static bool open_next(struct log_file *log)
{
    while (log->planned < log->plan.count) {
        const uint64_t start = log->start;

        log->is_log = false;
        log->start = 0;
        if (input_open(&log->input, log->plan.items[log->planned++], start))
            return true;
        log->known = 0;
    }
    log->is_log = true;
    if (!input_open(&log->input, log->path, log->start)) {
        log->problem = errno;
        return false;
    }
    log->problem = 0;
    log->start = 0;
    return true;
}

/* The file that was open is not the log any more: whatever came after it is next. */
static void leave(struct log_file *log)
{
    struct mark mark;

    input_mark_head(&log->input);
    mark = log->input.mark;
    input_close(&log->input);
    drop_plan(log);
    (void)plan_from(log, &mark);
    log->leaving = false;
}

/* Before more of the log is read: it may have been truncated, and have grown beyond where we are.
 */
static void look_for_truncation(struct log_file *log)
{
    if (log->input.fd < 0 || !log->is_log || input_is_whole(&log->input))
        return;
    lines_clear(&log->lines);
    leave(log);
}

/* At the end of the log itself.  true: there is something else to read. */
static bool look_for_rotation(struct log_file *log)
{
    struct stat status;

    if (stat(log->path, &status) != 0 || status.st_ino == log->input.mark.file ||
        status.st_size == 0)
        return false;
    /* Whoever writes has begun the new file, so after one more look nothing comes here. */
    if (!log->leaving) {
        log->leaving = true;
        return true;
    }
    return true;
}

static void took(struct log_file *log, uint64_t octets)
{
    log->input.mark.offset += octets;
}

static void close_old(struct log_file *log)
{
    input_close(&log->input);
    log->known = 0;
}

/* At the end of the open file.  false: nothing more for now. */
static bool at_end(struct log_file *log, struct span *line_r, bool *line_found_r)
{
    uint64_t octets;

    if (log->is_log && !log->leaving)
        return look_for_rotation(log);
    if (lines_rest(&log->lines, line_r, &octets)) {
        took(log, octets);
        *line_found_r = true;
        return true;
    }
    if (log->is_log)
        leave(log);
    else
        close_old(log);
    return true;
}

static enum source_result next(void *state, struct span *line_r)
{
    struct log_file *log = state;
    bool line_found = false;
    uint64_t octets;
    size_t room;
    ssize_t got;
    char *to;

    for (;;) {
        if (lines_next(&log->lines, line_r, &octets)) {
            took(log, octets);
            return SOURCE_LINE;
        }
        look_for_truncation(log);
        if (log->input.fd < 0 && !open_next(log))
            return SOURCE_NOTHING;
        to = lines_room(&log->lines, &room);
        got = input_read(&log->input, to, room);
        if (got > 0) {
            lines_added(&log->lines, (size_t)got);
            continue;
        }
        if (!at_end(log, line_r, &line_found))
            return SOURCE_NOTHING;
        if (line_found)
            return SOURCE_LINE;
    }
}

static bool is_known(void *state)
{
    const struct log_file *log = state;

    return log->input.mark.offset <= log->known;
}

static void mark(void *state, struct mark *mark_r)
{
    struct log_file *log = state;

    if (log->input.fd >= 0)
        input_mark_head(&log->input);
    *mark_r = log->input.mark;
}

static int problem(void *state)
{
    const struct log_file *log = state;

    return log->problem;
}

static void on_look(void *context)
{
    struct log_file *log = context;

    loop_timer_start(log->look, LOOK_MS);
    log->wake(log->context);
}

static void release(void *state)
{
    struct log_file *log = state;

    loop_timer_free(&log->look);
    input_close(&log->input);
    lines_free(&log->lines);
    strings_free(&log->plan);
    free(log->path);
    free(log);
}

/* One that is not there yet can: it is waited for. */
static bool can_be_followed(const char *path, char **problem_r)
{
    struct input input;

    if (input_open(&input, path, 0)) {
        input_close(&input);
        return true;
    }
    if (errno == ENOENT)
        return true;
    *problem_r = mem_print("cannot read %s: %s%s", path, strerror(errno),
                           errno == EACCES ? ": let the group of the log (adm on Debian) have the "
                                             "user that the configuration names"
                                           : "");
    return false;
}

const struct source_kind *source_file_open(struct loop *loop, const char *name,
                                           const struct marks *from, int64_t first_read_sec,
                                           void (*wake)(void *context), void *context,
                                           void **state_r, char **problem_r)
{
    static const struct source_kind kind = {
        .next = next, .is_known = is_known, .mark = mark, .problem = problem, .free = release};
    struct log_file *log;

    if (*name != '/') {
        *problem_r = mem_print("%s: a log is named by its path from the root", name);
        return NULL;
    }
    if (!can_be_followed(name, problem_r))
        return NULL;
    log = mem_new(1, sizeof(*log));
    log->path = mem_copy(name);
    log->input.fd = -1;
    log->wake = wake;
    log->context = context;
    lines_init(&log->lines);
    if (from != NULL && from->kept.file != 0 && plan_from_marks(log, from))
        plan_known(log);
    else
        plan_all(log, first_read_sec);
    log->look = loop_timer_new(loop, on_look, log);
    loop_timer_start(log->look, LOOK_MS);
    *state_r = log;
    return &kind;
}
