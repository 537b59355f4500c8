/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/envelope.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)

/* MAIL FROM as it is written in SMTP, or without the brackets. */
static void set_sender(struct envelope *envelope, const char *sender)
{
    size_t length = strlen(sender);
    bool brackets = length >= 2 && sender[0] == '<' && sender[length - 1] == '>';

    free(envelope->sender);
    envelope->sender = brackets ? mem_copy_n(sender + 1, length - 2) : mem_copy(sender);
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

static int take(struct ctl *ctl, const char *verb, int option, struct envelope *envelope)
{
    switch (option) {
    case 'i':
        if (ip_parse(optarg, &envelope->client))
            return -1;
        return ctl_usage(verb, "--ip: expected an IP address, not \"%s\"", optarg);
    case 'H':
        envelope->helo = optarg;
        return -1;
    case 'f':
        set_sender(envelope, optarg);
        return -1;
    case 't':
        if (parse_time(optarg, &envelope->at_sec))
            return -1;
        return ctl_usage(verb, "--at: expected seconds since the epoch, not \"%s\"", optarg);
    case 'o':
        strings_add(&ctl->options.overrides, optarg);
        return -1;
    default:
        return ctl_usage(verb, "expected --ip, --helo, --mail-from, --at or -o");
    }
}

int envelope_parse(struct ctl *ctl, int argc, char **argv, int most, struct envelope *envelope_r)
{
    static const struct option longs[] = {
        {"ip", required_argument, NULL, 'i'},        {"helo", required_argument, NULL, 'H'},
        {"mail-from", required_argument, NULL, 'f'}, {"at", required_argument, NULL, 't'},
        {"option", required_argument, NULL, 'o'},    {NULL, 0, NULL, 0},
    };
    int status = -1;
    int c;

    *envelope_r = (struct envelope){
        .sender = mem_copy(""),
        .at_sec = clock_now_us(&clock_wall) / SECOND_US,
    };
    while (status < 0 && (c = getopt_long(argc, argv, "o:", longs, NULL)) != -1)
        status = take(ctl, argv[0], c, envelope_r);
    if (status < 0 && argc - optind > most)
        status = ctl_usage(argv[0], "unexpected argument \"%s\"", argv[optind + most]);
    return status;
}

void envelope_free(struct envelope *envelope)
{
    free(envelope->sender);
    *envelope = (struct envelope){.helo = NULL};
}
