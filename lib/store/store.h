/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The counter store: what every subject used up, shared by all daemons.
 *
 * Requests are asynchronous and belong to the loop's thread.  Each is answered exactly once, at the
 * latest after the store's time-out; while the store is known to be away none waits.  A request is
 * copied: the caller's memory is free when the call returns.  No callback runs before that, and
 * none may close the store.
 *
 * Counting, in short: all limits of a message are charged together or not at all; a message
 * (identity) is charged once, whoever asks; a window of a limit never holds more than its maximum,
 * wherever it starts; time is the store's.
 */
#pragma once

#include "lib/base/clock.h"
#include "lib/base/loop.h"
#include "lib/store/store_note.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define STORE_LIMITS_MAX 250 /* of one request */
#define STORE_SUBJECT_MAX 512 /* octets of a subject; a longer one is replaced by its hash */

/* One limit that a message counts against.  Limits of one subject with the same count and window
 * share their use, whatever they are called: their count is a fact, their maximum a policy. */
struct store_limit {
    const char *subject; /* "user:alice@example.com" */
    /* 'm' messages, 'r' recipients, 'e' external recipients, 'b' bytes; 'd' distinct members: an
     * estimate (sketch.h), which a give-back does not make smaller. */
    char count;
    int64_t window_sec;
    int64_t amount; /* all that this message comes to, what was charged for it before included */
    int64_t max;
    int64_t near; /* say once per window when use reaches this; 0 never */
    bool enforce; /* over: refuse the whole charge; false: charge it and say that it is over */
    const uint64_t *members; /* 'd': hashes of the message's members, amount of them */
    size_t nmembers;
};

#define STORE_MEMBERS_MAX 50000 /* of one limit; more are cut off */
#define STORE_DISTINCT 'd'

struct store_request {
    /* "host/queue-id"; "" when there is none: then it is charged without question. */
    const char *identity;
    /* Of login, sender and client: an MTA gives a queue id to another message later. */
    uint64_t fingerprint;
    const struct store_limit *limits;
    size_t nlimits;
    int64_t at_us; /* 0: now by the store's clock; else this time (replay, tests) */
    /* What is to be known and to be remembered besides; see store_note.h.  There need be no
     * limits. */
    const struct store_wish *wishes;
    size_t nwishes;
    const struct store_mark *marks;
    size_t nmarks;
};

struct store_limit_answer {
    int64_t used; /* in the window that ends now, this message included once it is charged */
    int64_t retry_after_us; /* over: when the amount would fit, from now; -1 never */
    bool over;
    bool near; /* passed its share just now, and this answer is the one to say so */
};

enum store_outcome {
    STORE_OUTCOME_DONE, /* charged (or, for a look, would fit) */
    STORE_OUTCOME_OVER, /* an enforced limit is over: nothing was charged */
    STORE_OUTCOME_AWAY, /* no answer, and store-failure says not to count locally */
};

struct store_answer {
    enum store_outcome outcome;
    /* The message had been charged before: this is that answer; only what was added was charged. */
    bool known;
    bool local; /* the store is away: counted here, to be replayed */
    const struct store_limit_answer *limits; /* one per limit, borrowed; NULL when AWAY */
    size_t nlimits;
    /* One per wish, borrowed.  Also when AWAY or local: then they are what this process last saw.
     */
    const struct store_note *notes;
    size_t nnotes;
    int64_t now_us; /* the store's time, or what it is thought to be */
    int64_t waited_us;
};

/* What became of the store, for the log (self.store-down). */
enum store_event_kind { STORE_EVENT_DOWN, STORE_EVENT_UP };
struct store_event {
    enum store_event_kind kind;
    const char *address; /* "unix:/run/redis/redis.sock", without a password */
    /* DOWN: what happened, and what it means when it is one of the usual mistakes. */
    const char *problem;
    int64_t down_us; /* UP: for how long */
    uint64_t replayed; /* UP: journal entries that the store now has */
    uint64_t lost; /* UP: those that a full journal could not keep, or the store not take */
};
typedef void store_event_callback(const struct store_event *event, void *context);

enum store_failure_mode { STORE_ON_FAILURE_LOCAL, STORE_ON_FAILURE_ACCEPT, STORE_ON_FAILURE_DEFER };

/* TLS to Redis (and to Sentinels, and to a cluster's nodes). */
struct store_tls {
    bool on; /* also by rediss:// */
    const char *ca; /* a file of certificates to trust; "" or NULL: the system's */
    const char *certificate, *key; /* files of our own; "" or NULL: none */
    const char *name; /* that Redis' certificate must have; "" or NULL: its host's */
};

struct store_settings {
    /* "unix:/path", "redis://host:port/db", "rediss://..." (TLS),
     * "sentinel://host:port,...?master=name", "cluster://host:port,...", "local:/path" (of its
     * socket), "memory:", "broken:" (always fails; tests); "" tries the usual local sockets, then
     * 127.0.0.1:6379. */
    const char *url;
    /* local: this process is the one that has it; its socket, which listens and stays the caller's,
     * and the file that keeps it over a restart (NULL or "": none). */
    bool serves;
    int serve_socket;
    const char *serve_path;
    const char *user, *password; /* "" or NULL: none */
    int database;
    struct store_tls tls;
    const char *client_name; /* CLIENT SETNAME: "sluice-policyd" */
    int64_t timeout_ms;
    enum store_failure_mode on_failure;
    size_t journal_size; /* entries */
    /* A file that keeps the journal over a restart, for one process; NULL or "": memory only. */
    const char *journal_path;
    const char *hash_key; /* store-hash-addresses: subjects become keyed hashes; NULL: plain */
    const struct clock *wall, *steady; /* NULL: the real ones */
    store_event_callback *event; /* may be NULL */
    void *event_context;
};

struct store;

/* Opens a store; a Redis that is not there yet is no error (DOWN is reported, and it is tried
 * again). NULL: problem_r says what is wrong with the settings (the caller frees it). */
struct store *store_open(struct loop *loop, const struct store_settings *settings,
                         char **problem_r);
/* Requests still open are answered AWAY; the journal stays in its file. */
void store_close(struct store **store);

/* Would the message fit?  Changes nothing but the once-per-window memory of near, which it leaves
 * alone too. */
void store_look(struct store *store, const struct store_request *request, store_callback *callback,
                void *context);
/* Charges all limits or none; see struct store_request. */
void store_charge(struct store *store, const struct store_request *request,
                  store_callback *callback, void *context);
/* Gives back what was charged for the message: same identity and limits; without an identity,
 * nothing.  Giving back twice is giving back once.  callback may be NULL. */
void store_give_back(struct store *store, const struct store_request *request,
                     store_callback *callback, void *context);
/* Forgets all that the subject used.  count of answer->nlimits is 0; outcome DONE or AWAY; known:
 * there was something. */
void store_reset(struct store *store, const char *subject, store_callback *callback, void *context);

bool store_is_up(const struct store *store);

/* For status: address, server version ("redis 7.0.15"; "" unknown), and what is wrong ("" nothing).
 * The round trip is what a look without limits waits. */
struct store_status {
    bool up;
    const char *address, *server, *problem;
    const char *unsaved; /* why a restart would lose what is counted; "" it would not */
    int64_t down_us;
    size_t journal, journal_max;
    uint64_t charges, looks, refused, timeouts, local;
};
void store_status(const struct store *store, struct store_status *status_r);

/* Runs whatever is needed before a clean exit (gives open requests up to timeout_ms to finish). */
void store_drain(struct store *store, int64_t timeout_ms);
