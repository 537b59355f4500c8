/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl try: what would become of a message, without sending it. */
#include "ctl/try.h"

#include "ctl/ctl.h"

#include "lib/base/clock.h"
#include "lib/base/count.h"
#include "lib/base/text.h"
#include "lib/daemon/services.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define PORT_MOST 65535
#define CLOSE_MS 100

static bool parse_number(const char *word, int64_t most, int64_t *number_r)
{
    return text_number(word, strlen(word), number_r) && *number_r >= 0 && *number_r <= most;
}

static bool parse_stage(const char *word, enum stage *stage_r)
{
    static const char *const words[] = {[STAGE_MAIL] = "mail",
                                        [STAGE_RCPT] = "rcpt",
                                        [STAGE_DATA] = "data",
                                        [STAGE_END_OF_MESSAGE] = "end-of-message"};

    for (size_t i = 0; i < COUNT_OF(words); i++) {
        if (strcmp(words[i], word) != 0)
            continue;
        *stage_r = (enum stage)i;
        return true;
    }
    return false;
}

/* Returns -1 to go on. */
static int take_number(const char *verb, int option, struct trial *trial)
{
    int64_t number;

    if (!parse_number(optarg, option == 'P' ? PORT_MOST : INT64_MAX, &number))
        return ctl_usage(verb, "expected a number, not \"%s\"", optarg);
    if (option == 'P')
        trial->port = (unsigned)number;
    else
        trial->size = number;
    return -1;
}

static int take(const char *verb, int option, struct trial *trial)
{
    struct ip_address address;

    switch (option) {
    case 'u':
        trial->user = optarg;
        return -1;
    case 'c':
        trial->client = optarg;
        return ip_parse(optarg, &address)
                   ? -1
                   : ctl_usage(verb, "--client: expected an IP address, not \"%s\"", optarg);
    case 'H':
        trial->helo = optarg;
        return -1;
    case 'f':
        trial->from = optarg;
        return -1;
    case 'r':
        strings_add(&trial->recipients, optarg);
        return -1;
    case 'm':
        trial->path = optarg;
        return -1;
    case 't':
        trial->tls = strcmp(optarg, "none") == 0 ? "" : optarg;
        return -1;
    case 'C':
        trial->certificate = optarg;
        return -1;
    case 'p':
        trial->as_policy = true;
        return parse_stage(optarg, &trial->stage)
                   ? -1
                   : ctl_usage(verb, "--as-policy: expected mail, rcpt, data or end-of-message");
    case 'M':
        trial->as_milter = true;
        return -1;
    case 'j':
        trial->json = true;
        return -1;
    case 'P':
    case 's':
        return take_number(verb, option, trial);
    default:
        return ctl_usage(verb, "unknown option");
    }
}

static int parse(int argc, char **argv, struct trial *trial)
{
    static const struct option longs[] = {
        {"user", required_argument, NULL, 'u'},
        {"client", required_argument, NULL, 'c'},
        {"helo", required_argument, NULL, 'H'},
        {"from", required_argument, NULL, 'f'},
        {"rcpt", required_argument, NULL, 'r'},
        {"message", required_argument, NULL, 'm'},
        {"port", required_argument, NULL, 'P'},
        {"tls", required_argument, NULL, 't'},
        {"certificate", required_argument, NULL, 'C'},
        {"size", required_argument, NULL, 's'},
        {"as-policy", required_argument, NULL, 'p'},
        {"as-milter", no_argument, NULL, 'M'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0},
    };
    int status = -1;
    int c;

    while (status < 0 && (c = getopt_long(argc, argv, "j", longs, NULL)) != -1)
        status = take(argv[0], c, trial);
    while (status < 0 && optind < argc)
        strings_add(&trial->recipients, argv[optind++]);
    if (status < 0 && trial->recipients.count == 0)
        return ctl_usage(argv[0], "expected --rcpt ADDRESS");
    if (status < 0 && !trial->as_policy && !trial->as_milter) {
        trial->as_policy = true;
        trial->as_milter = trial->path != NULL;
    }
    if (status < 0 && trial->as_milter && trial->path == NULL)
        return ctl_usage(argv[0], "--as-milter: expected --message FILE");
    return status;
}

/* The services of a daemon, without its journal and its log. */
static int run_with_services(const struct trial *trial, const struct conf *conf)
{
    const struct log_settings settings = services_log_settings("sluicectl", conf);
    struct services services = {.steady = &clock_steady, .loop = loop_new()};
    char *problem = NULL;
    int status = EX_UNAVAILABLE;

    if (services.loop == NULL)
        return EX_UNAVAILABLE;
    services.log = log_open(&settings, &problem);
    if (services.log != NULL && services_open(&services, "sluicectl", conf, &problem))
        status = trial_run(trial, conf, &services);
    else
        ctl_complain("%s", problem);
    services_close(&services, CLOSE_MS);
    loop_free(&services.loop);
    if (services.log != NULL)
        log_close(&services.log);
    free(problem);
    return status;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct trial trial = {.stage = STAGE_END_OF_MESSAGE, .client = "127.0.0.1", .from = ""};
    int status = parse(argc, argv, &trial);
    char *problem = NULL;

    strings_add(&ctl->options.overrides, "state-directory=");
    strings_add(&ctl->options.overrides, "log=file:/dev/null");
    if (status < 0 && !ctl_load(ctl))
        status = EX_CONFIG;
    if (status < 0 && trial.path != NULL && !mail_read(trial.path, &trial.mail, &problem)) {
        ctl_complain("%s", problem);
        free(problem);
        status = EX_NOINPUT;
    }
    if (status < 0)
        status = run_with_services(&trial, ctl->conf);
    mail_free(&trial.mail);
    strings_free(&trial.recipients);
    return status;
}

const struct verb verb_try = {
    .name = "try",
    .arguments = "--rcpt ADDRESS ...",
    .summary = "judge a message, unsent",
    .help = "Judges a message as the daemons would, and prints what they would find and do:\n"
            "the findings with their facts and hints, the verdict, the reply, the headers\n"
            "they would add, and what they asked the DNS and the store.  Nothing is sent or\n"
            "counted.\n"
            "\n"
            "  --rcpt ADDRESS   a recipient; may be given repeatedly\n"
            "  --from ADDRESS   the envelope sender; without it, a bounce's <>\n"
            "  --user LOGIN     who is logged in; without it, nobody\n"
            "  --client IP      where from; without it, this machine\n"
            "  --helo NAME      the HELO name\n"
            "  --port N         our port; without it, 587 with a login, else 25\n"
            "  --tls VERSION    as TLSv1.3 or TLSv1.2/AES128-SHA (with a cipher), or none;\n"
            "                   without it, TLSv1.3 with a login\n"
            "  --certificate NAME  of the client, as certificate= in the log has it\n"
            "  --message FILE   the message, - for standard input\n"
            "  --size N         its size, where it is not given\n"
            "  --as-policy STAGE  as sluice-policyd at mail, rcpt, data or end-of-message\n"
            "  --as-milter        as sluice-milter; without either, both\n"
            "  -j, --json         as JSON\n"
            "\n"
            "Exit status: 0 it would pass, 1 it would be held or refused.",
    .run = run,
};
