/* SPDX-License-Identifier: BSD-2-Clause */
/* Where lines go: syslog, standard error, a file. */
#include "lib/log/sink.h"

#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/privileges.h"
#include "lib/log/stamp.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SYSLOG_SOCKET "/dev/log"
#define RECONNECT_US                                                                               \
    250000 /* a syslog that is away costs an attempt this often, not one a line                    \
            */

struct sink {
    const struct sink_kind *kind;
    char *path;
    int facility;
    int fd; /* -1 while not connected */
    bool stream; /* syslog on a stream socket */
    int64_t retry_us; /* not connected: the next attempt, on clock_steady */
    struct stamp stamp;
};

struct sink_kind {
    const char *name;
    const char *default_path; /* NULL: one must be given */
    bool takes_path;
    bool reconnects; /* an error ends the connection, and another one is tried */
    bool (*open)(struct sink *sink, const char *owner, char **problem_r);
    /* Like write(2), and never waits. */
    ssize_t (*put)(struct sink *sink, const char *bytes, size_t length);
    size_t (*render)(struct sink *sink, const struct sink_line *line, char whole_r[STAMPED_MAX]);
};

/* --- syslog ---------------------------------------------------------------------------- */

static int connect_socket(const char *path, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    int problem;

    if (fd < 0)
        return -1;
    memcpy(address.sun_path, path, strlen(path)); /* its length was checked when it was opened */
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    problem = errno;
    close(fd);
    errno = problem;
    return -1;
}

static bool syslog_connect(struct sink *sink)
{
    int64_t now_us = clock_now_us(&clock_steady);

    if (sink->fd >= 0)
        return true;
    if (now_us < sink->retry_us)
        return false;
    sink->retry_us = now_us + RECONNECT_US;
    sink->stream = false;
    sink->fd = connect_socket(sink->path, SOCK_DGRAM);
    if (sink->fd < 0 && errno == EPROTOTYPE) {
        sink->stream = true;
        sink->fd = connect_socket(sink->path, SOCK_STREAM);
    }
    return sink->fd >= 0;
}

static bool syslog_open(struct sink *sink, const char *owner, char **problem_r)
{
    (void)owner;
    if (strlen(sink->path) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)) {
        *problem_r = mem_print("%s: too long for a socket's path", sink->path);
        return false;
    }
    (void)syslog_connect(sink);
    return true;
}

static ssize_t socket_put(struct sink *sink, const char *bytes, size_t length)
{
    ssize_t put;

    do {
        put = send(sink->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
    } while (put < 0 && errno == EINTR);
    return put;
}

static size_t syslog_render(struct sink *sink, const struct sink_line *line,
                            char whole_r[STAMPED_MAX])
{
    size_t length = stamp_syslog(&sink->stamp, line, sink->facility, whole_r);

    /* On a stream the NUL ends a message, as syslog(3) has it; a datagram ends by itself. */
    return sink->stream ? length + 1 : length;
}

/* --- a file, standard error ------------------------------------------------------------- */

/* Only what was made here is given away: in a folder of the owner's, whatever lay there before may
 * be a link to somebody else's file. */
static void give(int fd, const char *owner)
{
    uid_t uid;
    gid_t gid;

    if (owner == NULL || owner[0] == '\0' || geteuid() != 0 ||
        !privileges_find_user(owner, &uid, &gid))
        return;
    if (fchown(fd, uid, gid) != 0)
        return; /* then it stays root's, and what opens it anew will say so */
}

static bool file_open(struct sink *sink, const char *owner, char **problem_r)
{
    /* O_NONBLOCK is for who names a FIFO; it means nothing to a file. */
    const int flags = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;

    sink->fd = open(sink->path, flags | O_CREAT | O_EXCL, 0640);
    if (sink->fd >= 0)
        give(sink->fd, owner);
    else if (errno == EEXIST)
        sink->fd = open(sink->path, flags | O_CREAT, 0640);
    if (sink->fd < 0)
        *problem_r = mem_print("cannot write the log %s: %s", sink->path, strerror(errno));
    return sink->fd >= 0;
}

static ssize_t file_put(struct sink *sink, const char *bytes, size_t length)
{
    ssize_t put;

    do {
        put = write(sink->fd, bytes, length);
    } while (put < 0 && errno == EINTR);
    return put;
}

static bool stderr_open(struct sink *sink, const char *owner, char **problem_r)
{
    (void)owner;
    (void)problem_r;
    sink->fd = STDERR_FILENO;
    return true;
}

/* Standard error is shared with other processes, so it cannot be made non-blocking; but what has
 * room for anything has room for a line (pipe(7): PIPE_BUF). */
static ssize_t stderr_put(struct sink *sink, const char *bytes, size_t length)
{
    struct pollfd room = {.fd = sink->fd, .events = POLLOUT};
    ssize_t put = socket_put(sink, bytes, length);

    if (put >= 0 || errno != ENOTSOCK)
        return put;
    if (poll(&room, 1, 0) <= 0) {
        errno = EAGAIN;
        return -1;
    }
    return file_put(sink, bytes, length);
}

static size_t file_render(struct sink *sink, const struct sink_line *line,
                          char whole_r[STAMPED_MAX])
{
    size_t length = stamp_file(&sink->stamp, line, whole_r);

    whole_r[length++] = '\n';
    return length;
}

/* --- all of them ------------------------------------------------------------------------- */

static const struct sink_kind kinds[] = {
    {"syslog", SYSLOG_SOCKET, true, true, syslog_open, socket_put, syslog_render},
    {"stderr", "", false, false, stderr_open, stderr_put, file_render},
    {"file", NULL, true, false, file_open, file_put, file_render},
};

/* The kind that "NAME" or "NAME:PATH" names, or NULL; path_r is "" where none was given. */
static const struct sink_kind *find_kind(const char *destination, const char **path_r)
{
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        size_t length = strlen(kinds[i].name);
        const char *path = destination + length;

        if (strncmp(destination, kinds[i].name, length) != 0)
            continue;
        if (path[0] == '\0' && kinds[i].default_path != NULL) {
            *path_r = kinds[i].default_path;
            return &kinds[i];
        }
        if (path[0] == ':' && path[1] != '\0' && kinds[i].takes_path) {
            *path_r = path + 1;
            return &kinds[i];
        }
    }
    return NULL;
}

struct sink *sink_open(const struct log_settings *settings, char **problem_r)
{
    const char *path;
    const struct sink_kind *kind = find_kind(settings->destination, &path);
    struct sink *sink;

    if (kind == NULL) {
        *problem_r = mem_print("\"%s\" is no place for a log: expected syslog, stderr or file:PATH",
                               settings->destination);
        return NULL;
    }
    sink = mem_new(1, sizeof(*sink));
    sink->kind = kind;
    sink->path = mem_copy(path);
    sink->facility = settings->facility;
    sink->fd = -1;
    stamp_init(&sink->stamp, settings->program);
    if (!kind->open(sink, settings->owner, problem_r))
        sink_free(&sink);
    return sink;
}

void sink_free(struct sink **sink)
{
    if (*sink == NULL)
        return;
    if ((*sink)->fd >= 0 && (*sink)->kind->open != stderr_open)
        close((*sink)->fd);
    free((*sink)->path);
    free(*sink);
    *sink = NULL;
}

/* Errors that say nothing against the connection. */
static bool is_passing(int problem)
{
    return problem == EAGAIN || problem == ENOBUFS || problem == EMSGSIZE;
}

static enum sink_result result_of(int problem)
{
    return problem == EMSGSIZE ? SINK_NEVER : SINK_LATER;
}

enum sink_result sink_write(struct sink *sink, const struct sink_line *line, size_t *written)
{
    char whole[STAMPED_MAX];

    /* A connection that is gone is replaced at once: a syslog that was restarted loses nothing. */
    for (int attempt = 0; attempt < 2; attempt++) {
        ssize_t put = 1;
        size_t length;

        if (sink->kind->reconnects && !syslog_connect(sink))
            return SINK_LATER;
        length = sink->kind->render(sink, line, whole);
        while (*written < length && put > 0) {
            put = sink->kind->put(sink, whole + *written, length - *written);
            if (put > 0)
                *written += (size_t)put;
        }
        if (*written == length)
            return SINK_DONE;
        if (put == 0 || !sink->kind->reconnects || is_passing(errno))
            return result_of(put == 0 ? EAGAIN : errno);
        close(sink->fd);
        sink->fd = -1;
        sink->retry_us = 0;
        *written = 0;
    }
    return SINK_LATER;
}

static bool is_same_file(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

bool sink_is_at(const struct sink *sink, const struct log_settings *settings)
{
    const char *path;
    struct stat ours;
    struct stat named;

    return sink->kind->open == file_open && find_kind(settings->destination, &path) == sink->kind &&
           fstat(sink->fd, &ours) == 0 && stat(path, &named) == 0 && is_same_file(&ours, &named);
}

bool sink_take_over(struct sink *new_sink, struct sink *old_sink)
{
    struct stat now;
    struct stat before;

    if (new_sink->fd < 0 || old_sink->fd < 0 || new_sink->kind != old_sink->kind)
        return false;
    if (fstat(new_sink->fd, &now) != 0 || fstat(old_sink->fd, &before) != 0 ||
        !is_same_file(&now, &before))
        return false;
    if (new_sink->fd != old_sink->fd)
        close(new_sink->fd);
    new_sink->fd = old_sink->fd;
    old_sink->fd = -1;
    return true;
}
