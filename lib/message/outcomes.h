/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of earlier mail to the same recipients and destinations, and from the same login:
 * facts that lib/decide's outcomes fill. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTCOMES_ASKED_MAX 10 /* recipients, and as many destinations, of one message */

struct cause;

/* A recipient's or a destination's latest failure. */
struct outcome_fact {
    char *subject; /* "rcpt:bob@example.net", "dest:example.net" */
    long recipient; /* index in message->recipients; of a destination, the first there */
    bool is_destination;
    const struct cause *cause; /* NULL: nothing is wrong, or nothing is known */
    int64_t since_sec, last_sec, count;
    int64_t refused_size; /* of a failure of size: what was too large, when it left; 0 unknown */
    char *text; /* the remote's own words */
};

struct outcomes {
    struct outcome_fact facts[2 * OUTCOMES_ASKED_MAX];
    size_t count;
    char *user; /* "user:alice@example.com"; NULL without a login */
    bool rates_asked, rates_known; /* these: */
    int64_t results, hard, complaints; /* of the login's mail, in bounce-rate-window */
};

struct outcomes *outcomes_new(void);
void outcomes_free(struct outcomes **outcomes);
