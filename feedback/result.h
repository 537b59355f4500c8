/* SPDX-License-Identifier: BSD-2-Clause */
/* What became of one recipient of one message, as a log line tells it. */
#pragma once

#include "feedback/mails.h"
#include "feedback/mark.h"

#include "lib/classify/classify.h"
#include "lib/message/address.h"

#include <stdint.h>

#define RESULT_TEXT_MAX ((size_t)300) /* octets of the remote's words that are kept */

enum result_status { RESULT_SENT, RESULT_DEFERRED, RESULT_BOUNCED, RESULT_EXPIRED };

struct result {
    enum result_status status;
    char *queue_id, *user, *sender, *recipient, *domain; /* domain: the recipient's; "" unknown */
    char *relay, *dsn, *text; /* "" where the line has none */
    char *rule; /* "" */
    int64_t size; /* of the message, in octets; 0 unknown */
    unsigned attempt;
    int64_t at_us; /* when the line was written, or read where it has no time */
    /* Of a failure: */
    enum cause_id cause;
    enum failure failure;
    int64_t retry_after_sec; /* when the server says to come again; 0: it does not */
    /* A success behind a first attempt that was put off without a reason: the same server takes
     * now what it refused before. */
    bool greylisted;
    int64_t greylisted_sec; /* for how long */
    uint64_t fingerprint; /* of the line */
    struct mark mark; /* behind the line */
    size_t source; /* which log it is from */
    bool told; /* before a kill */
};

/* The results that a line tells; Sendmail names several recipients in one.  Learns from it what
 * mails is to remember.  fingerprint: the line's.  Returns how many; the caller frees each. */
#define RESULTS_MAX 100
size_t result_read(const struct rules *rules, struct classify_scratch *scratch, struct mails *mails,
                   const struct line *line, int64_t now_us, uint64_t fingerprint,
                   struct result **results_r);
void result_free(struct result **result);

const char *result_status_name(enum result_status status); /* "bounced" */

/* When a reply says to come again ("try again in 5 minutes"), in seconds; 0: it does not. */
int64_t result_retry_after(struct span text);
