/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/act.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/decide/reply.h"
#include "lib/decide/report.h"
#include "lib/decide/verdict.h"
#include "milter/edit.h"
#include "milter/own_check.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define SIGNATURE_HEADER "DKIM-Signature"

/* --- replies -------------------------------------------------------------------------- */

/* MTAs read a reply as a format: a per cent sign is written twice. */
static void double_percent(const char *text, char doubled_r[2 * REPLY_TEXT_MAX])
{
    for (; *text != '\0'; text++) {
        if (*text == '%')
            *doubled_r++ = '%';
        *doubled_r++ = *text;
    }
    *doubled_r = '\0';
}

static sfsistat reply_with(SMFICTX *context, const struct reply *reply)
{
    char code[8], enhanced[sizeof(reply->enhanced)], text[2 * REPLY_TEXT_MAX];

    (void)snprintf(code, sizeof(code), "%03u", reply->code);
    memcpy(enhanced, reply->enhanced, sizeof(enhanced)); /* the prototype lacks a const */
    double_percent(reply->text, text);
    (void)smfi_setreply(context, code, enhanced, text);
    return reply->code >= 500 ? SMFIS_REJECT : SMFIS_TEMPFAIL;
}

sfsistat act_reply(SMFICTX *context, const struct session *session)
{
    struct reply reply;

    if (!verdict_refuses(&session->message->verdict))
        return SMFIS_CONTINUE;
    reply_make(session->conf, session->message, &reply);
    return reply_with(context, &reply);
}

/* --- the signature -------------------------------------------------------------------- */

static void set_signing_facts(struct session *session)
{
    struct facts *facts = &session->message->facts;

    facts->unsigned_reason = NULL;
    while (facts->nsigning < FACTS_SIGNING_MAX &&
           signature_key(session->signature, facts->nsigning, &facts->signing[facts->nsigning]))
        facts->nsigning++;
}

void act_begin_signature(struct session *session)
{
    struct message *message = session->message;

    if (session->signing_decided)
        return;
    session->signing_decided = true;
    message->direction = assess_direction(session->conf, message);
    session->signature =
        signature_begin(session->signer, session->conf, message, &session->unsigned_reason);
    message->facts.unsigned_reason = session->unsigned_reason;
    if (session->signature != NULL) {
        set_signing_facts(session);
        own_check_begin(session, session->signature);
    } else if (strcmp(session->unsigned_reason, SIGN_ALREADY_SIGNED) == 0) {
        session->again = signature_begin_again(session->signer, session->conf, message);
        if (session->again != NULL)
            own_check_begin(session, session->again);
    }
}

void act_body(struct session *session, const void *bytes, size_t length)
{
    struct signature *signature = session->signature != NULL ? session->signature : session->again;

    if (signature == NULL)
        return;
    (void)signature_body(signature, bytes, length);
    own_check_body(session, bytes, length);
}

/* What is not known to be broken stays the only one. */
void act_renew_signature(struct session *session)
{
    if (session->again == NULL || session->carried == NULL ||
        !verify_finds_broken(session->carried, session->again))
        return;
    session->signature = session->again;
    session->again = NULL;
    session->unsigned_reason = NULL;
    set_signing_facts(session);
}

static enum cause_id cause_of_failure(const char *reason)
{
    if (strcmp(reason, SIGN_HEADERS_CUT) == 0)
        return CAUSE_CONFIG_HEADERS;
    return strcmp(reason, SIGN_KEY_WEAK) == 0 ? CAUSE_DNS_DKIM_WEAK : CAUSE_SELF_KEY_UNREADABLE;
}

/* Which key it is, and what is to be done about it. */
static void find_key(const struct session *session, struct finding *finding)
{
    struct signer_note note;
    char *remedy;

    if (finding == NULL || finding->cause == cause_get(CAUSE_CONFIG_HEADERS) ||
        !signature_trouble(session->signer, session->message, &note))
        return;
    remedy = key_remedy(note.trouble, note.path, note.problem, note.domain, note.selector);
    finding_field(finding, "domain", "%s", note.domain);
    finding_field(finding, "selector", "%s", note.selector);
    finding_field(finding, "key", "%s", note.path);
    finding_field(finding, "problem", "%s", note.problem);
    finding_hint(finding, "%s", remedy);
    if (note.trouble == KEY_TOO_SHORT)
        finding->severity = SEVERITY_ERROR;
    free(remedy);
}

/* Mail that ought to be signed and is not must not leave in silence. */
static void find_failure(struct session *session, const char *reason)
{
    struct finding *finding =
        findings_add(&session->message->findings, cause_get(cause_of_failure(reason)));

    finding_field(finding, "reason", "%s", reason);
    find_key(session, finding);
    finding_sentence(finding, "The message could not be signed (%s).", reason);
    if (finding != NULL)
        finding->action_asked =
            (int)(session->conf->sign_failure == SIGN_FAILURE_DEFER ? ACTION_DEFER : ACTION_LOG);
    verdict_set(session->conf, session->message);
}

/* facts.dkim tells what became of it. */
static void end_signature(struct session *session)
{
    struct message *message = session->message;
    bool is_signed;

    if (session->verify != NULL)
        return; /* it is from outside, and facts.dkim tells of the signatures that it has */
    act_begin_signature(session);
    is_signed =
        session->signature != NULL && signature_end(session->signature, &session->unsigned_reason);
    free(message->facts.dkim);
    message->facts.dkim = is_signed ? mem_print("signed:%s", signature_names(session->signature))
                                    : mem_print("none:%s", session->unsigned_reason);
    if (is_signed) {
        message->facts.dkim_survival = wire_survival(&message->wire);
        own_check_end(session);
    }
    if (!is_signed && sign_is_failure(session->unsigned_reason))
        find_failure(session, session->unsigned_reason);
}

/* --- changes to the message ----------------------------------------------------------- */

static void add_warnings(SMFICTX *context, const struct session *session)
{
    const struct findings *findings = &session->message->findings;
    char text[REPLY_TEXT_MAX], last[REPLY_TEXT_MAX] = "";

    for (size_t i = 0; i < findings->count; i++) {
        if (findings->items[i].action != (int)ACTION_WARN)
            continue;
        reply_warning(session->conf, session->message, &findings->items[i], text);
        if (strcmp(text, last) == 0)
            continue;
        memcpy(last, text, sizeof(last));
        (void)edit_add(context, session, REPLY_WARNING_HEADER, text);
    }
}

/* First of all headers, so that they stand above those that they cover, in the order of the
 * configuration. */
static bool insert_signatures(SMFICTX *context, const struct session *session)
{
    bool inserted = true;
    size_t n = 0;

    if (session->signature == NULL)
        return true;
    while (signature_value(session->signature, n) != NULL)
        n++;
    while (inserted && n-- > 0)
        inserted =
            edit_insert(context, session, SIGNATURE_HEADER, signature_value(session->signature, n));
    return inserted;
}

/* false: this MTA cannot hold mail. */
static bool hold(SMFICTX *context, const struct session *session)
{
    struct reply reply;

    reply_make(session->conf, session->message, &reply);
    return session->actions & SMFIF_QUARANTINE &&
           smfi_quarantine(context, reply.text) == MI_SUCCESS;
}

static sfsistat defer_instead(SMFICTX *context, const struct session *session)
{
    struct reply reply;

    reply_make(session->conf, session->message, &reply);
    reply_code(session->message->verdict.decisive, ACTION_DEFER, &reply.code, reply.enhanced);
    return reply_with(context, &reply);
}

/* What fails here fails because the MTA is gone: it does as its milter_default_action says, which
 * may be to accept.  What was charged stands then, since accepted mail is never forgotten. */
static sfsistat let_pass(SMFICTX *context, struct session *session, struct services *services)
{
    add_warnings(context, session);
    if (!insert_signatures(context, session))
        return SMFIS_TEMPFAIL;
    if (session->message->verdict.action != (int)ACTION_HOLD || hold(context, session))
        return SMFIS_CONTINUE;
    assess_give_back(services, session->conf, session->message);
    return defer_instead(context, session);
}

sfsistat act_end(SMFICTX *context, struct session *session, struct services *services)
{
    struct message *message = session->message;
    sfsistat result;

    if (!verdict_refuses(&message->verdict))
        end_signature(session);
    if (verdict_refuses(&message->verdict)) {
        /* assess() gives back what it refuses; the signature's failure came later */
        assess_give_back(services, session->conf, message);
        result = act_reply(context, session);
    } else {
        result = let_pass(context, session, services);
    }
    report_message(services, session->conf, message);
    return result;
}
