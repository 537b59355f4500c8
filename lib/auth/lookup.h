/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How an evaluation that needs DNS is written as a pure function.
 *
 * The evaluation asks a struct lookup for each answer when it needs it.  Where the answer is not
 * known yet it goes on only as far as it can tell what else it will need, and returns that it is
 * pending; once more is known it is run again from its start.  So it has no state of its own
 * between the runs, and a test gives it a table of answers.
 */
#pragma once

#include "lib/dns/dns.h"

#include <stdbool.h>

struct spf_opinion;
struct spf_question;

/* Gives an answer that is known, or NULL and remembers that it is wanted.  Names come in lower
 * case, without a trailing dot; answers are borrowed until the evaluation returns. */
struct lookup {
    const struct dns_answer *(*find)(void *context, const char *name, enum dns_type type);
    /* The same of what a second SPF engine says (lib/auth/spf_second.h); NULL: there is none. */
    const struct spf_opinion *(*second)(void *context, const struct spf_question *question);
    void *context;
};

/* The same for a name of any case; lookup_is_name() must be true of it. */
const struct dns_answer *lookup_find(const struct lookup *lookup, const char *name,
                                     enum dns_type type);

/* Whether a text can be asked for: labels of 1 to 63 octets, 253 together, printable ASCII, also
 * spaces, but no backslash. */
bool lookup_is_name(const char *name);

/* DNS said that there is nothing, which a failure does not say. */
bool lookup_is_void(const struct dns_answer *answer);
bool lookup_failed(const struct dns_answer *answer);
