/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl why: what happened to a message, from all logs, in one sentence. */
#include "ctl/ctl.h"
#include "ctl/timeline.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/classify/classify.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#define PROGRAM_WIDTH 26 /* columns */

/* How something ended. */
enum ending {
    ENDING_NONE, /* the line tells of no end */
    ENDING_DELIVERED,
    ENDING_DEFERRED,
    ENDING_BOUNCED,
    ENDING_REFUSED, /* by our own server, or by Sluice */
    ENDING_HELD,
    ENDING_LOGIN, /* a login failed */
};

struct end {
    enum ending ending;
    size_t entry;
    char *queue_id, *recipient, *user, *text;
    const struct cause *cause; /* NULL: unknown */
};

struct asked {
    struct timeline timeline;
    struct rules *rules;
    struct classify_scratch *scratch;
    struct end *ends;
    size_t nends;
};

/* --- what a line tells ------------------------------------------------------------------ */

static char *copy(struct span span)
{
    return mem_copy_n(span.start != NULL ? span.start : "", span.length);
}

static char *copy_value(const struct log_record *record, const char *name)
{
    const char *value = log_record_value(record, name);

    return mem_copy(value != NULL ? value : "");
}

static enum ending ending_of_verdict(const char *verdict)
{
    if (strcmp(verdict, "reject") == 0 || strcmp(verdict, "defer") == 0)
        return ENDING_REFUSED;
    return strcmp(verdict, "hold") == 0 ? ENDING_HELD : ENDING_NONE;
}

static enum ending ending_of_status(const char *status)
{
    static const struct {
        const char *status;
        enum ending ending;
    } rows[] = {{"sent", ENDING_DELIVERED},
                {"deferred", ENDING_DEFERRED},
                {"bounced", ENDING_BOUNCED},
                {"expired", ENDING_BOUNCED}};

    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (strcmp(rows[i].status, status) == 0)
            return rows[i].ending;
    return ENDING_NONE;
}

static const struct cause *first_cause(const char *causes)
{
    char *first = mem_copy_n(causes, strcspn(causes, ","));
    const struct cause *cause = cause_find(first);

    free(first);
    return cause;
}

/* Of a message that is refused, the cause is the one that asked for it. */
static const struct cause *refusing_cause(const struct asked *asked, const char *queue_id,
                                          const char *trace, const char *verdict)
{
    for (size_t i = 0; i < asked->timeline.count; i++) {
        const struct log_record *record = &asked->timeline.entries[i].record;
        const char *event = log_record_value(record, "event");
        const char *action = log_record_value(record, "action");
        const char *its = log_record_value(record, "trace");

        if (event != NULL && action != NULL && strcmp(event, "cause") == 0 &&
            strcmp(action, verdict) == 0 && its != NULL && trace != NULL &&
            strcmp(its, trace) == 0 && strcmp(record->queue_id, queue_id) == 0)
            return cause_find(log_record_value(record, "cause"));
    }
    return NULL;
}

static struct end end_of_record(const struct asked *asked, const struct log_record *record)
{
    const char *event = log_record_value(record, "event");
    const char *verdict = log_record_value(record, "verdict");
    const char *status = log_record_value(record, "status");
    const char *causes = log_record_value(record, "causes");
    const char *cause = log_record_value(record, "cause");
    struct end end = {.ending = ENDING_NONE};

    if (event != NULL && strcmp(event, "message") == 0 && verdict != NULL) {
        end.ending = ending_of_verdict(verdict);
        end.cause =
            refusing_cause(asked, record->queue_id, log_record_value(record, "trace"), verdict);
        if (end.cause == NULL && causes != NULL)
            end.cause = first_cause(causes);
    } else if (event != NULL && strcmp(event, "delivery") == 0 && status != NULL) {
        end.ending = ending_of_status(status);
        end.cause = cause != NULL ? cause_find(cause) : NULL;
    }
    if (end.ending == ENDING_NONE)
        return end;
    end.queue_id = mem_copy(record->queue_id);
    end.recipient = copy_value(record, "rcpt");
    end.user = copy_value(record, "user");
    end.text = copy_value(record, "text");
    return end;
}

static struct end end_of_line(const struct asked *asked, const struct line *line)
{
    struct classification classification;
    struct end end = {.ending = ENDING_NONE};

    classify_line(asked->rules, asked->scratch, line, &classification);
    if (line->kind == LINE_REJECT || line->kind == LINE_SCREEN)
        end.ending = ENDING_REFUSED;
    else if (line->kind == LINE_LOGIN)
        end.ending = ENDING_LOGIN;
    else if (line->kind == LINE_EXPIRED || line->status == LINE_STATUS_BOUNCED)
        end.ending = ENDING_BOUNCED;
    else if (line->kind == LINE_DELIVERY)
        end.ending = line->status == LINE_STATUS_SENT ? ENDING_DELIVERED : ENDING_DEFERRED;
    if (end.ending == ENDING_NONE)
        return end;
    if (classification.outcome == OUTCOME_FAILED)
        end.cause = cause_get(classification.cause);
    end.queue_id = copy(line->fields[FIELD_QUEUE_ID]);
    end.recipient = copy(line->fields[FIELD_RECIPIENT]);
    end.user = copy(line->fields[FIELD_USER]);
    end.text = copy(line->fields[FIELD_TEXT]);
    return end;
}

static void find_ends(struct asked *asked)
{
    for (size_t i = 0; i < asked->timeline.count; i++) {
        const struct timeline_entry *entry = &asked->timeline.entries[i];
        struct end end = entry->record.queue_id != NULL ? end_of_record(asked, &entry->record)
                                                        : end_of_line(asked, &entry->line);

        if (end.ending == ENDING_NONE)
            continue;
        end.entry = i;
        asked->ends = mem_grow(asked->ends, asked->nends + 1, sizeof(*asked->ends));
        asked->ends[asked->nends++] = end;
    }
}

/* --- the answer ------------------------------------------------------------------------- */

static bool ended_well_later(const struct asked *asked, size_t index)
{
    const struct end *end = &asked->ends[index];

    for (size_t i = index + 1; i < asked->nends; i++)
        if (asked->ends[i].ending == ENDING_DELIVERED &&
            strcmp(asked->ends[i].queue_id, end->queue_id) == 0 &&
            strcasecmp(asked->ends[i].recipient, end->recipient) == 0)
            return true;
    return false;
}

/* The latest failure that nothing has mended; without any, the latest end. */
static const struct end *decisive(const struct asked *asked)
{
    for (size_t i = asked->nends; i-- > 0;)
        if (asked->ends[i].ending != ENDING_DELIVERED && !ended_well_later(asked, i))
            return &asked->ends[i];
    return asked->nends > 0 ? &asked->ends[asked->nends - 1] : NULL;
}

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

static void print_whose(const struct end *end)
{
    printf("%s", *end->queue_id != '\0' && strcmp(end->queue_id, "NOQUEUE") != 0 ? end->queue_id
                                                                                 : "A message");
    if (*end->user != '\0')
        printf(" of %s", end->user);
    if (*end->recipient != '\0')
        printf(" to %s", end->recipient);
}

static void print_sentence(const struct asked *asked, const struct end *end)
{
    static const char *const words[] = {
        [ENDING_DELIVERED] = "was delivered",
        [ENDING_DEFERRED] = "is put off, and will be tried again",
        [ENDING_BOUNCED] = "could not be delivered, and went back to its sender",
        [ENDING_REFUSED] = "was refused by our own server",
        [ENDING_HELD] = "is on hold",
    };

    if (end->ending == ENDING_LOGIN) {
        printf("A login%s", *end->user != '\0' ? " of " : "");
        print_plain(span_of(end->user));
        printf(" failed");
    } else {
        print_whose(end);
        printf(" %s", words[end->ending]);
    }
    printf(" at ");
    print_time(asked->timeline.entries[end->entry].time_us);
    if (end->ending != ENDING_DELIVERED && end->cause != NULL)
        printf(" (%s: %s)", end->cause->id, end->cause->title);
    if (*end->text != '\0')
        printf(": ");
    print_plain(span_of(end->text));
    printf("\n");
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
            strcmp(record->queue_id, end->queue_id) == 0)
            hint = log_record_value(record, "hint");
    }
    if (end->ending == ENDING_DELIVERED)
        hint = "nothing to do here; if the recipient misses it, ask them to look in the spam "
               "folder, and their postmaster with the reply above";
    else if (hint == NULL)
        hint = end->cause != NULL ? end->cause->remedy : "read the last lines above";
    printf("Next: ");
    print_plain(span_of(hint));
    putchar('\n');
}

static int answer(struct asked *asked, const char *target)
{
    const struct end *end;

    if (asked->timeline.count == 0) {
        printf("The logs say nothing about %s.\n", target);
        return EXIT_NEGATIVE;
    }
    print_timeline(&asked->timeline);
    find_ends(asked);
    end = decisive(asked);
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

/* Without files, the MTA's logs, the last of their old ones, and our own where that is a file. */
static void default_files(const struct conf *conf, struct strings *files_r)
{
    static const char file[] = "file:";

    for (size_t i = 0; i < conf->mail_log.count; i++) {
        char *old = mem_print("%s.1", conf->mail_log.items[i]);

        if (*old == '/' && access(old, R_OK) == 0)
            strings_add(files_r, old);
        if (*old == '/')
            strings_add(files_r, conf->mail_log.items[i]);
        free(old);
    }
    if (strncmp(conf->log, file, strlen(file)) == 0 &&
        !strings_have(files_r, conf->log + strlen(file)))
        strings_add(files_r, conf->log + strlen(file));
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
    for (size_t i = 0; i < asked.nends; i++) {
        free(asked.ends[i].queue_id);
        free(asked.ends[i].recipient);
        free(asked.ends[i].user);
        free(asked.ends[i].text);
    }
    free(asked.ends);
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
    .help = "WHAT is a queue id, a message id, a login, an address of a sender or recipient, or\n"
            "a domain of recipients.\n"
            "Prints what the MTA and Sluice's programs logged about it, in order, and then one\n"
            "sentence and the next thing to do. Without LOG, the logs of the configuration are\n"
            "read (mail-log and log, where they are files); they may be packed with gzip.\n"
            "\n"
            "  --since TIME  only what happened in the last 2h, 3d, ...",
    .run = run,
};
