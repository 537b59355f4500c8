/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl: the operator's command. */
#include "ctl/ctl.h"

#include "lib/base/count.h"
#include "lib/base/words.h"

#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct verb *const verbs[] = {
    /* clang-format off */
    &verb_config,
    &verb_causes,
    &verb_explain,
    &verb_check,
    &verb_try,
    &verb_enforce,
    &verb_status,
    &verb_limits,
    &verb_reset,
    &verb_class,
    &verb_warmup,
    &verb_replay,
    &verb_suspend,
    &verb_unsuspend,
    &verb_release,
    &verb_suspended,
    &verb_top,
    &verb_why,
    &verb_report,
    &verb_spf,
    &verb_verify,
    &verb_keygen,
    &verb_classify,
    /* clang-format on */
};
#define VERB_COUNT COUNT_OF(verbs)

/* In two columns, so that all of it fits a screen of 24 lines of 80. */
static void print_help(void)
{
    const size_t rows = (VERB_COUNT + 1) / 2;

    printf("usage: sluicectl [-c FILE] [-o NAME=VALUE]... VERB ...\n"
           "\n");
    for (size_t i = 0; i < rows; i++) {
        const struct verb *right = i + rows < VERB_COUNT ? verbs[i + rows] : NULL;

        printf("  %-9s  %-*s", verbs[i]->name, right != NULL ? 26 : 0, verbs[i]->summary);
        if (right != NULL)
            printf("  %-9s  %s", right->name, right->summary);
        putchar('\n');
    }
    printf("\n"
           "  -c, --config FILE        read FILE in place of %s\n"
           "  -o, --option NAME=VALUE  set one option over the file, as in\n"
           "                           -o mode=enforce or -o limit.daily.max=500\n"
           "  -V, --version            print the version\n"
           "  -h, --help               print this; after a verb, what it takes and does\n"
           "\n"
           "Exit status: 0 yes, 1 no (something is wrong, or there is no such thing),\n"
           "64 wrong usage, 69 the store does not answer, 78 bad configuration.\n"
           "Manual pages: sluicectl(8), sluice.conf(5)\n",
           SLUICE_CONF_FILE);
}

static const struct verb *find_verb(const char *name)
{
    for (size_t i = 0; i < VERB_COUNT; i++)
        if (strcmp(verbs[i]->name, name) == 0)
            return verbs[i];
    return NULL;
}

static int unknown_verb(const char *name)
{
    const char *names[VERB_COUNT];
    const char *nearest;

    for (size_t i = 0; i < VERB_COUNT; i++)
        names[i] = verbs[i]->name;
    nearest = words_nearest(name, names, VERB_COUNT);
    ctl_complain(nearest != NULL ? "unknown verb \"%s\"; did you mean \"%s\"?"
                                 : "unknown verb \"%s\"; sluicectl --help lists them",
                 name, nearest);
    return EX_USAGE;
}

static bool wants_help(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    return false;
}

/* -c FILE and -o NAME=VALUE may follow the verb, too.  Returns how many words are left. */
static int take_common(struct ctl *ctl, int argc, char **argv)
{
    int kept = 1;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0) {
            while (i < argc)
                argv[kept++] = argv[i++];
        } else if (strcmp(argv[i], "-c") == 0 && i + 1 < argc) {
            ctl->options.conf_file = argv[++i];
        } else if (strcmp(argv[i], "-o") == 0 && i + 1 < argc && strchr(argv[i + 1], '=') != NULL) {
            strings_add(&ctl->options.overrides, argv[++i]);
        } else {
            argv[kept++] = argv[i];
        }
    }
    argv[kept] = NULL;
    return kept;
}

static int run_verb(struct ctl *ctl, int argc, char **argv)
{
    const struct verb *verb = find_verb(argv[0]);

    if (verb == NULL)
        return unknown_verb(argv[0]);
    if (wants_help(argc, argv)) {
        printf("usage: sluicectl %s%s%s\n\n%s\n", verb->name, *verb->arguments != '\0' ? " " : "",
               verb->arguments, verb->help);
        return EX_OK;
    }
    argc = take_common(ctl, argc, argv);
    optind = 0; /* the verb has options of its own: getopt(3) begins anew */
    return verb->run(ctl, argc, argv);
}

/* The options before the verb.  Returns -1 to go on. */
static int parse(struct ctl *ctl, int argc, char **argv)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'},
        {"option", required_argument, NULL, 'o'},
        {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "+c:o:Vh", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            ctl->options.conf_file = optarg;
            break;
        case 'o':
            strings_add(&ctl->options.overrides, optarg);
            break;
        case 'V':
            printf("sluicectl %s\n", SLUICE_VERSION);
            return EX_OK;
        case 'h':
            print_help();
            return EX_OK;
        default:
            ctl_complain("try sluicectl --help");
            return EX_USAGE;
        }
    }
    return -1;
}

int main(int argc, char **argv)
{
    struct ctl ctl = {.conf = NULL};
    int status = parse(&ctl, argc, argv);

    (void)signal(SIGPIPE,
                 SIG_IGN); /* a store that closes its connection is an answer, not our end */
    if (status < 0 && optind == argc) {
        ctl_complain("expected a verb; try sluicectl --help");
        status = EX_USAGE;
    }
    if (status < 0)
        status = run_verb(&ctl, argc - optind, argv + optind);
    conf_release(&ctl.conf);
    options_free(&ctl.options);
    if (fflush(stdout) != 0 && status == EX_OK) {
        ctl_complain("cannot write to standard output");
        status = EX_IOERR;
    }
    return status;
}
