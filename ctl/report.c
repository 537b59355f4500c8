/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl report: hands a complaint to sluice-feedback, from a pipe. */
#include "ctl/ctl.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define REPORT_MAX ((size_t)4 * 1024 * 1024) /* octets; the rest is left out */
#define PIECE ((size_t)64 * 1024)

/* NULL: all of standard input is in the file, or why not. */
static const char *copy_all(int to)
{
    char *piece = mem_new(PIECE, 1);
    size_t copied = 0;
    ssize_t got;
    const char *problem = NULL;

    /* What is too much is read all the same: whoever writes would take a closed pipe for a failure.
     */
    while (problem == NULL && (got = read(STDIN_FILENO, piece, PIECE)) != 0) {
        size_t room = REPORT_MAX - copied;
        size_t part = got < 0 ? 0 : (size_t)got < room ? (size_t)got : room;
        ssize_t written = part > 0 ? write(to, piece, part) : 0;

        if (got < 0 || written < 0)
            problem = strerror(errno);
        else if ((size_t)written < part)
            problem = strerror(ENOSPC);
        copied += part;
    }
    free(piece);
    if (problem == NULL && copied == 0)
        return "standard input is empty";
    if (problem == NULL && fsync(to) != 0)
        return strerror(errno);
    return problem;
}

/* As any delivery to a maildir: under tmp until it is whole.  NULL, or why it is not there. */
static const char *deliver(const char *maildir)
{
    struct timespec now;
    char *name, *part, *whole;
    const char *problem = NULL;
    int fd;

    clock_gettime(CLOCK_REALTIME, &now);
    name = mem_print("%jd.M%ldP%ld.report", (intmax_t)now.tv_sec, now.tv_nsec, (long)getpid());
    part = mem_print("%s/tmp/%s", maildir, name);
    whole = mem_print("%s/new/%s", maildir, name);
    fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd < 0) {
        problem = strerror(errno);
    } else {
        problem = copy_all(fd);
        if (close(fd) != 0 && problem == NULL)
            problem = strerror(errno);
        if (problem == NULL && rename(part, whole) != 0)
            problem = strerror(errno);
        if (problem != NULL)
            (void)unlink(part);
    }
    free(whole);
    free(part);
    free(name);
    return problem;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    const char *maildir, *problem;

    if (argc > 1)
        return ctl_usage(argv[0], "unexpected argument \"%s\"", argv[1]);
    if (!ctl_load(ctl))
        return EX_CONFIG;
    if (ctl->conf->feedback_reports.count == 0) {
        ctl_complain("feedback-reports names no maildir to put the report into");
        return EX_CONFIG;
    }
    maildir = ctl->conf->feedback_reports.items[0];
    problem = deliver(maildir);
    if (problem == NULL)
        return EX_OK;
    ctl_complain("%s: the report cannot be put there: %s", maildir, problem);
    return EX_TEMPFAIL;
}

const struct verb verb_report = {
    .name = "report",
    .arguments = "",
    .summary = "hand in a complaint",
    .help = "Reads a feedback-loop report (RFC 5965) from standard input and puts it into the\n"
            "first maildir of feedback-reports, where sluice-feedback finds it. For\n"
            "/etc/aliases:\n"
            "\n"
            "  complaints: \"|/usr/sbin/sluicectl report\"",
    .run = run,
};
