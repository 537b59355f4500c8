/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/place.h"

#include "lib/base/hash.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_SIZE 512 /* one sector: written whole, or not at all */
#define OWN_LOG_TAIL ((size_t)256 * 1024) /* octets of our own log that are looked at */

struct place {
    int fd; /* -1: it is not kept */
    struct mark mark;
    bool pending; /* the mark is not written yet */
    bool dirty; /* it is written, but not on the disk yet */
};

/* --- the file ----------------------------------------------------------------------------- */

static void write_mark(struct place *place)
{
    const struct mark *mark = &place->mark;
    char text[FILE_SIZE + 1];
    int length;

    place->pending = false;
    if (place->fd < 0)
        return;
    length = snprintf(text, sizeof(text), "1 %" PRIu64 " %" PRIu64 " %" PRIu32 " %016" PRIx64 " %s",
                      mark->file, mark->offset, mark->head_length, mark->head, mark->cursor);
    if (length < 0 || length >= FILE_SIZE)
        return;
    memset(text + length, ' ', FILE_SIZE - (size_t)length);
    text[FILE_SIZE - 1] = '\n';
    place->dirty = pwrite(place->fd, text, FILE_SIZE, 0) == FILE_SIZE;
}

static void read_mark(int fd, struct mark *mark_r)
{
    char text[FILE_SIZE + 1] = "";
    struct mark mark = {.file = 0};
    ssize_t got = pread(fd, text, FILE_SIZE, 0);

    *mark_r = mark;
    if (got != FILE_SIZE)
        return;
    if (sscanf(text, "1 %" SCNu64 " %" SCNu64 " %" SCNu32 " %" SCNx64 " %255s", &mark.file,
               &mark.offset, &mark.head_length, &mark.head, mark.cursor) >= 4)
        *mark_r = mark;
}

/* --- our own log -------------------------------------------------------------------------- */

/* The place that our last lines name, when it is further on in the same file: we were killed
 * between the line and the place. */
static void read_own(const char *text, struct mark *mark)
{
    static const char *const names[] = {" pos=", "\"pos\":\"", "\"pos\": \""};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        for (const char *at = text; (at = strstr(at, names[i])) != NULL;) {
            uint64_t file, offset;

            at += strlen(names[i]);
            if (sscanf(at, "%" SCNu64 ":%" SCNu64, &file, &offset) == 2 && file == mark->file &&
                offset > mark->offset)
                mark->offset = offset;
        }
    }
}

static void read_own_log(const char *path, struct mark *mark)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = mem_new(OWN_LOG_TAIL + 1, 1);
    struct stat status;
    ssize_t got;

    if (fd >= 0 && fstat(fd, &status) == 0) {
        off_t from =
            status.st_size > (off_t)OWN_LOG_TAIL ? status.st_size - (off_t)OWN_LOG_TAIL : 0;

        got = pread(fd, text, OWN_LOG_TAIL, from);
        text[got > 0 ? got : 0] = '\0';
        read_own(text, mark);
    }
    if (fd >= 0)
        close(fd);
    free(text);
}

/* --- together ----------------------------------------------------------------------------- */

struct place *place_open(const char *folder, const char *log_name, const char *own_log,
                         struct mark *mark_r, char **problem_r)
{
    struct place *place = mem_new(1, sizeof(*place));
    char *path;

    *mark_r = (struct mark){.file = 0};
    place->fd = -1;
    if (*folder == '\0')
        return place;
    path = mem_print("%s/sluice-feedback.%016" PRIx64 ".place", folder,
                     hash_stable(log_name, strlen(log_name)));
    place->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640);
    if (place->fd < 0) {
        *problem_r =
            mem_print("cannot keep the place in %s: %s: %s", log_name, path, strerror(errno));
        free(path);
        free(place);
        return NULL;
    }
    free(path);
    read_mark(place->fd, mark_r);
    if (own_log != NULL && mark_r->file != 0)
        read_own_log(own_log, mark_r);
    place->mark = *mark_r;
    return place;
}

void place_set(struct place *place, const struct mark *mark)
{
    place->mark = *mark;
    write_mark(place);
}

void place_later(struct place *place, const struct mark *mark)
{
    place->mark = *mark;
    place->pending = true;
}

void place_sync(struct place *place)
{
    if (place->pending)
        write_mark(place);
    if (place->dirty)
        (void)fdatasync(place->fd);
    place->dirty = false;
}

void place_free(struct place **place)
{
    if (*place == NULL)
        return;
    place_sync(*place);
    if ((*place)->fd >= 0)
        close((*place)->fd);
    free(*place);
    *place = NULL;
}
