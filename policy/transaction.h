/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Mail transactions in progress, by Postfix' instance.
 *
 * Each request is about one step of a transaction and says little of the steps before; DATA and
 * END-OF-MESSAGE may even come over another connection than RCPT.  So what was collected is kept
 * here, bounded in number, in recipients and in age.
 *
 * An smtpd is at one transaction at a time.  So what its client has left behind (a transaction that
 * was given up, or a service that is not asked at its end) is the first to go, and a slow message
 * is not forgotten because others are quick.
 *
 * What has ended is kept for a moment too: a service that is listed twice is asked twice about the
 * end of a message, and the second time knows the recipients as well.
 *
 * While a request is being judged its transaction is out of the table and belongs to the judge.
 */
#pragma once

#include "lib/causes/causes.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TRANSACTIONS_MAX 20000
#define TRANSACTIONS_LEFT_MAX 1000 /* of those that their clients have left behind */
#define TRANSACTIONS_ENDED_MAX 1000 /* a second list asks at once, or never */
#define TRANSACTION_RECIPIENTS_ALL_MAX 1000000 /* of all transactions together */
#define TRANSACTION_IDLE_SEC 900 /* longer than Postfix waits for a client's next command */
#define TRANSACTION_CAUSES_MAX 16 /* remembered of one message */

/* Causes that something has been done about already. */
struct transaction_causes {
    const struct cause *items[TRANSACTION_CAUSES_MAX];
    size_t count;
};

struct transaction {
    struct conf *conf; /* the whole message is judged by the configuration that it began with */
    struct message *message;
    uint64_t fingerprint; /* translate_fingerprint() */
    uint64_t last_recipient; /* hash of the recipient asked about last; 0: none */
    char *queue_id; /* as Postfix says it; message->queue_id may have to do without */
    struct transaction_causes warned; /* named in a header */
    struct transaction_causes reported; /* named in a message line */
    bool logged; /* there is a message line already */
    bool ended; /* its END-OF-MESSAGE was answered */
    int64_t used_us; /* when it was put into the table */
};

/* Takes over the reference to conf, and message. */
struct transaction *transaction_new(struct conf *conf, struct message *message);
void transaction_free(struct transaction **transaction);

bool transaction_has_cause(const struct transaction_causes *causes, const struct cause *cause);
/* Adds it; false: there is no room. */
bool transaction_add_cause(struct transaction_causes *causes, const struct cause *cause);

struct transactions;

struct transactions_limits {
    size_t max, max_left, max_ended, max_recipients;
    int64_t idle_us;
};

struct transactions *transactions_new(const struct transactions_limits *limits);
void transactions_free(struct transactions **transactions);
size_t transactions_count(const struct transactions *transactions); /* that have not ended */

/* Takes the transaction out of the table; NULL when there is none (any more). */
struct transaction *transactions_take(struct transactions *transactions, const char *instance);

/* Puts it in under its message's instance, among the ended where it is, and frees what is too old
 * or too much by now (steady clock). */
void transactions_put(struct transactions *transactions, struct transaction *transaction,
                      int64_t now_us);

/* Its client has begun another one. */
void transactions_leave(struct transactions *transactions, const char *instance);
