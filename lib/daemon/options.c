/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/daemon/options.h"

#include "lib/causes/causes.h"

#include <getopt.h>
#include <stdio.h>
#include <string.h>

static void print_help(const char *program, const char *summary)
{
    printf("%s: %s\n"
           "\n"
           "usage: %s [-t] [-c FILE] [-o NAME=VALUE]...\n"
           "\n"
           "  -c, --config FILE        read FILE in place of %s\n"
           "  -o, --option NAME=VALUE  set one option over the file, as in\n"
           "                           -o mode=enforce or -o limit.daily.max=500\n"
           "  -t, --test               check the configuration and exit (0 good, 78 bad)\n"
           "  -V, --version            print the version\n"
           "  -h, --help               print this\n"
           "\n"
           "It stays in the foreground.  SIGHUP reloads the configuration and opens the log\n"
           "anew; SIGTERM finishes what is in hand and exits.  Exit status: 0 asked to stop,\n"
           "64 wrong usage, 69 cannot listen, 78 bad configuration.\n"
           "\n"
           "Manual pages: %s(8), sluice.conf(5), sluicectl(8)\n",
           program, summary, program, SLUICE_CONF_FILE, program);
}

static int wrong_usage(const char *program)
{
    fprintf(stderr, "%s: try \"%s --help\"\n", program, program);
    return EX_USAGE;
}

int options_parse(int argc, char **argv, const char *program, const char *summary,
                  struct options *options_r)
{
    static const struct option longs[] = {
        {"config", required_argument, NULL, 'c'}, {"option", required_argument, NULL, 'o'},
        {"test", no_argument, NULL, 't'},         {"version", no_argument, NULL, 'V'},
        {"help", no_argument, NULL, 'h'},         {NULL, 0, NULL, 0},
    };
    int c;

    *options_r = (struct options){0};
    while ((c = getopt_long(argc, argv, "c:o:tVh", longs, NULL)) != -1) {
        switch (c) {
        case 'c':
            options_r->conf_file = optarg;
            break;
        case 'o':
            strings_add(&options_r->overrides, optarg);
            break;
        case 't':
            options_r->check_only = true;
            break;
        case 'V':
            printf("%s %s\n", program, SLUICE_VERSION);
            return EX_OK;
        case 'h':
            print_help(program, summary);
            return EX_OK;
        default:
            return wrong_usage(program);
        }
    }
    if (optind < argc) {
        fprintf(stderr, "%s: unexpected argument \"%s\"\n", program, argv[optind]);
        return wrong_usage(program);
    }
    return -1;
}

struct conf *options_load(const struct options *options, char **problems_r)
{
    const struct conf_words words = {.causes = cause_ids(),
                                     .ncauses = CAUSE_COUNT,
                                     .actions = action_names(),
                                     .nactions = ACTION_COUNT};

    return conf_load(options->conf_file, (const char *const *)options->overrides.items,
                     options->overrides.count, &words, problems_r);
}

void options_free(struct options *options)
{
    strings_free(&options->overrides);
}
