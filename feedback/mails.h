/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The messages that are on their way: who sent each, and what was tried for its recipients.
 *
 * Learned from the log's own lines, and bounded: of too many, those are forgotten that were seen
 * longest ago.
 */
#pragma once

#include "lib/causes/causes.h"
#include "lib/classify/line.h"

#include <stdint.h>

#define MAILS_MAX ((size_t)100000)
#define MAIL_RECIPIENTS_MAX ((size_t)1000) /* of one message */
#define MAIL_WORD_MAX ((size_t)320) /* octets of an address, a login, a message id */

/* What was tried for one recipient. */
struct tried {
    char *recipient;
    unsigned attempts;
    int64_t first_us; /* of the first attempt */
    bool put_off; /* by the server's own 4xx, for no reason that it told */
    char *relay; /* the server's address then */
    enum cause_id cause; /* of the last attempt, if it failed */
    bool failed;
};

struct mail {
    char *user, *sender, *message_id; /* "" while not known */
    int64_t size; /* octets; 0 while not known */
    struct tried *tried;
    size_t ntried;
};

struct mails;
struct mails *mails_new(void);
void mails_free(struct mails **mails);

/* Takes in what a line says of a message: Postfix', Sendmail's or Sluice's own. */
void mails_see(struct mails *mails, const struct line *line);

/* The message of a line; its recipient, which is added if it is new (NULL: too many). */
struct mail *mails_make(struct mails *mails, const struct line *line);
struct tried *mail_tried(struct mail *mail, const char *recipient);

/* The message that a server took under its own queue id, where that server is on this host too: a
 * content filter's. NULL: there is none. */
struct mail *mails_find_next(struct mails *mails, const struct line *line, struct span reply);

/* The newer one has the older one's user and sender. */
void mail_inherit(struct mail *newer, const struct mail *older);
