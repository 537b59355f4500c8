/* SPDX-License-Identifier: BSD-2-Clause */
/* How the lines of a time-line say that mail ended. */
#pragma once

#include "ctl/timeline.h"

#include "lib/causes/causes.h"
#include "lib/classify/classify.h"

/* How something ended. */
enum ending {
    ENDING_NONE, /* the line tells of no end */
    ENDING_DELIVERED,
    ENDING_DEFERRED,
    ENDING_BOUNCED,
    ENDING_REFUSED, /* by our own server, or by Sluice */
    ENDING_HELD,
    ENDING_LOGIN, /* a login failed */
};

struct end {
    enum ending ending;
    size_t entry;
    char *queue_id, *recipient, *user, *text;
    const struct cause *cause; /* NULL: unknown */
};

/* A question, and what the logs have on it.  Starts zeroed but for rules and scratch, which stay
 * the caller's. */
struct asked {
    struct timeline timeline;
    struct rules *rules;
    struct classify_scratch *scratch;
    struct end *ends;
    size_t nends;
};

/* Fills in the ends, in the order of the time-line; endings_free() frees them. */
void endings_find(struct asked *asked);
void endings_free(struct asked *asked);

/* The latest failure that nothing has mended; without any, the latest end; NULL: there is none.
 * Where the target is a recipient, what happened to the others does not count. */
const struct end *endings_decisive(const struct asked *asked, const char *target);

/* Of the same message and recipient; what is said of a whole message is of all. */
bool endings_same_way(const struct end *one, const struct end *other);

/* How the message of an end went for its other recipients, each counted once, as it went last. */
struct others {
    size_t delivered, deferred, bounced;
};
struct others endings_others(const struct asked *asked, const struct end *end);

/* Whether that message is a notice, from nobody: what of it fails goes back to nobody. */
bool endings_of_notice(const struct asked *asked, const struct end *end);
