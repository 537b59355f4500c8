/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection of the MTA, and the message that is on its way through it. */
#pragma once

#include "lib/auth/sign.h"
#include "lib/auth/verify.h"
#include "lib/conf/conf.h"
#include "lib/content/content.h"
#include "lib/message/message.h"

#include <libmilter/mfapi.h>
#include <stdbool.h>
#include <stdint.h>

struct session {
    /* Of the connection */
    unsigned long actions, protocol; /* as negotiated: SMFIF_... and SMFIP_... */
    bool is_postfix;
    struct message *message;

    /* Of the message; conf is NULL while there is none */
    struct conf *conf;
    struct signer *signer;
    bool in_hand; /* a drain waits for it, until the MTA's next word */
    bool judged;
    bool by_smtp; /* a recipient can be refused */
    bool signing_decided;
    struct signature *signature; /* NULL: not signed, for this reason */
    const char *unsigned_reason;
    struct signature *again; /* instead, should the one of ours that it has be broken; or NULL */
    struct verify *own; /* of the signature, as receivers will do it; NULL: there is none */
    bool verifying_decided;
    struct verify *verify; /* NULL: it is not verified */
    struct verify *carried; /* of the signatures that mail of ours comes with; NULL: none */
    bool looking_decided;
    struct content *content; /* NULL: it is not looked into */
    int64_t octets; /* of headers and body so far */
};

/* The session of a context, a new one where there is none yet. */
struct session *session_get(SMFICTX *context);
void session_free(SMFICTX *context);

/* Forgets the message of before and begins a new one.  false: the process is ending. */
bool session_begin_message(struct session *session);

/* The message has its final reply, which libmilter is about to write; and it is over. */
void session_judge_message(struct session *session);
void session_end_message(struct session *session);

/* What a callback returns that has nothing to say: bit is its SMFIP_NR_... */
sfsistat session_quiet(const struct session *session, unsigned long bit);
