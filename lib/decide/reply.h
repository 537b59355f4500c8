/* SPDX-License-Identifier: BSD-2-Clause */
/* The verdict in words: "<code> <enhanced> <sentence> [cause-id]". */
#pragma once

#include "lib/causes/causes.h"
#include "lib/conf/conf.h"
#include "lib/message/message.h"

#define REPLY_TEXT_MAX                                                                             \
    480 /* octets of the text: RFC 5321 §4.5.3.1.5 allows 512 with code and CRLF */

struct reply {
    unsigned code; /* 450, 550, ...; 0 when the verdict is no refusal */
    char enhanced[CAUSE_ENHANCED_SIZE];
    char text[REPLY_TEXT_MAX]; /* sentence, contact and [cause-id]; one line, printable ASCII */
};

/* The reply to a message whose verdict is defer or reject; for hold and warn only text is filled.
 */
void reply_make(const struct conf *conf, const struct message *message, struct reply *reply_r);

/* The codes alone that a finding would answer under an action (reply= in the log). */
void reply_code(const struct finding *finding, enum action action, unsigned *code_r,
                char enhanced_r[CAUSE_ENHANCED_SIZE]);

/* The header that a verdict of warn adds: name is REPLY_WARNING_HEADER, the value "[cause-id]
 * sentence"; at most REPLY_TEXT_MAX with NUL, one line, printable ASCII. */
#define REPLY_WARNING_HEADER "X-Sluice-Warning"
void reply_warning(const struct conf *conf, const struct message *message,
                   const struct finding *finding, char value_r[REPLY_TEXT_MAX]);
