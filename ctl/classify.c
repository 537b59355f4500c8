/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl classify: say why mail did not arrive, from replies and log lines. */
#include "ctl/ctl.h"

#include "lib/base/mem.h"
#include "lib/classify/classify.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define READ_SIZE ((size_t)256 * 1024)

/* Lines of one input, in a buffer that never grows: what is longer than a log line can be is cut.
 */
struct input {
    int file;
    char *bytes; /* READ_SIZE octets */
    size_t start, end;
    bool skipping; /* the rest of a line that was cut */
};

struct classifier {
    struct rules *rules;
    struct classify_scratch *scratch;
};

/* Four columns whatever the outcome; "-" stands for what there is not. */
static void print_result(const struct classification *result)
{
    const char *rule = result->rule != NULL ? result->rule : "-";

    if (result->outcome == OUTCOME_FAILED)
        printf("%s\t%s\t%s\t%s\n", cause_get(result->cause)->id,
               severity_name(cause_get(result->cause)->severity), failure_name(result->failure),
               rule);
    else
        printf("%s\t-\t-\t-\n", result->outcome == OUTCOME_DELIVERED ? "delivered" : "-");
}

static void classify_one(const struct classifier *classifier, const char *bytes, size_t length)
{
    struct classification result;

    classify_text(classifier->rules, classifier->scratch, (struct span){bytes, length}, &result);
    print_result(&result);
}

/* Takes the whole lines out of the buffer. */
static void take_lines(const struct classifier *classifier, struct input *input)
{
    for (;;) {
        char *line = input->bytes + input->start;
        char *newline = memchr(line, '\n', input->end - input->start);

        if (newline == NULL)
            break;
        if (!input->skipping)
            classify_one(classifier, line, (size_t)(newline - line));
        input->skipping = false;
        input->start = (size_t)(newline + 1 - input->bytes);
    }
    if (input->start == 0 && input->end == READ_SIZE) {
        if (!input->skipping)
            classify_one(classifier, input->bytes, input->end);
        input->skipping = true;
        input->start = input->end;
    }
    memmove(input->bytes, input->bytes + input->start, input->end - input->start);
    input->end -= input->start;
    input->start = 0;
}

static bool classify_input(const struct classifier *classifier, struct input *input)
{
    ssize_t got;

    while ((got = read(input->file, input->bytes + input->end, READ_SIZE - input->end)) != 0) {
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return false;
        input->end += (size_t)got;
        take_lines(classifier, input);
        /* Whoever follows a log sees each line when it comes. */
        if (fflush(stdout) != 0)
            return true; /* nobody reads on: main() says so */
    }
    if (input->end > 0 && !input->skipping)
        classify_one(classifier, input->bytes, input->end);
    return true;
}

/* "-" is standard input. */
static int classify_file(const struct classifier *classifier, const char *path)
{
    struct input input = {.file = STDIN_FILENO};
    int status = EX_OK;

    if (strcmp(path, "-") != 0)
        input.file = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    if (input.file < 0) {
        ctl_complain("cannot read %s: %s", path, strerror(errno));
        return EX_NOINPUT;
    }
    input.bytes = mem_new(READ_SIZE, 1);
    if (!classify_input(classifier, &input)) {
        ctl_complain("cannot read %s: %s", path, strerror(errno));
        status = EX_NOINPUT;
    }
    free(input.bytes);
    if (input.file != STDIN_FILENO)
        close(input.file);
    return status;
}

static int classify_files(const struct classifier *classifier, int count, char **paths)
{
    int status = EX_OK;

    if (count == 0)
        return classify_file(classifier, "-");
    for (int i = 0; i < count; i++) {
        int one = classify_file(classifier, paths[i]);

        status = one != EX_OK ? one : status;
    }
    return status;
}

static int check(const struct rules *rules)
{
    struct text complaints = TEXT_EMPTY;
    bool good = classify_check(rules, &complaints);

    if (good)
        printf("The rules are good: %zu rules, %zu test sentences.\n", rules_count(rules),
               rules_sentence_count(rules));
    else
        fputs(text_string(&complaints), stdout);
    text_free(&complaints);
    return good ? EX_OK : EXIT_NEGATIVE;
}

/* The configured files and the built-in rules; to check files that are not yet configured, they
 * are named. */
static struct rules *load(struct ctl *ctl, int count, char **paths)
{
    struct strings files = {.count = 0};
    struct rules *rules;
    char *problems = NULL;

    for (int i = 0; i < count; i++)
        strings_add(&files, paths[i]);
    for (size_t i = 0; i < ctl->conf->classify_rules.count; i++)
        if (!strings_have(&files, ctl->conf->classify_rules.items[i]))
            strings_add(&files, ctl->conf->classify_rules.items[i]);
    rules = rules_load(&files, true, &problems);
    if (rules == NULL)
        fputs(problems, stderr);
    free(problems);
    strings_free(&files);
    return rules;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    static const struct option longs[] = {{"check", no_argument, NULL, 'c'}, {NULL, 0, NULL, 0}};
    struct classifier classifier = {.rules = NULL};
    bool checking = false;
    int status;
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c != 'c') {
            ctl_complain("try sluicectl %s --help", argv[0]);
            return EX_USAGE;
        }
        checking = true;
    }
    if (!ctl_load(ctl))
        return EX_CONFIG;
    classifier.rules = load(ctl, checking ? argc - optind : 0, argv + optind);
    if (classifier.rules == NULL)
        return EX_CONFIG;
    classifier.scratch = classify_scratch_new(classifier.rules);
    status = checking ? check(classifier.rules)
                      : classify_files(&classifier, argc - optind, argv + optind);
    classify_scratch_free(&classifier.scratch);
    rules_free(&classifier.rules);
    return status;
}

const struct verb verb_classify = {
    .name = "classify",
    .arguments = "[--check] [FILE...]",
    .summary = "say why mail came back",
    .help = "Reads one SMTP reply or one line of the MTA's log a line, from the files or\n"
            "standard input, and prints for each, parted by tabs: the cause (`sluicectl\n"
            "causes` lists them), its severity, whether the failure is hard, soft or of the\n"
            "transport, and the rule that decided. A success has \"delivered\" in place of the\n"
            "cause, and a line that tells of neither \"-\"; all have four columns, with \"-\"\n"
            "where there is nothing to say.\n"
            "\n"
            "  --check   instead, make sure that each rule's test sentences are decided by\n"
            "            that very rule; the files, if any, are rules that are tried before\n"
            "            all others",
    .run = run,
};
