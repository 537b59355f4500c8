/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl why: what happened to a message, from all logs, in one sentence. */
#include "ctl/ctl.h"
#include "ctl/endings.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_WIDTH 26 /* columns */

static bool has_queue_id(const struct end *end)
{
    return *end->queue_id != '\0' && strcmp(end->queue_id, "NOQUEUE") != 0;
}

/* --- the answer ------------------------------------------------------------------------- */

static void print_time(int64_t time_us)
{
    const time_t when = (time_t)(time_us / 1000000);
    struct tm local;
    char text[32] = "-";

    if (time_us != 0 && localtime_r(&when, &local) != NULL)
        strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &local);
    fputs(text, stdout);
}

/* Logs hold what strangers sent: nothing of it is to reach the terminal as a command. */
static void print_plain(struct span text)
{
    for (size_t i = 0; i < text.length; i++)
        putchar((unsigned char)text.start[i] < ' ' || text.start[i] == 0x7f ? '?' : text.start[i]);
}

static void print_timeline(const struct timeline *timeline)
{
    if (timeline->left_out > 0)
        printf("(%zu more lines are left out; --since shortens the time)\n", timeline->left_out);
    for (size_t i = 0; i < timeline->count; i++) {
        const struct timeline_entry *entry = &timeline->entries[i];
        const struct span program = entry->line.fields[FIELD_PROGRAM];
        const struct span body = entry->line.fields[FIELD_BODY];

        print_time(entry->time_us);
        printf("  ");
        if (program.start != NULL && body.start != NULL) {
            print_plain(program);
            printf("%*s",
                   program.length < PROGRAM_WIDTH ? (int)(PROGRAM_WIDTH - program.length) : 2, "");
            print_plain(body);
        } else {
            print_plain(span_of(entry->text));
        }
        putchar('\n');
    }
    fputc('\n', stdout);
}

/* Whose it was may stand in another line of the message. */
static void print_user(const struct asked *asked, const struct end *end)
{
    struct span user = span_of(end->user);

    for (size_t i = 0; user.length == 0 && has_queue_id(end) && i < asked->timeline.count; i++) {
        const struct timeline_entry *entry = &asked->timeline.entries[i];
        const char *own = log_record_value(&entry->record, "user");

        if (entry->record.queue_id != NULL && own != NULL &&
            strcmp(entry->record.queue_id, end->queue_id) == 0)
            user = span_of(own);
        else if (entry->record.queue_id == NULL && entry->line.fields[FIELD_USER].length > 0 &&
                 span_equals(entry->line.fields[FIELD_QUEUE_ID], end->queue_id))
            user = entry->line.fields[FIELD_USER];
    }
    if (user.length > 0)
        printf(" of ");
    print_plain(user);
}

static void print_whose(const struct asked *asked, const struct end *end)
{
    print_plain(span_of(has_queue_id(end) ? end->queue_id : "A message"));
    print_user(asked, end);
    if (*end->recipient != '\0')
        printf(" to ");
    print_plain(span_of(end->recipient));
}

/* ", after it was put off 2 times since ... (destination.greylisting)" */
static void print_before(const struct asked *asked, const struct end *end)
{
    const struct end *first = NULL;
    size_t count = 0;

    for (const struct end *one = asked->ends; one < end; one++) {
        if (one->ending != ENDING_DEFERRED || !endings_same_way(one, end) ||
            asked->timeline.entries[one->entry].record.queue_id != NULL)
            continue;
        first = first != NULL ? first : one;
        count++;
    }
    if (first == NULL)
        return;
    printf(", after it was put off %zu time%s since ", count, count == 1 ? "" : "s");
    print_time(asked->timeline.entries[first->entry].time_us);
    if (first->cause != NULL)
        printf(" (%s: %s)", first->cause->id, first->cause->title);
}

/* "; of its 3 other recipients, 1 has it, 2 did not get it" */
static void print_others(const struct asked *asked, const struct end *end)
{
    const struct others others = endings_others(asked, end);
    const size_t count = others.delivered + others.deferred + others.bounced;

    if (count == 0 || *end->recipient == '\0')
        return;
    printf("; of its %zu other recipient%s", count, count == 1 ? "" : "s");
    if (others.delivered > 0)
        printf(", %zu got it", others.delivered);
    if (others.deferred > 0)
        printf(", %zu still wait%s for it", others.deferred, others.deferred == 1 ? "s" : "");
    if (others.bounced > 0)
        printf(", %zu will not get it", others.bounced);
}

static void print_sentence(const struct asked *asked, const struct end *end)
{
    static const struct {
        const char *before, *behind; /* the time */
    } words[] = {
        [ENDING_DELIVERED] = {"was delivered at ", ""},
        [ENDING_DEFERRED] = {"was put off at ", ", and is tried again"},
        [ENDING_BOUNCED] = {"could not be delivered at ", ", and went back to its sender"},
        [ENDING_REFUSED] = {"was refused by our own server at ", ""},
        [ENDING_HELD] = {"was put on hold at ", ", and waits there"},
        [ENDING_LOGIN] = {"failed at ", ""},
    };

    if (end->ending == ENDING_LOGIN) {
        printf("A login%s", *end->user != '\0' ? " of " : "");
        print_plain(span_of(end->user));
    } else {
        print_whose(asked, end);
    }
    printf(" %s", words[end->ending].before);
    print_time(asked->timeline.entries[end->entry].time_us);
    if (end->ending == ENDING_BOUNCED && endings_of_notice(asked, end))
        printf(", and went no further, as a notice that has no sender");
    else
        printf("%s", words[end->ending].behind);
    if (end->ending == ENDING_DELIVERED)
        print_before(asked, end);
    else if (end->cause != NULL)
        printf(" (%s: %s)", end->cause->id, end->cause->title);
    if (*end->text != '\0')
        printf(": ");
    print_plain(span_of(end->text));
    print_others(asked, end);
    printf("\n");
}

/* Without a queue id, that is what belongs together. */
static bool same_trace(const struct log_record *one, const struct log_record *other)
{
    const char *its = log_record_value(one, "trace"), *others = log_record_value(other, "trace");

    return its == NULL || others == NULL || strcmp(its, others) == 0;
}

/* What our own line advised, with the real names in it; or what the catalogue does. */
static void print_next(const struct asked *asked, const struct end *end)
{
    const struct log_record *own = &asked->timeline.entries[end->entry].record;
    const char *hint = log_record_value(own, "hint");

    for (size_t i = 0; hint == NULL && end->cause != NULL && i < asked->timeline.count; i++) {
        const struct log_record *record = &asked->timeline.entries[i].record;
        const char *cause = log_record_value(record, "cause");

        if (cause != NULL && strcmp(cause, end->cause->id) == 0 &&
            strcmp(record->queue_id, end->queue_id) == 0 && same_trace(record, own))
            hint = log_record_value(record, "hint");
    }
    if (end->ending == ENDING_BOUNCED && end->cause == cause_get(CAUSE_DESTINATION_UNREACHABLE))
        hint =
            "reach the recipient by another way, and send it again when their server answers; if "
            "many destinations are unreachable at once, look at our own firewall";
    if (end->ending == ENDING_DELIVERED)
        hint = "nothing to do here; if the recipient misses it, ask them to look in the spam "
               "folder, and their postmaster with the reply above";
    else if (hint == NULL)
        hint = end->cause != NULL ? end->cause->remedy : "read the last lines above";
    printf("Next: ");
    print_plain(span_of(hint));
    if (end->ending == ENDING_HELD && has_queue_id(end)) {
        printf("; then let it go with postsuper -H ");
        print_plain(span_of(end->queue_id));
    }
    putchar('\n');
}

static int answer(struct asked *asked, const char *target)
{
    const struct end *end;

    if (asked->timeline.count == 0) {
        printf(
            "The logs say nothing about %s.\n"
            "Next: see that it is spelled as in the log, and name older logs behind it, or those "
            "of the other servers that take mail.\n",
            target);
        return EXIT_NEGATIVE;
    }
    print_timeline(&asked->timeline);
    endings_find(asked);
    end = endings_decisive(asked, target);
    if (end == NULL) {
        printf("%s came in, and nothing was tried for it yet, or the logs end before that.\n"
               "Next: postqueue -p (or mailq) shows whether it still waits.\n",
               target);
        return EX_OK;
    }
    print_sentence(asked, end);
    print_next(asked, end);
    return EX_OK;
}

/* --- the command ------------------------------------------------------------------------ */

/* A log and the last of its old ones, as far as they are there. */
static void add_log(struct strings *files, const char *path)
{
    char *old = mem_print("%s.1", path);

    if (access(old, R_OK) == 0 && !strings_have(files, old))
        strings_add(files, old);
    if (access(path, F_OK) == 0 && !strings_have(files, path))
        strings_add(files, path);
    free(old);
}

/* Without files, the MTA's logs and our own where that is a file.  Where none is there, the first
 * is named all the same, to be complained about. */
static void default_files(const struct conf *conf, struct strings *files_r)
{
    static const char file[] = "file:";
    const char *own = strncmp(conf->log, file, strlen(file)) == 0 ? conf->log + strlen(file) : NULL;
    const char *first = own;

    for (size_t i = conf->mail_log.count; i-- > 0;)
        if (*conf->mail_log.items[i] == '/')
            first = conf->mail_log.items[i];
    for (size_t i = 0; i < conf->mail_log.count; i++)
        if (*conf->mail_log.items[i] == '/')
            add_log(files_r, conf->mail_log.items[i]);
    if (own != NULL)
        add_log(files_r, own);
    if (files_r->count == 0 && first != NULL)
        strings_add(files_r, first);
    for (size_t i = 0; i < conf->mail_log.count; i++)
        if (*conf->mail_log.items[i] == '/' && !strings_have(files_r, conf->mail_log.items[i]))
            ctl_complain("%s is not there, and is passed over", conf->mail_log.items[i]);
}

static int ask(struct ctl *ctl, const char *target, const struct strings *files, int64_t since_us)
{
    struct asked asked = {.nends = 0};
    char *problem = NULL;
    int status = EX_CONFIG;

    asked.rules = rules_load(&ctl->conf->classify_rules, true, &problem);
    if (asked.rules == NULL) {
        fputs(problem, stderr);
        goto done;
    }
    asked.scratch = classify_scratch_new(asked.rules);
    if (timeline_read(&asked.timeline, files, target, since_us, &problem)) {
        status = answer(&asked, target);
    } else {
        ctl_complain("%s", problem);
        status = EX_NOINPUT;
    }
done:
    endings_free(&asked);
    timeline_free(&asked.timeline);
    classify_scratch_free(&asked.scratch);
    rules_free(&asked.rules);
    free(problem);
    return status;
}

/* A message id or an address as headers and logs write it, without its angle brackets. */
static const char *without_brackets(char *what)
{
    size_t length = strlen(what);

    if (length < 3 || what[0] != '<' || what[length - 1] != '>')
        return what;
    what[length - 1] = '\0';
    return what + 1;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    static const struct option longs[] = {{"since", required_argument, NULL, 's'},
                                          {NULL, 0, NULL, 0}};
    struct strings files = {.count = 0};
    int64_t since_ms = 0;
    const char *target;
    int status;
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1)
        if (c != 's' || !conf_duration_parse(optarg, &since_ms))
            return ctl_usage(argv[0], "--since: expected a time such as 2h or 3d");
    target = optind < argc ? without_brackets(argv[optind]) : "";
    if (target[strspn(target, " \t")] == '\0')
        return ctl_usage(argv[0],
                         "expected a queue id, a message id, a login, an address or a domain");
    if (!ctl_load(ctl))
        return EX_CONFIG;
    for (int i = optind + 1; i < argc; i++)
        strings_add(&files, argv[i]);
    if (files.count == 0)
        default_files(ctl->conf, &files);
    status = ask(ctl, target, &files,
                 since_ms > 0 ? clock_now_us(&clock_wall) - since_ms * 1000 : INT64_MIN);
    strings_free(&files);
    return status;
}

const struct verb verb_why = {
    .name = "why",
    .arguments = "[--since TIME] WHAT [LOG...]",
    .summary = "say what happened to mail",
    .help = "WHAT is a queue id, a message id, a login, an address of a sender or recipient,\n"
            "or a domain of recipients. Prints what the MTA and Sluice's programs logged\n"
            "about it, in order, and then one sentence and the next thing to do. Without LOG,\n"
            "the logs of the configuration are read (mail-log and log, where they are files);\n"
            "they may be packed with gzip.\n"
            "\n"
            "  --since TIME  only what happened in the last 2h, 3d, ...",
    .run = run,
};
