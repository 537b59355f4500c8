/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading files whole. */
#include "lib/conf/files.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool file_read(const char *path, size_t max, struct text *text_r, struct stat *status_r,
               char **problem_r)
{
    struct stat status;
    char part[8192];
    ssize_t got;
    bool done = false;
    /* O_NONBLOCK: a FIFO in the file's place must not hang the process. */
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (file < 0 || fstat(file, &status) != 0) {
        *problem_r = mem_print("cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    if (!S_ISREG(status.st_mode) && !S_ISCHR(status.st_mode)) { /* as /dev/null: nothing at all */
        *problem_r = mem_print("cannot read %s: it is not a file", path);
        goto done;
    }
    while ((got = read(file, part, sizeof(part))) > 0 || (got < 0 && errno == EINTR)) {
        if (got < 0)
            continue;
        if (text_r->length + (size_t)got > max) {
            *problem_r = mem_print("%s is too large: expected at most %zu octets", path, max);
            goto done;
        }
        text_add(text_r, part, (size_t)got);
    }
    if (got < 0) {
        *problem_r = mem_print("cannot read %s: %s", path, strerror(errno));
        goto done;
    }
    if (status_r != NULL)
        *status_r = status;
    done = true;
done:
    if (file >= 0)
        close(file);
    return done;
}

bool file_read_secret(const char *path, char **secret_r, char **problem_r)
{
    struct text text = TEXT_EMPTY;
    struct stat status;
    bool done = false;

    if (!file_read(path, SECRET_MAX, &text, &status, problem_r))
        goto done;
    if ((status.st_mode & (S_IROTH | S_IWOTH)) != 0) {
        *problem_r = mem_print("others can read or write %s: run chmod o= %s", path, path);
        goto done;
    }
    while (text.length > 0 && strchr("\r\n", text.bytes[text.length - 1]) != NULL)
        text_cut(&text, text.length - 1);
    if (text.length == 0 || strcspn(text.bytes, "\r\n") != text.length) {
        *problem_r = mem_print("%s must hold one line, the secret itself", path);
        goto done;
    }
    *secret_r = text_take(&text);
    done = true;
done:
    if (text.bytes != NULL)
        explicit_bzero(text.bytes, text.length);
    text_free(&text);
    return done;
}

struct strings files_named(const char *path)
{
    struct strings files = {NULL, 0, 0};
    glob_t found = {.gl_pathc = 0};
    int status = GLOB_NOMATCH;
    const bool pattern = strpbrk(path, "*?[") != NULL && access(path, F_OK) != 0;

    if (pattern)
        status = glob(path, GLOB_ERR, NULL, &found);
    for (size_t i = 0; status == 0 && i < found.gl_pathc; i++)
        strings_add(&files, found.gl_pathv[i]);
    /* Reading it says what is wrong with it. */
    if (!pattern || (status != 0 && status != GLOB_NOMATCH))
        strings_add(&files, path);
    globfree(&found);
    return files;
}
