/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl spf: what SPF says of a client, a HELO name and a sender. */
#include "ctl/ctl.h"
#include "ctl/envelope.h"
#include "ctl/evaluate.h"

#include "lib/auth/spf.h"
#include "lib/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MECHANISM_SHOWN 300 /* octets, so that what follows still fits the line */

struct check {
    struct spf_query query;
    struct spf_result result;
};

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct check *check = context;

    return spf_check(&check->query, lookup, &check->result);
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
    log_string(&event, "libspf2", result->second);
    line = log_format(&event, LOG_FORMAT_TEXT);
    puts(strstr(line, "result="));
    free(line);
}

static int check_client(struct ctl *ctl, const struct envelope *envelope)
{
    struct check check = {.query = {
                              .client = envelope->client,
                              .helo = envelope->helo,
                              .sender = envelope->sender,
                              .receiver = ctl->conf->hostname,
                              .now_sec = envelope->at_sec,
                          }};
    struct evaluator evaluator = {.loop = NULL};
    bool open = evaluator_open(&evaluator, ctl->conf);

    if (open) {
        evaluator_run(&evaluator, evaluate, &check);
        print_line(&check.result);
    }
    evaluator_close(&evaluator);
    spf_result_clear(&check.result);
    return open ? EX_OK : EX_UNAVAILABLE;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct envelope envelope;
    int status = envelope_parse(ctl, argc, argv, 0, &envelope);

    if (status < 0 && (envelope.client.family == 0 || envelope.helo == NULL))
        status = ctl_usage(argv[0], "expected --ip and --helo");
    if (status < 0)
        status = ctl_load(ctl) ? check_client(ctl, &envelope) : EX_CONFIG;
    envelope_free(&envelope);
    return status;
}

const struct verb verb_spf = {
    .name = "spf",
    .arguments = "--ip IP --helo NAME ...",
    .summary = "check a client by SPF",
    .help = "Asks, as the server would that receives the mail: may this client send for this\n"
            "sender?\n"
            "\n"
            "  --ip IP            the client's address: for outgoing mail, yours\n"
            "  --helo NAME        the name that it says in HELO or EHLO\n"
            "  --mail-from ADDR   the sender; without it, or with <>, postmaster at the HELO\n"
            "                     name\n"
            "  --at EPOCH         the time, in seconds, for records that ask for it\n"
            "  -o NAME=VALUE      as before the verb: -o resolver=127.0.0.1@5353\n"
            "\n"
            "Prints result= (none, neutral, pass, fail, softfail, temperror, permerror),\n"
            "domain=, mechanism= (the one that decided), lookups= (at most 10), void= (at\n"
            "most 2), and explanation= (of a fail); with an error, or where there is no\n"
            "record, problem=; where spf-engine asks libspf2, libspf2= (what that says).\n"
            "\n"
            "Exit status: 0 whatever the result; 69 when there is no resolver.",
    .run = run,
};
