/* SPDX-License-Identifier: BSD-2-Clause */
/* What the operator is to do about a delivery that failed: with its own names, numbers and
 * commands.  Pure: reads what it is given alone. */
#pragma once

#include "lib/causes/causes.h"

#include <stdbool.h>
#include <stdint.h>

/* Strings may be NULL or "": not known. */
struct advice_case {
    enum cause_id cause;
    bool earlier; /* other mail failed, before; all but relay and text is of the mail at hand */
    const char *queue_id, *user, *sender, *recipient, *domain; /* domain: the recipient's */
    const char *relay, *text; /* the server as the MTA's log has it, and its words */
    int64_t size; /* of the message, in octets; 0 unknown */
    int64_t retry_after_sec; /* when the server says to come again; 0: it does not */
};

/* In one line.  What the case does not name is spoken of in general words, so one that has no more
 * than its cause will do.  The caller frees it. */
char *advice_make(const struct advice_case *failed);
