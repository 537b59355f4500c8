/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl check: is all set up as it has to be? */
#include "ctl/check.h"

#include "lib/base/count.h"

#include <getopt.h>
#include <string.h>

#define TIMEOUT_MS 20000

static const struct check_subject subjects[] = {{"dns", check_dns}, {"endpoints", check_endpoints}};

static int run_subject(struct ctl *ctl, const char *verb, const char *name,
                       const struct check_words *words)
{
    for (size_t i = 0; i < COUNT_OF(subjects); i++)
        if (strcmp(subjects[i].name, name) == 0)
            return ctl_load(ctl) ? subjects[i].run(ctl, words) : EX_CONFIG;
    return ctl_usage(
        verb, "there is nothing to check by the name of \"%s\"; expected dns or endpoints", name);
}

/* Returns -1 to go on. */
static int take(struct ctl *ctl, const char *verb, int option, struct check_words *words)
{
    switch (option) {
    case 'j':
        words->json = true;
        return -1;
    case 'o':
        strings_add(&ctl->options.overrides, optarg);
        return -1;
    case 'a':
        words->authorities = optarg;
        return -1;
    case 'n':
        words->name = optarg;
        return -1;
    case 't':
        return conf_duration_parse(optarg, &words->timeout_ms) && words->timeout_ms > 0
                   ? -1
                   : ctl_usage(verb, "--timeout: expected a time such as 5s, not \"%s\"", optarg);
    default:
        return ctl_usage(verb, "wrong option");
    }
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    static const struct option options[] = {
        {"json", no_argument, NULL, 'j'},          {"option", required_argument, NULL, 'o'},
        {"ca", required_argument, NULL, 'a'},      {"name", required_argument, NULL, 'n'},
        {"timeout", required_argument, NULL, 't'}, {NULL, 0, NULL, 0}};
    struct check_words words = {.timeout_ms = TIMEOUT_MS};
    int status = -1;
    int option;

    while (status < 0 && (option = getopt_long(argc, argv, "jo:", options, NULL)) != -1)
        status = take(ctl, argv[0], option, &words);
    if (status >= 0)
        return status;
    if (optind == argc)
        return ctl_usage(argv[0], "expected what to check: dns or endpoints");
    words.names = argv + optind + 1;
    words.count = (size_t)(argc - optind - 1);
    return run_subject(ctl, argv[0], argv[optind], &words);
}

const struct verb verb_check = {
    .name = "check",
    .arguments = "dns [DOMAIN...] | endpoints ENDPOINT...",
    .summary = "what the world sees of us",
    .help = "check dns asks the DNS what receivers of our mail will ask, for each DOMAIN or\n"
            "all of local-domains and the sign sections: the published DKIM keys against ours\n"
            "(also those that wait or are retired), SPF of MAIL FROM and HELO for every\n"
            "address that we or our relays send from, DMARC, and the domain's MX.  It prints\n"
            "what it found, and each cause with a hint that says which record to publish.\n"
            "The files of the keys must be readable: run it as root.\n"
            "\n"
            "check endpoints connects to mail servers as their clients do: whether they\n"
            "answer, whether TLS works as the port has it, whether the certificate is valid,\n"
            "trusted and for the host's name, and whether a login is offered.  ENDPOINT is\n"
            "[SCHEME://]HOST[:PORT], with smtp (25), submission (587) and imap (143), which\n"
            "have STARTTLS, or submissions (465) and imaps (993).  Nobody logs in.\n"
            "\n"
            "  -j, --json       as one JSON document\n"
            "  -o NAME=VALUE    as before the verb: -o resolver=127.0.0.1@5353\n"
            "  --ca FILE        of endpoints: trust these authorities, not the system's\n"
            "  --name NAME      of endpoints: the name that the certificate has to be for\n"
            "  --timeout TIME   of endpoints: for each address; without it, 20s\n"
            "\n"
            "Exit status: 0 all is well, 1 something is wrong, 69 the DNS does not answer, 78\n"
            "bad configuration.",
    .run = run,
};
