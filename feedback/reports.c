/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/reports.h"

#include "feedback/arf.h"
#include "feedback/learn.h"

#include "lib/base/hash.h"
#include "lib/base/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LOOK_MS 500
#define TURN_REPORTS 50 /* of one maildir, before others have their turn */
#define SETTLE_SEC 5 /* a file without an end that was changed since may still be written */

struct reports {
    struct services *services;
    struct conf_slot *conf;
    struct loop_timer *look;
    size_t open; /* answers to come */
    bool left;
};

/* A complaint on its way through the store. */
struct complaint {
    struct reports *reports;
    struct arf arf;
    char *fresh, *kept; /* its file, now and when it is done */
};

static void forget(struct complaint *complaint)
{
    if (complaint->arf.type != NULL)
        arf_clear(&complaint->arf);
    free(complaint->fresh);
    free(complaint->kept);
    free(complaint);
}

static void finish(struct complaint *complaint)
{
    (void)rename(complaint->fresh, complaint->kept);
    forget(complaint);
}

static void free_when_done(struct reports *reports)
{
    if (reports->left && reports->open == 0)
        free(reports);
}

static const char *or_null(const char *value)
{
    return *value != '\0' ? value : NULL;
}

static void counted(const struct store_answer *answer, void *context)
{
    struct complaint *complaint = context;
    struct reports *reports = complaint->reports;
    const struct arf *arf = &complaint->arf;
    const struct cause *cause = cause_get(CAUSE_ACCOUNT_COMPLAINTS);
    struct log_event event;

    log_begin(&event, reports->services->log, LOG_NOTICE, NULL, "complaint");
    log_string(&event, "cause", cause->id);
    log_string(&event, "type", or_null(arf->type));
    log_string(&event, "user", or_null(arf->user));
    log_string(&event, "from", or_null(arf->sender));
    log_string(&event, "rcpt", or_null(arf->recipient));
    log_string(&event, "message-id", or_null(arf->message_id));
    log_string(&event, "reporter", or_null(arf->reporter));
    if (answer->nlimits > 0)
        log_number(&event, "n", answer->limits[0].used);
    log_string(&event, "hint", "take the recipient off the sender's lists at once");
    log_write(&event);
    finish(complaint);
    reports->open--;
    free_when_done(reports);
}

/* Without a login in the mail, an address of ours is taken for one. */
static void choose_user(const struct conf *conf, struct arf *arf)
{
    const char *at = strrchr(arf->sender, '@');

    if (arf->user[0] != '\0' || at == NULL || !conf_is_local_domain(conf, at + 1))
        return;
    free(arf->user);
    arf->user = mem_copy(arf->sender);
}

static void count(struct complaint *complaint, const struct conf *conf, uint64_t identity)
{
    struct arf *arf = &complaint->arf;
    const char *at;

    choose_user(conf, arf);
    at = strrchr(arf->sender, '@');
    complaint->reports->open++;
    learn_complaint(complaint->reports->services->store, conf, arf->user, at != NULL ? at + 1 : "",
                    identity, counted, complaint);
}

/* --- maildirs ----------------------------------------------------------------------------- */

/* By the clock of who writes it, which may be ahead of ours. */
static bool is_settled(const struct stat *file)
{
    return llabs((long long)time(NULL) - (long long)file->st_mtime) >= SETTLE_SEC;
}

/* NULL: it cannot be read, as errno says.  The caller frees it. */
static char *read_file(const char *path, size_t *length_r, bool *settled_r)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    char *bytes = NULL;
    struct stat file;
    size_t length = 0;
    ssize_t got;

    if (fd < 0 || fstat(fd, &file) != 0)
        goto done;
    *settled_r = is_settled(&file);
    bytes = mem_new(ARF_MAX, 1);
    while (length < ARF_MAX && (got = read(fd, bytes + length, ARF_MAX - length)) > 0)
        length += (size_t)got;
    *length_r = length;
done:
    if (fd >= 0)
        close(fd);
    return bytes;
}

/* It is moved all the same, so that it is told once. */
static void tell_unread(const struct complaint *complaint, const char *problem)
{
    struct log_event event;

    log_begin(&event, complaint->reports->services->log, LOG_WARNING, NULL, "complaint");
    log_string(&event, "report", complaint->kept);
    log_string(&event, "problem", problem);
    log_string(&event, "hint",
               "let the user of sluice-feedback read what is delivered there, and move it back");
    log_write(&event);
}

/* Not every program delivers by way of tmp, as maildirs want it: what does not end like a report is
 * left until nobody has written to it for a while, lest it is taken for none, or without the header
 * of the mail. */
static void take_file(struct complaint *complaint, const struct conf *conf)
{
    struct arf *arf = &complaint->arf;
    size_t length;
    bool settled, is_report;
    char *bytes = read_file(complaint->fresh, &length, &settled);

    if (bytes == NULL) {
        if (errno != ENOENT) /* somebody else has taken it */
            tell_unread(complaint, strerror(errno));
        finish(complaint);
        return;
    }
    is_report = arf_read(bytes, length, arf);
    if (!settled && !(is_report && arf->whole))
        forget(complaint);
    else if (is_report && arf_is_complaint(arf))
        count(complaint, conf, hash_stable(bytes, length));
    else
        finish(complaint);
    free(bytes);
}

/* What cannot be moved away is not taken: it would be taken again and again.  It is moved when it
 * is counted, so that a kill loses none; what is counted twice the store knows by its identity. */
static void take_maildir(struct reports *reports, const struct conf *conf, const char *path)
{
    char *fresh = mem_print("%s/new", path), *kept = mem_print("%s/cur", path);
    DIR *folder = access(kept, W_OK) == 0 && access(fresh, W_OK) == 0 ? opendir(fresh) : NULL;
    const struct dirent *entry;

    for (unsigned i = 0; folder != NULL && i < TURN_REPORTS && (entry = readdir(folder)) != NULL;) {
        struct complaint *complaint;

        if (entry->d_name[0] == '.')
            continue;
        i++;
        complaint = mem_new(1, sizeof(*complaint));
        complaint->reports = reports;
        complaint->fresh = mem_print("%s/%s", fresh, entry->d_name);
        complaint->kept = mem_print("%s/%s:2,S", kept, entry->d_name);
        take_file(complaint, conf);
    }
    if (folder != NULL)
        closedir(folder);
    free(kept);
    free(fresh);
}

static void on_look(void *context)
{
    struct reports *reports = context;
    struct conf *conf = conf_slot_get(reports->conf);

    for (size_t i = 0; i < conf->feedback_reports.count && reports->open == 0; i++)
        take_maildir(reports, conf, conf->feedback_reports.items[i]);
    conf_release(&conf);
    loop_timer_start(reports->look, LOOK_MS);
}

struct reports *reports_new(struct services *services, struct conf_slot *conf)
{
    struct reports *reports = mem_new(1, sizeof(*reports));

    arf_init();
    *reports = (struct reports){.services = services, .conf = conf};
    reports->look = loop_timer_new(services->loop, on_look, reports);
    loop_timer_start(reports->look, 0);
    return reports;
}

void reports_free(struct reports **reports)
{
    if (*reports == NULL)
        return;
    loop_timer_free(&(*reports)->look);
    (*reports)->left = true;
    free_when_done(*reports);
    *reports = NULL;
}
