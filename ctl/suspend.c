/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl suspend, unsuspend and release: who may not send, and who may again. */
#include "ctl/client.h"
#include "ctl/ctl.h"
#include "ctl/subject.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/daemon/services.h"

#include <getopt.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define DEFAULT_REASON "policy"
#define REASON_MAX 64
#define NOTE_MAX 400

struct words {
    const char *reason, *until, *note;
};

/* Who types this: sudo(8) says who stood behind root. */
static char *operator_name(const struct conf *conf)
{
    const char *name = getuid() == 0 ? getenv("SUDO_USER") : NULL;
    const struct passwd *account = name == NULL ? getpwuid(getuid()) : NULL;

    if (account != NULL)
        return mem_print("%s@%s", account->pw_name, conf->hostname);
    if (name != NULL && *name != '\0')
        return mem_print("%s@%s", name, conf->hostname);
    return mem_print("uid %u@%s", (unsigned)getuid(), conf->hostname);
}

/* "2026-11-24" or "2026-11-24T10:30", in UTC. */
static bool parse_date(const char *text, int64_t *at_sec_r)
{
    static const char *const formats[] = {"%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"};

    for (size_t i = 0; i < COUNT_OF(formats); i++) {
        struct tm parts = {.tm_isdst = 0};
        struct tm check;
        const char *end = strptime(text, formats[i], &parts);
        time_t at = end != NULL && *end == '\0' ? timegm(&parts) : -1;

        if (at > 0 && gmtime_r(&at, &check) != NULL && check.tm_mday == parts.tm_mday) {
            *at_sec_r = at;
            return true;
        }
    }
    return false;
}

/* Of --until; 0: it was not given. */
static bool parse_until(const char *text, int64_t now_sec, int64_t *until_sec_r)
{
    int64_t ms;

    *until_sec_r = 0;
    if (text == NULL)
        return true;
    if (conf_duration_parse(text, &ms)) {
        *until_sec_r = now_sec + (ms + 999) / 1000;
        return ms > 0 && ms / 1000 < INT64_C(1) << 40;
    }
    return parse_date(text, until_sec_r) && *until_sec_r > now_sec;
}

static bool is_printable(const char *text, size_t most)
{
    for (const char *p = text; *p != '\0'; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return false;
    return strlen(text) <= most;
}

/* In the log beside what the daemons say of their own suspensions. */
static void log_change(const struct conf *conf, const char *event_name, const char *user,
                       const struct suspension *suspension, const char *by)
{
    const struct log_settings settings = services_log_settings("sluicectl", conf);
    struct log_event event;
    char *problem = NULL;
    struct log *log = log_open(&settings, &problem);

    if (log == NULL) {
        ctl_complain("it is done, but cannot be logged: %s", problem);
        free(problem);
        return;
    }
    log_begin(&event, log, LOG_NOTICE, NULL, event_name);
    log_string(&event, "user", user);
    if (suspension != NULL)
        suspension_log(&event, suspension);
    else
        log_string(&event, "by", by);
    log_write(&event);
    log_close(&log);
}

static int suspend(const struct conf *conf, const struct subject *subject, struct client *client,
                   const struct words *words)
{
    struct note_fact flag;
    const char *user = strchr(subject->name, ':') + 1;
    char *by = operator_name(conf);
    struct suspension suspension = {.reason = words->reason, .by = by, .note = words->note};
    int64_t now_us = 0;
    char until[SUSPENSION_TIME_SIZE];
    int status = EX_UNAVAILABLE;

    if (!client_note(client, subject->name, SUSPENSION_KIND, &flag, &now_us)) {
        ctl_complain("the store did not answer in time; see sluicectl status");
        goto done;
    }
    suspension.since_sec = now_us / 1000000;
    if (!parse_until(words->until, suspension.since_sec, &suspension.until_sec)) {
        status = ctl_usage("suspend",
                           "--until \"%s\": expected a time such as 12h or 3d, or a date to come "
                           "such as 2027-01-31 or 2027-01-31T10:30 (UTC)",
                           words->until);
        goto done;
    }
    if (!client_suspend(client, subject->name, &suspension)) {
        ctl_complain("the store did not answer in time; see sluicectl status");
        goto done;
    }
    suspension_time(suspension.until_sec, until);
    printf("%s may not send %s%s (reason: %s)\n", user,
           suspension.until_sec > 0 ? "until " : "until sluicectl unsuspend",
           suspension.until_sec > 0 ? until : "", suspension.reason);
    log_change(conf, "suspend", user, &suspension, NULL);
    status = EX_OK;
done:
    note_fact_clear(&flag);
    free(by);
    return status;
}

static int lift(const struct conf *conf, const struct subject *subject, struct client *client,
                const struct words *words)
{
    const char *user = strchr(subject->name, ':') + 1;
    bool known = false;
    char *by;

    (void)words;
    if (!client_lift(client, subject->name, &known)) {
        ctl_complain("the store did not answer in time; see sluicectl status");
        return EX_UNAVAILABLE;
    }
    if (!known) {
        printf("%s was not suspended\n", user);
        return EXIT_NEGATIVE;
    }
    by = operator_name(conf);
    printf("%s may send again\n", user);
    log_change(conf, "unsuspend", user, NULL, by);
    free(by);
    return EX_OK;
}

static int release(const struct conf *conf, const struct subject *subject, struct client *client,
                   const struct words *words)
{
    const char *user = strchr(subject->name, ':') + 1;
    bool known = false;
    char *by;

    (void)words;
    if (!client_lift(client, subject->name, &known) || !client_forgive(client, subject->name)) {
        ctl_complain("the store did not answer in time; see sluicectl status");
        return EX_UNAVAILABLE;
    }
    by = operator_name(conf);
    printf("%s %s, and what was unusual until now is forgiven\n", user,
           known ? "may send again" : "was not suspended");
    log_change(conf, "release", user, NULL, by);
    free(by);
    return EX_OK;
}

typedef int change(const struct conf *conf, const struct subject *subject, struct client *client,
                   const struct words *words);

static int with_user(struct ctl *ctl, const char *verb, const char *user, change *make,
                     const struct words *words)
{
    struct subject subject = {.name = NULL};
    struct client client;
    char *problem = NULL;
    int status = EX_UNAVAILABLE;

    if (!ctl_load(ctl))
        return EX_CONFIG;
    if (!subject_parse(ctl->conf, user, &subject, &problem)) {
        status = ctl_usage(verb, "%s", problem);
    } else if (subject.kind != SUBJECT_USER) {
        status = ctl_usage(verb, "\"%s\" is not a login", user);
    } else {
        if (!client_open(&client, ctl->conf, &problem))
            ctl_complain("%s", problem);
        else
            status = make(ctl->conf, &subject, &client, words);
        client_close(&client);
    }
    subject_clear(&subject);
    free(problem);
    return status;
}

static int run_suspend(struct ctl *ctl, int argc, char **argv)
{
    static const struct option longs[] = {{"reason", required_argument, NULL, 'r'},
                                          {"until", required_argument, NULL, 'u'},
                                          {"note", required_argument, NULL, 'n'},
                                          {NULL, 0, NULL, 0}};
    struct words words = {.reason = DEFAULT_REASON, .note = ""};
    int c;

    while ((c = getopt_long(argc, argv, "r:u:n:", longs, NULL)) != -1) {
        if (c == '?')
            return ctl_usage(argv[0], "wrong options");
        if (c == 'r')
            words.reason = optarg;
        else if (c == 'u')
            words.until = optarg;
        else
            words.note = optarg;
    }
    if (optind + 1 != argc)
        return ctl_usage(argv[0], "expected one login, such as alice@example.com");
    if (*words.reason == '\0' || !is_printable(words.reason, REASON_MAX))
        return ctl_usage(argv[0], "--reason: expected a word or a few, at most %d octets",
                         REASON_MAX);
    if (!is_printable(words.note, NOTE_MAX))
        return ctl_usage(argv[0], "--note: expected one line of at most %d octets", NOTE_MAX);
    return with_user(ctl, argv[0], argv[optind], suspend, &words);
}

static int run_unsuspend(struct ctl *ctl, int argc, char **argv)
{
    if (argc != 2 || argv[1][0] == '-')
        return ctl_usage(argv[0], "expected one login, such as alice@example.com");
    return with_user(ctl, argv[0], argv[1], lift, NULL);
}

static int run_release(struct ctl *ctl, int argc, char **argv)
{
    if (argc != 2 || argv[1][0] == '-')
        return ctl_usage(argv[0], "expected one login, such as alice@example.com");
    return with_user(ctl, argv[0], argv[1], release, NULL);
}

const struct verb verb_suspend = {
    .name = "suspend",
    .arguments = "[-r REASON] [-u TIME] USER",
    .summary = "stop somebody from sending",
    .help = "From the next recipient on, all daemons that share the store refuse the login's\n"
            "mail (cause account.suspended).  Who is suspended already is suspended anew.\n"
            "\n"
            "  -r, --reason WORD  why: abuse, billing, policy or any other; the user is told\n"
            "                     (policy)\n"
            "  -u, --until TIME   how long (12h, 3d), or a date in UTC (2027-01-31,\n"
            "                     2027-01-31T10:30); without it, until sluicectl unsuspend\n"
            "  -n, --note TEXT    for colleagues: it stands in the log, and the user is not\n"
            "                     told\n"
            "\n"
            "Who did it and when is logged.\n"
            "\n"
            "Exit status: 0; 69 when the store does not answer.",
    .run = run_suspend,
};

const struct verb verb_unsuspend = {
    .name = "unsuspend",
    .arguments = "USER",
    .summary = "let somebody send again",
    .help = "Lifts a suspension, an operator's or one that a cause made (cause X { suspend =\n"
            "... }).\n"
            "\n"
            "Exit status: 0; 1 when the login was not suspended; 69 when the store does not\n"
            "answer.",
    .run = run_unsuspend,
};

const struct verb verb_release = {
    .name = "release",
    .arguments = "USER",
    .summary = "forgive what was unusual",
    .help = "Lifts a suspension, as unsuspend does, and forgives what spoke for a stolen\n"
            "account: the places and the volume of now count no more for account.anomaly and\n"
            "account.many-locations.  What the account usually does stays known.  Daemons\n"
            "take notice within ten seconds.  Mail on hold is the MTA's: postsuper -H\n"
            "QUEUEID.\n"
            "\n"
            "Exit status: 0; 69 when the store does not answer.",
    .run = run_release,
};
