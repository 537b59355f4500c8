/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/session.h"

#include "lib/base/mem.h"
#include "milter/shared.h"

#include <stdlib.h>

struct session *session_get(SMFICTX *context)
{
    struct session *session = smfi_getpriv(context);

    if (session == NULL) {
        session = mem_new(1, sizeof(*session));
        session->message = message_new(PROGRAM_MILTER, "");
        (void)smfi_setpriv(context, session);
    }
    return session;
}

void session_free(SMFICTX *context)
{
    struct session *session = smfi_getpriv(context);

    if (session == NULL)
        return;
    session_end_message(session);
    message_free(&session->message);
    free(session);
    (void)smfi_setpriv(context, NULL);
}

bool session_begin_message(struct session *session)
{
    session_end_message(session);
    if (!shared_begin_message(&session->conf, &session->signer, &session->in_hand))
        return false;
    message_set(&session->message->hostname, session->conf->hostname);
    return true;
}

static void forget_message(struct session *session)
{
    signature_free(&session->signature);
    signature_free(&session->again);
    session->unsigned_reason = NULL;
    session->signing_decided = false;
    verify_free(&session->own);
    verify_free(&session->verify);
    verify_free(&session->carried);
    session->verifying_decided = false;
    content_free(&session->content);
    session->looking_decided = false;
    session->octets = 0;
    message_reset(session->message);
    signer_release(&session->signer);
    if (session->conf != NULL)
        conf_release(&session->conf);
}

void session_judge_message(struct session *session)
{
    forget_message(session);
    if (!session->in_hand)
        return;
    session->judged = true;
    shared_message_judged();
}

void session_end_message(struct session *session)
{
    forget_message(session);
    if (session->in_hand)
        shared_message_done(session->judged);
    session->in_hand = false;
    session->judged = false;
}

sfsistat session_quiet(const struct session *session, unsigned long bit)
{
    return session->protocol & bit ? SMFIS_NOREPLY : SMFIS_CONTINUE;
}
