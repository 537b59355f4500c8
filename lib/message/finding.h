/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Findings: a cause seen on one message, with its facts; and the verdict they add up to.
 * Checks make findings, lib/decide gives each its action.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FINDINGS_MAX 64 /* per message; more are counted, not kept */
#define FINDING_FIELDS_MAX 12

struct cause; /* a row of the catalogue, lib/causes */

struct finding_field {
    const char *name; /* one of the published field names; a literal */
    char *value;
};

struct finding {
    const struct cause *cause;
    long recipient; /* index in message->recipients, or -1 for the whole message */
    struct finding_field fields[FINDING_FIELDS_MAX];
    size_t nfields;
    char *sentence; /* of the reply, with the numbers; NULL: the catalogue's */
    char *enhanced; /* where the catalogue's code is not the one; NULL: the catalogue's */
    unsigned reply_code; /* likewise; 0 */
    char *hint; /* what to do, with real names and numbers */
    bool shadow; /* of a limit that is only tried: it does nothing, whatever it would do */
    int severity; /* enum severity where it is not the catalogue's, or -1 */
    int64_t
        suspend_ms; /* the check asks for the account's suspension for so long; 0: it does not */
    int action_asked; /* enum action that the check itself asks for (a limit's over =), or -1 */
    int action; /* enum action, set by the verdict: what is done */
    int would; /* enum action, set by the verdict: what enforcing would do; equal to action when
                  enforcing */
};

struct findings {
    struct finding *items;
    size_t count;
    size_t dropped;
};

/* A new finding at the end, or NULL when there are FINDINGS_MAX already; borrowed until the next
 * one is added. */
struct finding *findings_add(struct findings *findings, const struct cause *cause);
void findings_clear(struct findings *findings);

/* All of these do nothing on a NULL finding. */
void finding_field(struct finding *finding, const char *name, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void finding_sentence(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void finding_hint(struct finding *finding, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What is done with the message (enum action of lib/causes). */
struct verdict {
    int action; /* the strongest of the findings' actions; ACTION_IGNORE when there are none */
    int would; /* in observe mode: what enforcing would do */
    const struct finding *decisive; /* the first finding with that action, or NULL */
};
