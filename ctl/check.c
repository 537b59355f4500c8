/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl check: is all set up as it has to be? */
#include "ctl/check.h"

#include <getopt.h>
#include <string.h>

static const struct check_subject subjects[] = {{"dns", check_dns}};

static int run_subject(struct ctl *ctl, const char *verb, const char *name, char **names,
                       size_t count, bool json)
{
    for (size_t i = 0; i < sizeof(subjects) / sizeof(subjects[0]); i++)
        if (strcmp(subjects[i].name, name) == 0)
            return ctl_load(ctl) ? subjects[i].run(ctl, names, count, json) : EX_CONFIG;
    return ctl_usage(verb, "there is nothing to check by the name of \"%s\"; expected dns", name);
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {{"json", no_argument, NULL, 'j'},
                                            {"option", required_argument, NULL, 'o'},
                                            {NULL, 0, NULL, 0}};
    bool json = false;
    int option;

    while ((option = getopt_long(argc, argv, "jo:", options, NULL)) != -1) {
        if (option == 'j')
            json = true;
        else if (option == 'o')
            strings_add(&ctl->options.overrides, optarg);
        else
            return ctl_usage(argv[0], "wrong option");
    }
    if (optind == argc)
        return ctl_usage(argv[0], "expected what to check: dns");
    return run_subject(ctl, argv[0], argv[optind], argv + optind + 1, (size_t)(argc - optind - 1),
                       json);
}

const struct verb verb_check = {
    .name = "check",
    .arguments = "dns [DOMAIN...]",
    .summary = "what the world sees of our domains",
    .help =
        "check dns asks the DNS what receivers of our mail will ask, for each DOMAIN, or for all\n"
        "of local-domains and of the sign sections: whether the published DKIM keys are the\n"
        "public halves of ours (also of those that wait or are retired), SPF of MAIL FROM and\n"
        "HELO for every address that we or our relays send from, DMARC, the domain's MX, and\n"
        "what else is known of our addresses.  The files of the keys must be readable: run it as\n"
        "root.\n"
        "\n"
        "It prints what it found, and each cause as the log would have it, with a hint that says\n"
        "which record to publish.\n"
        "\n"
        "  -j, --json       the same as one JSON document\n"
        "  -o NAME=VALUE    as before the verb: -o resolver=127.0.0.1@5353\n"
        "\n"
        "Exit status: 0 all is well, 1 something is wrong, 69 it could not be found out since the\n"
        "DNS does not answer, 78 bad configuration.",
    .run = run,
};
