/* SPDX-License-Identifier: BSD-2-Clause */
#include "feedback/notice.h"

#include "feedback/delivery.h"

#include "lib/base/clock.h"
#include "lib/decide/notices.h"
#include "lib/decide/outcomes.h"
#include "lib/decide/verdict.h"

#include <inttypes.h>
#include <stdlib.h>

#define NEWS_US (3600 * INT64_C(1000000)) /* what is older is history that is read again */

static bool is_news(int64_t at_us)
{
    return at_us == 0 || clock_now_us(&clock_wall) - at_us < NEWS_US;
}

static void add(struct finding *finding, const char *name, const char *value)
{
    if (value[0] != '\0')
        finding_field(finding, name, "%s", value);
}

/* A finding of nobody's decision: what its cause asks for is asked of mail to come. */
static struct finding *begin(const struct conf *conf, struct message *message, enum cause_id id)
{
    const struct cause *cause = cause_get(id);
    struct finding *finding = findings_add(&message->findings, cause);

    finding->action = finding->would =
        verdict_configured(conf, cause, -1) == ACTION_IGNORE ? ACTION_IGNORE : ACTION_LOG;
    return finding;
}

static void end(struct services *services, const struct conf *conf, struct message *message)
{
    const struct finding *finding = &message->findings.items[0];

    if (finding->would >= (int)ACTION_LOG)
        notices_tell(services, conf, message, finding);
    message_free(&message);
}

/* Whom it is about: what is a destination's is the same for all who write there. */
static void add_subject(struct finding *finding, const struct result *result)
{
    const struct outcome_rule *rule = outcome_rule(result->cause);
    const bool destination = rule != NULL ? rule->of == OUTCOME_OF_DESTINATION
                                          : cause_is_in(finding->cause, "destination");

    if (destination && result->domain[0] != '\0')
        finding_field(finding, "subject", "destination:%s", result->domain);
    else if (result->user[0] == '\0' && result->recipient[0] != '\0')
        finding_field(finding, "subject", "recipient:%s", result->recipient);
}

void notice_delivery(struct services *services, const struct conf *conf,
                     const struct result *result)
{
    struct message *message;
    struct finding *finding;
    char *hint;

    /* A notice is from <> itself, and must not lead to another. */
    if (result->status == RESULT_SENT || conf->nnotifies == 0 || !is_news(result->at_us) ||
        (result->sender[0] == '\0' && result->user[0] == '\0'))
        return;
    message = message_new(PROGRAM_POLICY, conf->hostname);
    message_set(&message->queue_id, result->queue_id);
    message_set_user(message, result->user);
    message_set_sender(message, result->sender);
    finding = begin(conf, message, result->cause);
    add_subject(finding, result);
    add(finding, "status", result_status_name(result->status));
    add(finding, "rcpt", result->recipient);
    add(finding, "domain", result->domain);
    add(finding, "dsn", result->dsn);
    add(finding, "relay", result->relay);
    add(finding, "text", result->text);
    finding_sentence(finding, "Mail to %s %s: %s",
                     result->recipient[0] != '\0' ? result->recipient : result->domain,
                     result->status == RESULT_DEFERRED ? "waits to be tried again"
                                                       : "could not be delivered",
                     result->text[0] != '\0' ? result->text : finding->cause->title);
    hint = delivery_hint(result);
    finding_hint(finding, "%s", hint);
    free(hint);
    end(services, conf, message);
}

void notice_login(struct services *services, const struct conf *conf,
                  const struct notice_login *login)
{
    struct message *message;
    struct finding *finding;

    if (conf->nnotifies == 0 || !is_news(login->at_us))
        return;
    message = message_new(PROGRAM_POLICY, conf->hostname);
    message_set_user(message, login->user);
    (void)ip_parse(login->client, &message->client);
    finding = begin(conf, message, login->cause);
    add(finding, "mechanism", login->mechanism);
    add(finding, "text", login->text);
    if (login->count > 0)
        finding_field(finding, "n", "%" PRId64, login->count);
    finding_hint(finding, "%s", login->hint);
    end(services, conf, message);
}
