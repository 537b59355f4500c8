/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The names under which outcomes of deliveries are kept in the store: by sluice-feedback, for the
 * checks of later messages.
 *
 * A recipient's and a destination's failures are marks (lib/store/store_note.h), each named by its
 * cause, with the remote's own words as its text.  What fails of a user's mail is counted in
 * windows, beside the limits' use.
 */
#pragma once

#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/conf/conf.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* Whose failure a cause is. */
enum outcome_of { OUTCOME_OF_NOBODY, OUTCOME_OF_RECIPIENT, OUTCOME_OF_DESTINATION };

struct outcome_rule {
    enum cause_id cause;
    enum outcome_of of;
    int64_t keep_sec; /* how long it is remembered after it was last seen */
    bool hard_only; /* a passing failure of this kind says nothing of the next message */
    bool accuses; /* for good, it counts against who sent the mail */
};
const struct outcome_rule *outcome_rule(enum cause_id cause); /* NULL: it is not remembered */

/* "rcpt:bob@example.net", "dest:example.net"; text_r is cleared first. */
void outcome_recipient(const char *recipient, struct text *text_r);
void outcome_destination(const char *domain, struct text *text_r);
/* "user:alice@example.com", as the limits' subjects are named; the caller frees it. */
char *outcome_user(const struct conf *conf, const char *login);
#define OUTCOME_KIND "" /* of these notes */
#define OUTCOME_FIELDS_MAX 16
/* Beside recipient.refuses-size and destination.size: its text is the size, in octets, of the
 * message that was refused. */
#define OUTCOME_SIZE_FIELD "size"

/* Whether a failure is of a message's size, so that it says nothing of smaller ones. */
bool outcome_is_of_size(enum cause_id cause);

/* The size of the message that was refused, in octets; 0: it is not known. */
int64_t outcome_refused_size(const struct store_note *note);

/* Whether a field of a note concerns a message of that size, in octets: all do, but those about the
 * size of a larger one. */
#define OUTCOME_ANY_SIZE INT64_MAX
bool outcome_concerns(const struct store_note *note, const char *field, int64_t size);

/* What is counted of a user, a sender domain and a destination. */
#define OUTCOME_RESULTS 'R' /* recipients whose mail was delivered or bounced */
#define OUTCOME_HARD 'H' /* of them, those that bounced, and count against the sender */
#define OUTCOME_DEFERRED 'D' /* attempts that were put off */
#define OUTCOME_COMPLAINTS 'C'
#define OUTCOME_LOGINS 'L' /* that failed */
#define OUTCOME_COUNT_MAX INT64_C(1000000000000) /* no limit */

/* The latest failure in a note that concerns a message of that size, of the causes that are found
 * there (enum cause_found; 0: of all); false: there is none. */
struct outcome_seen {
    const struct cause *cause;
    int64_t since_sec, last_sec, count;
    int64_t refused_size; /* of a failure of size, where it is known; else 0 */
    const char *text; /* points into the note */
};
bool outcome_latest(const struct store_note *note, unsigned found, int64_t size,
                    struct outcome_seen *seen_r);
