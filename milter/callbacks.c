/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/callbacks.h"

#include "lib/decide/limits.h"
#include "lib/decide/report.h"
#include "milter/act.h"
#include "milter/look.h"
#include "milter/negotiate.h"
#include "milter/receive.h"
#include "milter/session.h"
#include "milter/shared.h"
#include "milter/translate.h"

/* --- the connection ------------------------------------------------------------------- */

static sfsistat on_negotiate(SMFICTX *context, unsigned long offered_actions,
                             unsigned long offered_protocol, unsigned long offered_2,
                             unsigned long offered_3, unsigned long *actions_r,
                             unsigned long *protocol_r, unsigned long *flags_2_r,
                             unsigned long *flags_3_r)
{
    struct session *session = session_get(context);
    struct conf *conf = shared_conf();

    (void)offered_2;
    (void)offered_3;
    *flags_2_r = *flags_3_r = 0;
    /* who is about to end takes no new connections: libmilter closes this one */
    if (conf == NULL || shared_is_draining()) {
        if (conf != NULL)
            conf_release(&conf);
        return SMFIS_REJECT;
    }
    negotiate_flags(conf_enforces(conf), offered_actions, offered_protocol, actions_r, protocol_r);
    session->actions = *actions_r;
    session->protocol = *protocol_r;
    if (session->actions & SMFIF_SETSYMLIST)
        for (unsigned i = 0; i < negotiate_macros_count; i++)
            (void)smfi_setsymlist(context, negotiate_macros[i].stage,
                                  (char *)(uintptr_t)negotiate_macros[i].names);
    conf_release(&conf);
    return SMFIS_CONTINUE;
}

static sfsistat on_connect(SMFICTX *context, char *hostname, _SOCK_ADDR *client)
{
    struct session *session = session_get(context);

    translate_connection(context, session, hostname, client);
    return session_quiet(session, SMFIP_NR_CONN);
}

static sfsistat on_helo(SMFICTX *context, char *name)
{
    struct session *session = session_get(context);

    message_set(&session->message->helo, name);
    return session_quiet(session, SMFIP_NR_HELO);
}

static sfsistat on_close(SMFICTX *context)
{
    session_free(context);
    return SMFIS_CONTINUE;
}

/* --- the envelope --------------------------------------------------------------------- */

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
    struct session *session = session_get(context);

    if (session_begin_message(session))
        translate_sender(context, session, arguments);
    return session_quiet(session, SMFIP_NR_MAIL);
}

/* Whether the recipient is judged at once, since it can be refused alone. */
static bool judges_recipients(const struct session *session)
{
    return session->by_smtp && conf_enforces(session->conf) && !(session->protocol & SMFIP_NR_RCPT);
}

static sfsistat judge_recipient(SMFICTX *context, struct session *session)
{
    struct services *services = shared_enter();
    struct message *message = session->message;
    sfsistat result;

    if (services == NULL)
        return SMFIS_TEMPFAIL;
    message->stage = STAGE_RCPT;
    message->started_us = clock_now_us(services->steady);
    assess_wait(services, session->conf, message, ASSESS_LOOK, NULL, NULL);
    result = act_reply(context, session);
    if (result != SMFIS_CONTINUE) {
        report_message(services, session->conf, message);
        message_drop_recipient(message);
    }
    shared_leave();
    return result;
}

static sfsistat on_rcpt(SMFICTX *context, char **arguments)
{
    struct session *session = session_get(context);

    if (session->conf == NULL || translate_is_refused(context))
        return session_quiet(session, SMFIP_NR_RCPT);
    translate_late_macros(context, session);
    (void)message_add_recipient(session->message, arguments[0]);
    if (!judges_recipients(session))
        return session_quiet(session, SMFIP_NR_RCPT);
    return judge_recipient(context, session);
}

static sfsistat on_data(SMFICTX *context)
{
    struct session *session = session_get(context);

    if (session->conf != NULL)
        translate_late_macros(context, session);
    return session_quiet(session, SMFIP_NR_DATA);
}

/* --- the message ---------------------------------------------------------------------- */

static sfsistat on_header(SMFICTX *context, char *name, char *value)
{
    struct session *session = session_get(context);

    if (session->conf != NULL)
        translate_header(session, name, value);
    return session_quiet(session, SMFIP_NR_HDR);
}

static sfsistat on_body(SMFICTX *context, unsigned char *bytes, size_t length)
{
    struct session *session = session_get(context);

    if (session->conf != NULL) {
        act_begin_signature(session);
        receive_begin(session);
        receive_body(session, bytes, length);
        look_body(session, bytes, length);
        translate_body(session, bytes, length);
        act_body(session, bytes, length);
    }
    return session_quiet(session, SMFIP_NR_BODY);
}

/* At the end of a message the MTA can be told that we are still at it. */
static void tell_progress(void *context)
{
    (void)smfi_progress(context);
}

static sfsistat on_end(SMFICTX *context)
{
    struct session *session = session_get(context);
    struct message *message = session->message;
    struct services *services = session->conf != NULL ? shared_enter() : NULL;
    sfsistat result;
    bool changed;

    /* what we did not see is neither counted nor signed: the client tries again */
    if (services == NULL)
        return SMFIS_TEMPFAIL;
    translate_late_macros(context, session);
    translate_end(session);
    message->stage = STAGE_END_OF_MESSAGE;
    message->started_us = clock_now_us(services->steady);
    act_begin_signature(session);
    receive_carried(session, services);
    act_renew_signature(session);
    look_end(session);
    assess_wait(services, session->conf, message, ASSESS_CHARGE, tell_progress, context);
    changed = receive_end(context, session, services);
    result = act_end(context, session, services);
    if (!changed)
        result = SMFIS_TEMPFAIL;
    shared_leave();
    session_judge_message(session);
    return result;
}

/* The message died before its end, and another program may have charged it: the policy daemon at
 * DATA or END-OF-MESSAGE, which come before the milters' end of message.  Without an end there is
 * no mail, whatever the reason. */
static void give_back(struct session *session)
{
    struct message *message = session->message;
    struct services *services;

    if (session->conf == NULL || message->queue_id[0] == '\0' || message->nrecipients_total == 0)
        return;
    message->direction = assess_direction(session->conf, message);
    if (message->direction != DIRECTION_OUT)
        return;
    services = shared_enter();
    if (services == NULL)
        return;
    limits_plan(session->conf, message);
    message->facts.charged = true;
    assess_give_back(services, session->conf, message);
    shared_leave();
}

/* Postfix also aborts after each message: by then it has ended. */
static sfsistat on_abort(SMFICTX *context)
{
    struct session *session = session_get(context);

    give_back(session);
    session_end_message(session);
    return SMFIS_CONTINUE;
}

const struct smfiDesc callbacks = {
    .xxfi_name = (char *)(uintptr_t) "sluice-milter",
    .xxfi_version = SMFI_VERSION,
    .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST,
    .xxfi_connect = on_connect,
    .xxfi_helo = on_helo,
    .xxfi_envfrom = on_mail,
    .xxfi_envrcpt = on_rcpt,
    .xxfi_header = on_header,
    .xxfi_body = on_body,
    .xxfi_eom = on_end,
    .xxfi_abort = on_abort,
    .xxfi_close = on_close,
    .xxfi_data = on_data,
    .xxfi_negotiate = on_negotiate,
};
