/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl spf: what SPF says of a client, a HELO name and a sender. */
#include "ctl/ctl.h"

#include "lib/auth/lookups.h"
#include "lib/auth/spf.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/log/log.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TIMEOUT_MS 20000 /* RFC 7208 section 4.6.4 asks for no less */
#define STEP_MS 100
#define MECHANISM_SHOWN 300 /* octets, so that what follows still fits the line */
#define SECOND_US INT64_C(1000000)

struct check {
    struct spf_query query;
    struct spf_result result;
    bool ended;
};

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct check *check = context;

    return spf_check(&check->query, lookup, &check->result);
}

static void end(int64_t ttl_sec, void *context)
{
    (void)ttl_sec;
    ((struct check *)context)->ended = true;
}

/* The fields in the log's own form, so that no value breaks the line. */
static void print_line(const struct spf_result *result)
{
    struct log_event event;
    char *line;

    log_begin(&event, NULL, LOG_INFO, NULL, "spf");
    log_string(&event, "result", spf_status_name(result->status));
    log_string(&event, "domain", result->domain);
    log_print(&event, "mechanism", "%.*s", MECHANISM_SHOWN,
              result->mechanism != NULL ? result->mechanism : "");
    log_number(&event, "lookups", result->lookups);
    log_number(&event, "void", result->voids);
    log_string(&event, "explanation", result->explanation != NULL ? result->explanation : "");
    log_string(&event, "problem", result->problem);
    line = log_format(&event, LOG_FORMAT_TEXT);
    puts(strstr(line, "result="));
    free(line);
}

/* false: there is no resolver to ask; it was told. */
static bool run_check(const struct conf *conf, struct check *check)
{
    const struct dns_settings settings = {
        .resolver = conf->resolver,
        .timeout_ms = conf->dns_timeout_ms,
        .max_inflight = (size_t)conf->dns_max_inflight,
        .cache_size = (size_t)conf->dns_cache_size,
    };
    struct loop *loop = loop_new();
    struct dns *dns = NULL;
    char *problem = NULL;

    if (loop == NULL)
        problem = mem_print("cannot make an event loop: %s", strerror(errno));
    else
        dns = dns_new(loop, &settings, &problem);
    if (dns != NULL)
        (void)lookups_start(loop, dns, TIMEOUT_MS, evaluate, end, check);
    while (dns != NULL && !check->ended)
        loop_run_once(loop, STEP_MS);
    if (problem != NULL)
        ctl_complain("%s", problem);
    if (dns != NULL)
        dns_free(&dns);
    if (loop != NULL)
        loop_free(&loop);
    free(problem);
    return check->ended;
}

/* What the command line says. */
struct words {
    const char *ip, *helo, *sender;
    int64_t at_sec;
};

/* MAIL FROM as it is written in SMTP, or without the brackets; the caller frees it. */
static char *plain_sender(const char *sender)
{
    size_t length = strlen(sender);

    if (length >= 2 && sender[0] == '<' && sender[length - 1] == '>')
        return mem_copy_n(sender + 1, length - 2);
    return mem_copy(sender);
}

static bool parse_time(const char *string, int64_t *sec_r)
{
    char *after;
    intmax_t value;

    errno = 0;
    value = strtoimax(string, &after, 10);
    if (errno != 0 || *string == '\0' || *after != '\0' || value < 0)
        return false;
    *sec_r = value;
    return true;
}

/* Returns -1 to go on. */
static int parse(struct ctl *ctl, int argc, char **argv, struct words *words)
{
    static const struct option longs[] = {
        {"ip", required_argument, NULL, 'i'},        {"helo", required_argument, NULL, 'H'},
        {"mail-from", required_argument, NULL, 'f'}, {"at", required_argument, NULL, 't'},
        {"option", required_argument, NULL, 'o'},    {NULL, 0, NULL, 0},
    };
    int c;

    while ((c = getopt_long(argc, argv, "o:", longs, NULL)) != -1) {
        if (c == 'i')
            words->ip = optarg;
        else if (c == 'H')
            words->helo = optarg;
        else if (c == 'f')
            words->sender = optarg;
        else if (c == 'o')
            strings_add(&ctl->options.overrides, optarg);
        else if (c != 't')
            return ctl_usage(argv[0], "expected --ip, --helo and --mail-from");
        else if (!parse_time(optarg, &words->at_sec))
            return ctl_usage(argv[0], "--at: expected seconds since the epoch, not \"%s\"", optarg);
    }
    if (optind < argc)
        return ctl_usage(argv[0], "unexpected argument \"%s\"", argv[optind]);
    if (words->ip == NULL || words->helo == NULL)
        return ctl_usage(argv[0], "expected --ip and --helo");
    return -1;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct words words = {.sender = "", .at_sec = clock_now_us(&clock_wall) / SECOND_US};
    struct check check = {.ended = false};
    int status = parse(ctl, argc, argv, &words);
    char *sender = NULL;

    if (status >= 0)
        return status;
    if (!ip_parse(words.ip, &check.query.client))
        return ctl_usage(argv[0], "--ip: expected an IP address, not \"%s\"", words.ip);
    if (!ctl_load(ctl))
        return EX_CONFIG;
    sender = plain_sender(words.sender);
    check.query.helo = words.helo;
    check.query.sender = sender;
    check.query.receiver = ctl->conf->hostname;
    check.query.now_sec = words.at_sec;
    status = run_check(ctl->conf, &check) ? EX_OK : EX_UNAVAILABLE;
    if (status == EX_OK)
        print_line(&check.result);
    spf_result_clear(&check.result);
    free(sender);
    return status;
}

const struct verb verb_spf = {
    .name = "spf",
    .arguments = "--ip IP --helo NAME ...",
    .summary = "check a client by SPF",
    .help =
        "Asks, as the server would that receives the mail: may this client send for this sender?\n"
        "\n"
        "  --ip IP            the client's address: for outgoing mail, yours\n"
        "  --helo NAME        the name that it says in HELO or EHLO\n"
        "  --mail-from ADDR   the sender; without it, or with <>, postmaster at the HELO name\n"
        "  --at EPOCH         the time, in seconds, for records that ask for it\n"
        "  -o NAME=VALUE      as before the verb: -o resolver=127.0.0.1@5353\n"
        "\n"
        "Prints result= (none, neutral, pass, fail, softfail, temperror, permerror), domain=,\n"
        "mechanism= (the one that decided), lookups= (at most 10), void= (at most 2), and\n"
        "explanation= (of a fail); with an error, or where there is no record, problem=.\n"
        "\n"
        "Exit status: 0 whatever the result; 69 when there is no resolver.",
    .run = run,
};
