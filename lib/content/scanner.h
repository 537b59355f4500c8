/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a spam scanner before us wrote into the header: Rspamd's and SpamAssassin's own fields.
 *
 * Anybody can write such fields.  They are believed where the client that hands the message over is
 * a scanner of ours (trusted-scanner-clients), or where every scanner that they name is one
 * (trusted-scanners): scanners remove the fields that a message has when it comes.
 */
#pragma once

#include "lib/conf/conf.h"
#include "lib/message/message.h"

#include <stdbool.h>

#define SCANNER_NUMBER_ROOM 24
#define SCANNER_SYMBOLS_ROOM 256

struct scanner_verdict {
    const char *scanner; /* "Rspamd" or "SpamAssassin" */
    const char *header; /* the field that says spam; a literal */
    char score[SCANNER_NUMBER_ROOM]; /* "" where it does not say */
    char required[SCANNER_NUMBER_ROOM];
    char symbols[SCANNER_SYMBOLS_ROOM]; /* joined by ',', maybe cut; "" */
};

/* Whether a scanner that is trusted says that it is spam. */
bool scanner_says_spam(const struct conf *conf, const struct message *message,
                       struct scanner_verdict *verdict_r);
