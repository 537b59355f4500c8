/* SPDX-License-Identifier: BSD-2-Clause */
/* How a bulk message lets people unsubscribe (RFC 2369, RFC 8058), and whether it is one. */
#pragma once

#include "lib/message/message.h"

#include <stdbool.h>
#include <stddef.h>

struct unsubscribe {
    bool has_field; /* List-Unsubscribe */
    bool has_https; /* ... with an https address */
    bool one_click; /* List-Unsubscribe-Post says so */
    bool is_signed; /* there is a DKIM signature, another's or ours */
    bool is_covered; /* one that covers both fields */
};

/* Our own signature is told by facts.signs_unsubscribe. */
void unsubscribe_read(const struct message *message, struct unsubscribe *unsubscribe_r);

/* "bulk", "list" or "junk", which the message says of itself; NULL: it does not. */
const char *unsubscribe_precedence(const struct message *message);

/* An answer that a program gave (RFC 3834), which is no bulk mail whatever it says. */
bool unsubscribe_is_answer(const struct message *message);

/* A post to a list that its members write to (RFC 2369 section 3.4). */
bool unsubscribe_is_discussion(const struct message *message);
