/* SPDX-License-Identifier: BSD-2-Clause */
/* Which program made a message, in words for the operator who is to repair it. */
#pragma once

#include "lib/message/message.h"

/* "PHPMailer 6.8 of alice@example.com at 203.0.113.7": what of it is known, and "the program that
 * makes the message" where nothing is.  The caller frees it. */
char *maker_words(const struct message *message);

/* The domain that the message's reader sees as its sender's: the From header's, else the envelope
 * sender's, else this host's name.  The caller frees it. */
char *maker_domain(const struct message *message);
