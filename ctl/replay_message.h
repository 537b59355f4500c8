/* SPDX-License-Identifier: BSD-2-Clause */
/* A message of the past as the daemons had it, as far as its line tells. */
#pragma once

#include "ctl/past.h"

#include "lib/base/strings.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

/* Whom the line names. */
enum replay_names {
    REPLAY_NOBODY, /* an older log, or not even the domains fitted */
    REPLAY_SOME_DOMAINS,
    REPLAY_DOMAINS, /* of all recipients */
    REPLAY_ALL
};

/* The message without its recipients; the caller frees it. */
struct message *replay_message(const struct conf *conf, const struct past_message *past);

/* The recipients that the line names; one of whom it has only the domain gets a name of our own.
 * recipients_r is the caller's to free. */
enum replay_names replay_recipients(const struct past_message *past, struct strings *recipients_r);

/* Adds one of them, as the daemons add who is asked about at RCPT. */
void replay_add_recipient(const struct conf *conf, struct message *message, const char *recipient);

/* What the limit needs that the line does not tell: a literal, such as "the recipients"; NULL: it
 * tells all. */
const char *replay_lacks(const struct conf_limit *limit, const struct past_message *past,
                         enum replay_names names);

/* Takes what the line does not tell enough for out of the limits that were planned. */
void replay_drop_unknown(struct message *message, const struct past_message *past,
                         enum replay_names names);
