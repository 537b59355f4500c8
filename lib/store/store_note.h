/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Notes: what the store remembers about a subject besides its use.
 *
 * A note is a handful of named strings under a subject and a kind: sluice:{user:alice@example.com}
 * and ":flag" (suspension, class), ":seen" (networks, clients, hours), or nothing behind the
 * subject ("rcpt:bob@example.net", "dest:example.net": kind "").  It expires as a whole.
 *
 * Notes are read with the look or the charge that is made anyway, in the same round trip; so are
 * marks made, which remember when and how often something was seen.  While the store is away, notes
 * are answered from a bounded mirror of what this process last saw of them, and changes are kept
 * until it is back (store_note_set() says how).  Neither names nor values may hold a secret or a
 * message's content: store-hash-addresses hides subjects, not what is noted of them.
 *
 * Threads, callbacks and ownership are as store.h says.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_NOTES_MAX 32 /* wishes, and as many marks, of one request; more are cut off */
#define STORE_NOTE_FIELDS_MAX 128 /* named in one wish or change; more are cut off */
#define STORE_KIND_MAX 15 /* octets; lower-case letters */
#define STORE_NAME_MAX 255 /* octets of a field's name; a longer one is cut */
#define STORE_VALUE_MAX 1000 /* octets of a value; a longer one is cut */

struct store_pair {
    const char *name, *value;
};

struct store_note {
    const struct store_pair *pairs; /* in no order */
    size_t npairs; /* 0: there is no such note */
};

/* The value of a field; NULL when it is not there. */
const char *store_note_value(const struct store_note *note, const char *name);

/* A note that a request wants to know, as it is before the request's own marks. */
struct store_wish {
    const char *subject, *kind;
    const char *const *fields; /* NULL: all of them */
    size_t nfields;
};

/* As a mark's amount: how many of the marks before it, of the same note, were not there yet. */
#define STORE_AMOUNT_NEW INT64_C(-1)

/* Something seen, to be remembered when the request is a charge that is not refused.  A message
 * that was charged before adds no amount to what is known already.  The marks of one note stand
 * side by side in a request, and have the same keep_sec and fields_max. */
struct store_mark {
    const char *subject, *kind, *field;
    int64_t amount; /* added to its count; usually 1; or STORE_AMOUNT_NEW */
    int64_t period_sec; /* count per period, and learn what is usual; 0: count for ever */
    const char *text; /* kept beside the numbers; NULL: leave what is there */
    int64_t keep_sec; /* the field is forgotten when it was not seen for so long */
    size_t fields_max; /* of the note: beyond it those are forgotten that were seen longest ago */
};

/* A field that marks have made.  Times are seconds since the epoch, by the store's clock. */
struct store_mark_value {
    int64_t first_sec, last_sec;
    int64_t count; /* of all time, or of the period in which last_sec lies */
    int64_t usual_milli; /* thousandths of a period's count: the average of those completed, the
                            newer ones weighing more (a quarter each), and one with far more no more than
                            four times the usual; those without any are 0 */
    int64_t periods; /* that were completed since the first; those without any included */
    const char *text; /* points into the value; "" when there is none */
};

/* false: a mark has not made this value. */
bool store_mark_read(const char *value, struct store_mark_value *mark_r);

struct store;
struct store_answer;
typedef void store_callback(const struct store_answer *answer, void *context);

/* A change to one note. */
struct store_note_change {
    const char *subject, *kind;
    const struct store_pair *pairs;
    size_t npairs;
    int64_t life_ms; /* 0: for ever */
    /* The note becomes just this, and lives just so long; else these fields are set, the others
     * stay, and it lives at least so long. */
    bool replace;
};

/* Outcome DONE, or AWAY: then this process' mirror has it at once, and the store gets it when it is
 * back, the newest of them if they become too many, unless this process ends before.  callback may
 * be NULL. */
void store_note_set(struct store *store, const struct store_note_change *change,
                    store_callback *callback, void *context);

/* Removes fields, or the whole note (fields NULL).  Outcome as above; known: there was something.
 */
void store_note_remove(struct store *store, const char *subject, const char *kind,
                       const char *const *fields, size_t nfields, store_callback *callback,
                       void *context);

/*
 * Shows every note of a kind, in no order; one may come twice, and one that is made meanwhile or
 * not at all.  subject is its name in the store: hidden where subjects are.  This reads all of the
 * store's keys, some hundred at a time: for an operator's question, not for a message's.
 */
struct store_note_list {
    void (*show)(const char *subject, const struct store_note *note, void *context);
    /* The end; false: the store is away, or went away. */
    void (*done)(bool complete, void *context);
    void *context;
};
void store_note_list(struct store *store, const char *kind, const struct store_note_list *list);
