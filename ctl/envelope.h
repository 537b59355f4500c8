/* SPDX-License-Identifier: BSD-2-Clause */
/* The words that spf and verify have in common: a client and its envelope. */
#pragma once

#include "ctl/ctl.h"

#include "lib/base/ip.h"

#include <stdbool.h>
#include <stdint.h>

/* Ends with envelope_free(). */
struct envelope {
    struct ip_address client; /* family 0: --ip was not given */
    const char *helo; /* NULL: not given */
    char *sender; /* without brackets, "" is <> */
    int64_t at_sec; /* --at, or now */
};

/* Parses a verb's options; most arguments may follow, and optind is at the first.
 * Returns -1 to go on, else the status to exit with. */
int envelope_parse(struct ctl *ctl, int argc, char **argv, int most, struct envelope *envelope_r);
void envelope_free(struct envelope *envelope);
