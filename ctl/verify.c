/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl verify: what a message in a file proves of where it comes from. */
#include "ctl/ctl.h"
#include "ctl/envelope.h"
#include "ctl/evaluate.h"
#include "ctl/mail.h"

#include "lib/auth/results.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static struct verify *verify_mail(const struct mail *mail, int64_t now_sec)
{
    struct verify *verify = verify_new(mail->message, false, now_sec);

    verify_body(verify, mail->body, mail->body_length);
    verify_body_end(verify);
    return verify;
}

static int print_results(const struct conf *conf, const struct mail *mail,
                         const struct envelope *envelope)
{
    struct verify *verify = verify_mail(mail, envelope->at_sec);
    struct incoming incoming = {
        .message = mail->message,
        .client = envelope->client,
        .helo = envelope->helo != NULL ? envelope->helo : "",
        .sender = envelope->sender,
        .receiver = conf->hostname,
        .now_sec = envelope->at_sec,
        .discovery =
            conf->dmarc_discovery == DMARC_BY_SUFFIX_LIST ? DMARC_SUFFIX_LIST : DMARC_TREE_WALK,
        .verify = verify,
    };
    struct evaluator evaluator = {.loop = NULL};
    bool open = evaluator_open(&evaluator, conf);
    char *value;

    if (open) {
        evaluator_run(&evaluator, incoming_gather, &incoming);
        incoming_judge(&incoming);
        evaluator_run(&evaluator, incoming_conclude, &incoming);
        value = results_format(&incoming, conf_authserv_id(conf), " ");
        puts(value);
        free(value);
    }
    evaluator_close(&evaluator);
    incoming_clear(&incoming);
    verify_free(&verify);
    return open ? EX_OK : EX_UNAVAILABLE;
}

static int verify_file(struct ctl *ctl, const char *path, const struct envelope *envelope)
{
    struct mail mail = {.message = NULL};
    char *problem = NULL;
    int status;

    if (!ctl_load(ctl))
        return EX_CONFIG;
    if (!mail_read(path, &mail, &problem)) {
        ctl_complain("%s", problem);
        free(problem);
        return EX_NOINPUT;
    }
    status = print_results(ctl->conf, &mail, envelope);
    mail_free(&mail);
    return status;
}

static int run(struct ctl *ctl, int argc, char **argv)
{
    struct envelope envelope;
    int status = envelope_parse(ctl, argc, argv, 1, &envelope);

    if (status < 0 && optind == argc)
        status = ctl_usage(argv[0], "expected a file with a message, or - for standard input");
    if (status < 0)
        status = verify_file(ctl, argv[optind], &envelope);
    envelope_free(&envelope);
    return status;
}

const struct verb verb_verify = {
    .name = "verify",
    .arguments = "[--ip IP ...] FILE",
    .summary = "check DKIM, SPF and DMARC",
    .help = "Prints the value of the Authentication-Results header (RFC 8601) that the milter\n"
            "would add to the message in FILE, or on standard input where that is -.\n"
            "\n"
            "  --ip IP            the address of the client that it came from\n"
            "  --helo NAME        the name that the client said in HELO or EHLO\n"
            "  --mail-from ADDR   the envelope's sender; without it, or with <>, the null one\n"
            "  --at EPOCH         the time, in seconds: has a signature expired?\n"
            "  -o NAME=VALUE      as before the verb: -o resolver=127.0.0.1@5353\n"
            "\n"
            "Without --ip there is no SPF, and DMARC is by DKIM alone.\n"
            "\n"
            "Exit status: 0 whatever the results; 66 when there is no such file, 69 when\n"
            "there is no resolver.",
    .run = run,
};
