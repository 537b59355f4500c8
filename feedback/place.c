/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/place.h"

#include "lib/base/hash.h"
#include "lib/base/mem.h"
#include "lib/classify/line.h"
#include "lib/log/record.h"

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
    int problem; /* errno of the last write; 0 */
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
    errno = ENOSPC; /* of a write that ends early */
    place->dirty = pwrite(place->fd, text, FILE_SIZE, 0) == FILE_SIZE;
    place->problem = place->dirty ? 0 : errno;
    place->pending = !place->dirty;
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

void place_word(const struct mark *mark, char word_r[PLACE_WORD_MAX])
{
    if (mark->file == 0)
        snprintf(word_r, PLACE_WORD_MAX, "0:%" PRIu64, mark->offset);
    else
        snprintf(word_r, PLACE_WORD_MAX, "%" PRIu64 ":%" PRIu64 ":%" PRIu32 ":%016" PRIx64,
                 mark->file, mark->offset, mark->head_length, mark->head);
}

bool place_told(const char *bytes, size_t length, struct mark *mark_r)
{
    struct log_record record = {.queue_id = NULL};
    struct mark mark = {.file = 0};
    const char *word;
    int parts = 0;

    if (!log_record_read(bytes, length, &record))
        return false;
    word = log_record_value(&record, "pos");
    if (word != NULL)
        parts = sscanf(word, "%" SCNu64 ":%" SCNu64 ":%" SCNu32 ":%" SCNx64, &mark.file,
                       &mark.offset, &mark.head_length, &mark.head);
    log_record_clear(&record);
    if (parts != (mark.file == 0 ? 2 : 4))
        return false;
    *mark_r = mark;
    return true;
}

/* Of each file the last one. */
static void add_told(struct marks *marks, const struct mark *told)
{
    for (size_t i = 0; i < marks->ntold; i++) {
        if (marks->told[i].file == told->file) {
            marks->told[i] = *told;
            return;
        }
    }
    if (marks->ntold < MARKS_TOLD_MAX)
        marks->told[marks->ntold++] = *told;
}

/* Only the last line about several recipients has the place: one without it tells of the first of
 * them. */
static void add_part(struct marks *marks, struct span body)
{
    struct log_record record = {.queue_id = NULL};
    const char *event, *recipient;

    if (!log_record_read(body.start, body.length, &record))
        return;
    event = log_record_value(&record, "event");
    recipient = log_record_value(&record, "rcpt");
    if (event != NULL && strcmp(event, "delivery") == 0 && recipient != NULL &&
        record.queue_id != NULL && marks->npart < MARKS_PART_MAX)
        marks->part[marks->npart++] = mark_part(record.queue_id, recipient);
    log_record_clear(&record);
}

static void read_own(const char *text, size_t length, struct marks *marks)
{
    struct span body = {text, length};
    struct mark told;
    struct line line;
    static const char delivery[] = "delivery";

    if (memmem(text, length, delivery, strlen(delivery)) == NULL)
        return;
    if (*text != '{' && line_parse(text, length, &line) && line.fields[FIELD_BODY].start != NULL) {
        if (!span_starts(line.fields[FIELD_PROGRAM], "sluice-feedback"))
            return;
        body = line.fields[FIELD_BODY];
    }
    if (place_told(body.start, body.length, &told)) {
        add_told(marks, &told);
        marks->npart = 0;
    } else {
        add_part(marks, body);
    }
}

static void read_lines(const char *text, size_t length, struct marks *marks)
{
    const char *end = text + length, *newline;

    for (; (newline = memchr(text, '\n', (size_t)(end - text))) != NULL; text = newline + 1)
        if (newline > text)
            read_own(text, (size_t)(newline - text), marks);
}

static void read_own_log(const char *path, struct marks *marks)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = mem_new(OWN_LOG_TAIL, 1);
    struct stat status;
    ssize_t got;

    if (fd >= 0 && fstat(fd, &status) == 0) {
        off_t from =
            status.st_size > (off_t)OWN_LOG_TAIL ? status.st_size - (off_t)OWN_LOG_TAIL : 0;

        got = pread(fd, text, OWN_LOG_TAIL, from);
        read_lines(text, got > 0 ? (size_t)got : 0, marks);
    }
    if (fd >= 0)
        close(fd);
    free(text);
}

/* --- together ----------------------------------------------------------------------------- */

struct place *place_open(const char *folder, const char *log_name, const char *own_log,
                         struct marks *marks_r, char **problem_r)
{
    struct place *place = mem_new(1, sizeof(*place));
    char *path;

    *marks_r = (struct marks){.ntold = 0};
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
    read_mark(place->fd, &marks_r->kept);
    if (own_log != NULL && mark_is_set(&marks_r->kept))
        read_own_log(own_log, marks_r);
    place->mark = marks_r->kept;
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

int place_problem(const struct place *place)
{
    return place->problem;
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
