/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl config: check and print the configuration. */
#include "ctl/ctl.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int check(struct ctl *ctl)
{
    const struct conf *conf;

    if (!ctl_load(ctl))
        return EX_CONFIG;
    conf = ctl->conf;
    printf("The configuration is good: mode %s, %zu limit%s, %zu class%s, %zu domain%s signed.\n",
           conf->mode == MODE_ENFORCE ? "enforce" : "observe", conf->nlimits,
           conf->nlimits == 1 ? "" : "s", conf->nclasses, conf->nclasses == 1 ? "" : "es",
           conf->nsigns, conf->nsigns == 1 ? "" : "s");
    return EX_OK;
}

static int print(char *text)
{
    fputs(text, stdout);
    free(text);
    return EX_OK;
}

static int effective(struct ctl *ctl)
{
    return ctl_load(ctl) ? print(conf_effective(ctl->conf)) : EX_CONFIG;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    static const struct option longs[] = {{"effective", no_argument, NULL, 'e'},
                                          {"defaults", no_argument, NULL, 'd'},
                                          {"manual", no_argument, NULL, 'm'},
                                          {NULL, 0, NULL, 0}};
    int what = 'c';
    int c;

    while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
        if (c == '?') {
            ctl_complain("try sluicectl %s --help", argv[0]);
            return EX_USAGE;
        }
        if (what != 'c')
            return ctl_usage(argv[0], "expected one of --effective, --defaults and --manual");
        what = c;
    }
    if (argc > optind && (what != 'c' || strcmp(argv[optind], "check") != 0))
        return ctl_usage(argv[0], "unexpected argument \"%s\"", argv[optind]);
    if (argc > optind + 1)
        return ctl_usage(argv[0], "unexpected argument \"%s\"", argv[optind + 1]);
    if (what == 'e')
        return effective(ctl);
    if (what == 'd')
        return print(conf_defaults());
    return what == 'm' ? print(conf_manual()) : check(ctl);
}

const struct verb verb_config = {
    .name = "config",
    .arguments = "[check | --effective | ...]",
    .summary = "check or print settings",
    .help = "  check        check it (without a word, too): every problem is told with file,\n"
            "               line, what was expected and the nearest valid word\n"
            "  --effective  print what is in force: every option, the defaults included, and\n"
            "               where it was written; passwords are left out\n"
            "  --defaults   print all defaults as a commented sluice.conf\n"
            "  --manual     print the manual page sluice.conf(5) as mdoc(7)\n"
            "\n"
            "Exit status: 0, or 78 when the configuration is bad.",
    .run = run,
};
