/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom a message counts for: the store's name of each limit subject. */
#pragma once

#include "lib/base/text.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

#include <stdbool.h>

/* Writes "user:alice@example.com" and the like into text_r (cleared first).  recipient matters for
 * SUBJECT_RECIPIENT and SUBJECT_RECIPIENT_DOMAIN alone.  false: the message has no such subject. */
bool subjects_name(const struct conf *conf, const struct message *message,
                   enum limit_subject subject, const struct recipient *recipient,
                   struct text *text_r);

/* Who that is, for a sentence to the sender: "Your account", "The domain example.com". */
void subjects_words(const char *subject_name, struct text *text_r);
