/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The catalogue: everything that can be said about why a message will not go out or not arrive.
 *
 * One constant table, its rows in catalogue.def.  Log lines, SMTP replies, `sluicectl causes`,
 * sluice-causes(7) and the configuration's action names are made from it.
 *
 * All here is constant: any thread may call, and what is returned, the manual page apart, lives as
 * long as the process.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* How bad it is, whatever is done about it. */
enum severity { SEVERITY_INFO, SEVERITY_WARN, SEVERITY_ERROR };

/* What is done about it, weakest first: a message's verdict is the strongest of its findings. */
enum action {
    ACTION_IGNORE,
    ACTION_LOG,
    ACTION_WARN, /* log, and a header on the message */
    ACTION_HOLD, /* quarantine, Postfix HOLD */
    ACTION_DEFER, /* 4xx */
    ACTION_REJECT, /* 5xx */
};
#define ACTION_COUNT (ACTION_REJECT + 1)

/* Where a cause can be found, as bits. */
enum cause_found {
    FOUND_POLICY = 1 << 0,
    FOUND_MILTER = 1 << 1,
    FOUND_FEEDBACK = 1 << 2,
    FOUND_CHECK = 1 << 3, /* a check that is asked for by hand */
};

/* The index of each cause in the table; CAUSE_LIMIT_MESSAGES is "limit.messages". */
enum cause_id {
#define CAUSE(symbol, ...) CAUSE_##symbol,
#include "lib/causes/catalogue.def"
#undef CAUSE
    CAUSE_COUNT
};

struct cause {
    const char *id; /* "limit.messages"; what stands before the dot is its group */
    const char *title; /* a few words */
    enum severity severity;
    enum action action; /* the default in enforce mode; ACTION_LOG where only a check finds it */
    unsigned found; /* enum cause_found */
    /* The reply, for a cause that has one (0 and NULL otherwise); see cause_reply(). */
    unsigned reply_code; /* 450, 550, ... as the catalogue has it */
    const char *enhanced; /* "4.7.28" (RFC 3463, IANA registry) */
    /* Default text of the reply for a person who is no admin, with its full stop; ASCII.  NULL only
     * for a cause that neither daemon finds: any other can be configured to refuse. */
    const char *sentence;
    const char *explanation; /* what it means and how it is found */
    const char *remedy; /* how to repair it */
    const char *source; /* RFC or document */
};

const struct cause *cause_get(enum cause_id id);
const struct cause *cause_find(const char *id); /* NULL: no such cause */

/* All ids in the catalogue's order, CAUSE_COUNT of them: for suggestions and completions. */
const char *const *cause_ids(void);

/* What the ids have before the dot, in the catalogue's order. */
struct cause_group {
    const char *name; /* "limit" */
    const char *title; /* what its causes are about, a few words */
};
extern const struct cause_group cause_groups[];
extern const size_t cause_group_count;

/* Whether the cause is of the group of that name. */
bool cause_is_in(const struct cause *cause, const char *group);

const char *severity_name(enum severity severity);
const char *action_name(enum action action);
bool action_parse(const char *name, enum action *action_r); /* false: no such action */

/* The names of the actions, weakest first: ACTION_COUNT, indexed by the action. */
const char *const *action_names(void);

/* The reply code and enhanced code for a cause under an action.  ACTION_DEFER and ACTION_REJECT
 * get the 4xx or 5xx of the catalogue's meaning (550 5.7.1 becomes 450 4.7.1, 552 5.3.4 452 4.3.4;
 * a cause without a reply of its own 450 4.7.1 or 550 5.7.1); the weaker actions get the
 * catalogue's own reply, what a refusal would have said, or 0 and "" where it has none. */
#define CAUSE_ENHANCED_SIZE 12
void cause_reply(const struct cause *cause, enum action action, unsigned *code_r,
                 char enhanced_r[CAUSE_ENHANCED_SIZE]);

/* The manual page sluice-causes(7), in mdoc(7); the caller frees it. */
char *causes_manual(void);
