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

static bool copy_all(int to)
{
    char *piece = mem_new(PIECE, 1);
    size_t copied = 0;
    ssize_t got = 0;
    bool written = true;

    while (written && copied < REPORT_MAX && (got = read(STDIN_FILENO, piece, PIECE)) > 0) {
        written = write(to, piece, (size_t)got) == got;
        copied += (size_t)got;
    }
    free(piece);
    return written && got >= 0 && copied > 0 && fsync(to) == 0;
}

/* As any delivery to a maildir: under tmp until it is whole. */
static bool deliver(const char *maildir)
{
    struct timespec now;
    char *name, *part, *whole;
    bool delivered = false;
    int fd;

    clock_gettime(CLOCK_REALTIME, &now);
    name = mem_print("%jd.M%ldP%ld.report", (intmax_t)now.tv_sec, now.tv_nsec, (long)getpid());
    part = mem_print("%s/tmp/%s", maildir, name);
    whole = mem_print("%s/new/%s", maildir, name);
    fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
    if (fd >= 0) {
        delivered = copy_all(fd);
        if (close(fd) != 0 || !delivered || rename(part, whole) != 0)
            delivered = false;
        if (!delivered)
            (void)unlink(part);
    }
    free(whole);
    free(part);
    free(name);
    return delivered;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    if (argc > 1)
        return ctl_usage(argv[0], "unexpected argument \"%s\"", argv[1]);
    if (!ctl_load(ctl))
        return EX_CONFIG;
    if (ctl->conf->feedback_reports.count == 0) {
        ctl_complain("feedback-reports names no maildir to put the report into");
        return EX_CONFIG;
    }
    if (deliver(ctl->conf->feedback_reports.items[0]))
        return EX_OK;
    ctl_complain("%s: the report cannot be put there: %s", ctl->conf->feedback_reports.items[0],
                 strerror(errno));
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
