/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/look.h"

#include "lib/decide/assess.h"

static void begin(struct session *session)
{
    struct message *message = session->message;

    if (session->looking_decided)
        return;
    session->looking_decided = true;
    message->direction = assess_direction(session->conf, message);
    if (message->direction == DIRECTION_OUT && session->conf->content_checks)
        session->content = content_new(session->conf, message);
}

void look_body(struct session *session, const void *bytes, size_t length)
{
    begin(session);
    if (session->content != NULL)
        content_body(session->content, bytes, length);
}

void look_end(struct session *session)
{
    struct facts *facts = &session->message->facts;

    begin(session);
    if (session->content == NULL)
        return;
    content_end(session->content, &facts->content);
    content_free(&session->content);
    /* our own signatures always cover both fields */
    facts->signs_unsubscribe = session->signature != NULL;
}
