/* SPDX-License-Identifier: BSD-2-Clause */
/* The verdict in the log: one message line, and one cause line per finding at or above "log". */
#pragma once

#include "lib/conf/conf.h"
#include "lib/decide/assess.h"
#include "lib/message/message.h"

/* Logs what was decided.  Call it once per message and program: when the message is refused, or
 * when it is charged at its last stage.  dkim= and the like come from message->facts. */
void report_message(struct services *services, const struct conf *conf,
                    const struct message *message);

/* One cause line that belongs to no message (self.*): queue_id may be NULL.  Fields come in pairs
 * of name and value, ended by NULL. */
void report_cause(struct log *log, const char *queue_id, const char *cause_id, const char *hint,
                  ...) __attribute__((sentinel));

/* The same of the program itself, which whoever wants to know is told, too (notices.h). */
void report_own_cause(struct services *services, const char *cause_id, const char *hint, ...)
    __attribute__((sentinel));
