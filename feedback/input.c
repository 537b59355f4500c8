/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/input.h"

#include "lib/base/hash.h"
#include "lib/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define HEAD_MAX 1024 /* octets that a file is known by */
#define ROTATED_MAX 1000 /* files beside a log that are looked at */

/* --- reading ---------------------------------------------------------------------------- */

static bool is_compressed(const char *path)
{
    size_t length = strlen(path);

    return length > 3 && strcmp(path + length - 3, ".gz") == 0;
}

bool input_open(struct input *input, const char *path, uint64_t offset)
{
    struct stat status;

    *input = (struct input){.fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
    if (input->fd < 0)
        return false;
    if (fstat(input->fd, &status) != 0)
        goto failed;
    if (S_ISDIR(status.st_mode)) {
        input_close(input);
        errno = EISDIR;
        return false;
    }
    input->mark.file = status.st_ino;
    input->mark.offset = offset;
    if (is_compressed(path)) {
        input->gz = gzdopen(input->fd, "rb");
        if (input->gz == NULL || gzseek(input->gz, (z_off_t)offset, SEEK_SET) < 0)
            goto failed;
    } else if (lseek(input->fd, (off_t)offset, SEEK_SET) < 0) {
        goto failed;
    }
    return true;
failed:
    input_close(input);
    errno = EINVAL;
    return false;
}

void input_close(struct input *input)
{
    if (input->gz != NULL)
        (void)gzclose(input->gz);
    else if (input->fd >= 0)
        close(input->fd);
    input->gz = NULL;
    input->fd = -1;
}

ssize_t input_read(struct input *input, char *to, size_t room)
{
    ssize_t got;

    if (input->gz != NULL)
        return gzread(input->gz, to, (unsigned)room);
    do
        got = read(input->fd, to, room);
    while (got < 0 && errno == EINTR);
    return got;
}

/* --- knowing a file again --------------------------------------------------------------- */

static size_t read_at_start(int fd, char *to, size_t length)
{
    size_t have = 0;
    ssize_t got;

    while (have < length && (got = pread(fd, to + have, length - have, (off_t)have)) > 0)
        have += (size_t)got;
    return have;
}

void input_mark_head(struct input *input)
{
    char head[HEAD_MAX];
    size_t length = input->mark.offset < HEAD_MAX ? (size_t)input->mark.offset : HEAD_MAX;

    if (input->gz != NULL || length <= input->mark.head_length)
        return;
    length = read_at_start(input->fd, head, length);
    input->mark.head = hash_stable(head, length);
    input->mark.head_length = (uint32_t)length;
}

/* zlib reads plain files as they are. */
static bool head_is(const char *path, const struct mark *mark)
{
    char head[HEAD_MAX];
    gzFile file = gzopen(path, "rbe");
    int got;

    if (file == NULL)
        return false;
    got = gzread(file, head, mark->head_length);
    (void)gzclose(file);
    return got >= 0 && (uint32_t)got == mark->head_length &&
           hash_stable(head, mark->head_length) == mark->head;
}

bool input_is(const char *path, const struct mark *mark)
{
    struct stat status;

    if (mark->head_length > HEAD_MAX || stat(path, &status) != 0 || !S_ISREG(status.st_mode))
        return false;
    if (!is_compressed(path) && (uint64_t)status.st_size < mark->offset)
        return false;
    if (mark->head_length == 0)
        return status.st_ino == mark->file;
    return head_is(path, mark);
}

bool input_is_whole(const struct input *input)
{
    char head[HEAD_MAX];
    struct stat status;
    const uint32_t length = input->mark.head_length;

    if (fstat(input->fd, &status) != 0 || (uint64_t)status.st_size < input->mark.offset)
        return false;
    return read_at_start(input->fd, head, length) == length &&
           hash_stable(head, length) == input->mark.head;
}

/* --- rotation --------------------------------------------------------------------------- */

struct rotated {
    char *path;
    struct timespec changed;
};

/* "mail.log.1", "mail.log-20261120.gz"; not "mail.log.swp". */
static bool is_rotated_name(const char *name, const char *base)
{
    size_t length = strlen(base);

    if (strncmp(name, base, length) != 0 || (name[length] != '.' && name[length] != '-'))
        return false;
    name += length + 1;
    length = strspn(name, "0123456789-");
    return length > 0 && (name[length] == '\0' || strcmp(name + length, ".gz") == 0);
}

static int older(const void *a, const void *b)
{
    const struct timespec *x = &((const struct rotated *)a)->changed;
    const struct timespec *y = &((const struct rotated *)b)->changed;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec < y->tv_sec ? -1 : 1;
    return (x->tv_nsec > y->tv_nsec) - (x->tv_nsec < y->tv_nsec);
}

static size_t find_rotated(const char *path, int64_t not_before_sec, struct rotated *found)
{
    const char *base = strrchr(path, '/') + 1;
    char *folder = mem_copy_n(path, (size_t)(base - path));
    DIR *names = opendir(folder);
    const struct dirent *entry;
    struct stat status;
    size_t count = 0;

    while (names != NULL && count < ROTATED_MAX && (entry = readdir(names)) != NULL) {
        if (!is_rotated_name(entry->d_name, base) ||
            fstatat(dirfd(names), entry->d_name, &status, 0) != 0 || !S_ISREG(status.st_mode) ||
            status.st_mtim.tv_sec < not_before_sec)
            continue;
        found[count].path = mem_print("%s%s", folder, entry->d_name);
        found[count++].changed = status.st_mtim;
    }
    if (names != NULL)
        closedir(names);
    free(folder);
    return count;
}

void input_rotated(const char *path, int64_t not_before_sec, struct strings *files_r)
{
    struct rotated *found = mem_new(ROTATED_MAX, sizeof(*found));
    size_t count = find_rotated(path, not_before_sec, found);

    *files_r = (struct strings){.count = 0};
    qsort(found, count, sizeof(*found), older);
    for (size_t i = 0; i < count; i++) {
        strings_add(files_r, found[i].path);
        free(found[i].path);
    }
    free(found);
}
