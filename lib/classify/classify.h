/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a delivery result to a cause of the catalogue.
 *
 * A result is an SMTP reply, or a line of an MTA's log; the rules (lib/classify/rules.h) say which
 * cause it has.  Nothing is guessed: a failure that no rule knows is destination.other.
 * In a line that tells how our own server refused a client, the cause is what that client met:
 * destination.relay-denied when it was not allowed to relay.
 *
 * A classifier is constant, any thread may use it with a scratch of its own.  Nothing blocks.
 */
#pragma once

#include "lib/base/strings.h"
#include "lib/causes/causes.h"
#include "lib/classify/line.h"
#include "lib/classify/reply.h"
#include "lib/classify/rules.h"

enum outcome {
    OUTCOME_NONE, /* neither a failure nor a success */
    OUTCOME_DELIVERED,
    OUTCOME_FAILED,
};

/* How lasting a failure is. */
enum failure {
    FAILURE_HARD, /* refused for good: the same mail to the same address will fail again */
    FAILURE_SOFT, /* refused for now, or for a reason that passes by itself */
    FAILURE_TRANSPORT, /* no server has replied: no connection, no name, no TLS */
};

struct classification {
    enum outcome outcome;
    /* Of OUTCOME_FAILED: */
    enum cause_id cause;
    enum failure failure;
    /* The rule that decided, "classify.rules:42"; "named" where the reply names the cause in
     * brackets, as Sluice's own do; NULL where none did.  Borrowed from the rules. */
    const char *rule;
    struct reply reply; /* spans point into the text that was classified */
};

struct classify_scratch;
struct classify_scratch *classify_scratch_new(const struct rules *rules);
void classify_scratch_free(struct classify_scratch **scratch);

/* Classifies what a line of a log tells. */
void classify_line(const struct rules *rules, struct classify_scratch *scratch,
                   const struct line *line, struct classification *classification_r);

/* Classifies a line of text, which is a line of a log or else a reply. */
void classify_text(const struct rules *rules, struct classify_scratch *scratch, struct span text,
                   struct classification *classification_r);

const char *failure_name(enum failure failure); /* "hard" */

/* Runs the sentences of all rules, and adds a line for each that another rule decides, and for each
 * rule without any: "file:line: ...".  true: all is well. */
bool classify_check(const struct rules *rules, struct text *complaints);
