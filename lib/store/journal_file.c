/* SPDX-License-Identifier: BSD-2-Clause */
/* The journal's file. */
#include "lib/store/journal_file.h"

#include "lib/base/hash.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD "sluice journal 1\n"
#define HEAD_SIZE (sizeof(HEAD) - 1)
#define FILE_MAX ((size_t)1 << 30)

/* In this machine's byte order: the file never leaves it. */
struct frame {
    uint32_t length;
    uint32_t kind;
    uint64_t check; /* of the octets behind it */
};

enum frame_kind { FRAME_ENTRY = 1, FRAME_DONE = 2 };

struct journal_file {
    char *path;
    int fd;
    size_t size;
};

static uint64_t check_of(const struct frame *frame, const uint8_t *bytes)
{
    uint64_t hash = hash_stable(&frame->length, sizeof(frame->length));

    hash = hash_stable_more(hash, &frame->kind, sizeof(frame->kind));
    return hash_stable_more(hash, bytes, frame->length);
}

/* Hands out the frames that are whole; returns where the last of them ends. */
static size_t read_frames(const uint8_t *bytes, size_t size, journal_file_entry *entry,
                          journal_file_done *done, void *context)
{
    size_t at = HEAD_SIZE;
    struct frame frame;

    while (size - at >= sizeof(frame)) {
        const uint8_t *body = bytes + at + sizeof(frame);
        uint64_t count;

        memcpy(&frame, bytes + at, sizeof(frame));
        if (frame.length > JOURNAL_ENTRY_MAX || size - at - sizeof(frame) < frame.length ||
            frame.check != check_of(&frame, body))
            break;
        if (frame.kind == FRAME_ENTRY) {
            entry(context, body, frame.length);
        } else if (frame.kind == FRAME_DONE && frame.length == sizeof(count)) {
            memcpy(&count, body, sizeof(count));
            done(context, count);
        }
        at += sizeof(frame) + frame.length;
    }
    return at;
}

static int write_all(int fd, const void *bytes, size_t length)
{
    const uint8_t *at = bytes;

    while (length > 0) {
        ssize_t written = write(fd, at, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return errno != 0 ? errno : EIO;
        at += written;
        length -= (size_t)written;
    }
    return 0;
}

/* An end that was torn off is cut away, or what is added behind it would never be found. */
static int cut(struct journal_file *file, size_t size)
{
    if (ftruncate(file->fd, (off_t)size) != 0)
        return errno;
    file->size = size;
    return 0;
}

static int start(struct journal_file *file)
{
    int error = cut(file, 0);

    error = error != 0 ? error : write_all(file->fd, HEAD, HEAD_SIZE);
    file->size = HEAD_SIZE;
    return error;
}

static int read_file(struct journal_file *file, journal_file_entry *entry, journal_file_done *done,
                     void *context)
{
    struct stat status;
    uint8_t *bytes = NULL;
    size_t got = 0;
    int error = 0;

    if (fstat(file->fd, &status) != 0)
        return errno;
    if ((size_t)status.st_size > FILE_MAX)
        return EFBIG;
    bytes = mem_new((size_t)status.st_size + 1, 1);
    while (got < (size_t)status.st_size) {
        ssize_t length = pread(file->fd, bytes + got, (size_t)status.st_size - got, (off_t)got);

        if (length < 0 && errno != EINTR) {
            error = errno;
            goto done;
        }
        if (length == 0)
            break;
        got += length > 0 ? (size_t)length : 0;
    }
    if (memcmp(bytes, HEAD, got < HEAD_SIZE ? got : HEAD_SIZE) != 0)
        error = EILSEQ;
    else if (got < HEAD_SIZE)
        error = start(file);
    else
        error = cut(file, read_frames(bytes, got, entry, done, context));
done:
    free(bytes);
    return error;
}

static char *describe(const char *path, int error)
{
    if (error == EWOULDBLOCK)
        return mem_print("%s is in use by another process", path);
    if (error == EILSEQ)
        return mem_print("%s is not a journal of Sluice: move it away", path);
    return mem_print("cannot write %s (state-directory): %s", path, strerror(error));
}

static int open_locked(struct journal_file *file, const char *path, int flags)
{
    file->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    return file->fd >= 0 && flock(file->fd, LOCK_EX | LOCK_NB) == 0 ? 0 : errno;
}

struct journal_file *journal_file_open(const char *path, journal_file_entry *entry,
                                       journal_file_done *done, void *context, char **problem_r)
{
    struct journal_file *file = mem_new(1, sizeof(*file));
    int error;

    file->path = mem_copy(path);
    error = open_locked(file, path, 0);
    if (error == 0)
        error = read_file(file, entry, done, context);
    if (error == 0)
        return file;
    *problem_r = describe(path, error);
    journal_file_close(&file);
    return NULL;
}

void journal_file_close(struct journal_file **file)
{
    if (*file == NULL)
        return;
    if ((*file)->fd >= 0)
        close((*file)->fd);
    free((*file)->path);
    free(*file);
    *file = NULL;
}

static int add(struct journal_file *file, enum frame_kind kind, const void *bytes, size_t length)
{
    struct frame frame = {.length = (uint32_t)length, .kind = kind};
    size_t size = sizeof(frame) + length;
    uint8_t *whole;
    int error;

    if (file->size + size > FILE_MAX)
        return EFBIG;
    frame.check = check_of(&frame, bytes);
    whole = mem_new(size, 1);
    memcpy(whole, &frame, sizeof(frame));
    memcpy(whole + sizeof(frame), bytes, length);
    error = write_all(file->fd, whole, size);
    free(whole);
    if (error == 0)
        file->size += size;
    else
        (void)cut(file, file->size);
    return error;
}

int journal_file_add(struct journal_file *file, const uint8_t *bytes, size_t length)
{
    return add(file, FRAME_ENTRY, bytes, length);
}

int journal_file_add_done(struct journal_file *file, uint64_t count)
{
    return add(file, FRAME_DONE, &count, sizeof(count));
}

int journal_file_clear(struct journal_file *file)
{
    return cut(file, HEAD_SIZE);
}

int journal_file_rewrite(struct journal_file *file, journal_file_next *next, void *context)
{
    struct journal_file fresh = {.path = mem_print("%s.new", file->path)};
    int old_fd = file->fd;
    const uint8_t *bytes;
    size_t length;
    int error = open_locked(&fresh, fresh.path, O_TRUNC);

    error = error != 0 ? error : start(&fresh);
    while (error == 0 && (bytes = next(context, &length)) != NULL)
        error = add(&fresh, FRAME_ENTRY, bytes, length);
    /* Locked before it has the name, so that no other process gets in between. */
    if (error == 0 && rename(fresh.path, file->path) != 0)
        error = errno;
    if (error == 0) {
        file->fd = fresh.fd;
        file->size = fresh.size;
        close(old_fd);
    } else if (fresh.fd >= 0) {
        (void)unlink(fresh.path);
        close(fresh.fd);
    }
    free(fresh.path);
    return error;
}

size_t journal_file_size(const struct journal_file *file)
{
    return file->size;
}
