/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The middle two of Sluice's four steps: gather what the checks need, then decide.
 *
 * A program translates its protocol into a struct message and calls assess(); when the callback
 * comes the message holds its facts, findings and verdict, and is charged where that was asked and
 * the verdict lets it through.  The program then acts on the verdict (reply.h, report.h).
 */
#pragma once

#include "lib/auth/outlooks.h"
#include "lib/base/clock.h"
#include "lib/base/loop.h"
#include "lib/conf/conf.h"
#include "lib/decide/habits_cache.h"
#include "lib/dns/dns.h"
#include "lib/geo/geo.h"
#include "lib/log/log.h"
#include "lib/message/message.h"
#include "lib/store/store.h"

#include <stdbool.h>

/* What the checks may ask.  All belong to the loop; one per process. */
struct class_lookup;
struct notices;

struct services {
    const char *program; /* whose they are: "sluice-policyd" */
    struct conf_slot *conf; /* in force; NULL: nobody is told of what is of no message */
    struct loop *loop;
    struct store *store;
    struct dns *dns;
    struct spf_engine *spf_engine; /* may be NULL: there is no second one */
    struct outlooks *outlooks; /* NULL: none are kept */
    struct standing *standing; /* NULL: nobody asks how the world sees us */
    struct log *log;
    struct notices *notices; /* may be NULL: nobody is told */
    struct class_lookup *classes; /* may be NULL: only the configuration says */
    struct geo *geo; /* may be NULL */
    struct habits_cache *habits; /* likewise */
    const struct clock *steady;
    /* Of the one program that has the local store: where (NULL: it was not asked for when the
     * program started), and the socket there, which listens. */
    bool serves_store;
    const char *served_store;
    int store_socket;
    bool store_unsaved; /* told: what it counts is not on disk */
    int64_t dns_minute_us; /* for self.dns-slow: when the minute began, and the resolver's counts
                              then */
    uint64_t dns_asked, dns_timed_out;
};

/* Whether this stage counts the message, or only looks whether it would fit. */
enum assess_charge { ASSESS_LOOK, ASSESS_CHARGE };

typedef void assess_callback(struct message *message, void *context);

/* Judges the message at message->stage: asks the resolver what is not known yet, decides, and,
 * unless the message is refused already, looks at the limits or charges them, and decides again. At
 * STAGE_RCPT only the last recipient is judged, later all of them.  Findings of an earlier stage
 * are replaced. Calls back once, in the loop's thread, maybe before it returns; message and conf
 * must live until then. The loop's thread only. */
void assess(struct services *services, const struct conf *conf, struct message *message,
            enum assess_charge charge, assess_callback *callback, void *context);

/* The same for a thread of its own (libmilter's): returns when it is done.  Never from the loop's
 * thread.  progress, where not NULL, is called every ten seconds meanwhile, in the waiting thread.
 */
typedef void assess_progress(void *context);
void assess_wait(struct services *services, const struct conf *conf, struct message *message,
                 enum assess_charge charge, assess_progress *progress, void *context);

/* Gives back what was charged for a message that died after all.  Any thread; does not wait. */
void assess_give_back(struct services *services, const struct conf *conf,
                      const struct message *message);

/* Works out whether the message comes from one of our people (causes.md's "direction"):
 * authenticated, from internal-networks, or submitted locally.  Call it when the client and the
 * login are known. */
enum direction assess_direction(const struct conf *conf, const struct message *message);
