/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/verdict.h"

#include <string.h>

enum action verdict_configured(const struct conf *conf, const struct cause *cause, int asked)
{
    if (asked >= 0)
        return (enum action)asked;

    int set = conf_cause_action(conf, cause->id);

    return set >= 0 ? (enum action)set : cause->action;
}

/* A postmaster who answers complaints (RFC 5321 section 4.5.1) is not stopped by limits; with a
 * login, only with postmaster's own. */
static bool is_postmaster(const struct conf *conf, const struct message *message)
{
    const struct address *sender = &message->sender;

    if (strcasecmp(sender->local, "postmaster") != 0 || !conf_is_local_domain(conf, sender->domain))
        return false;
    return message->user[0] == '\0' || strcmp(message->user, "postmaster") == 0 ||
           strcasecmp(message->user, sender->text) == 0;
}

/* What enforcing would do.  A bounce that is refused bounces nowhere and is lost, so the null
 * reverse-path is warned about at most; not with a login, since no bounce has one and a stolen
 * account would have no limit at all. */
static enum action enforced(const struct conf *conf, const struct message *message,
                            const struct cause *cause, enum action configured)
{
    if (configured <= ACTION_WARN)
        return configured;
    if (address_is_null(&message->sender) && message->user[0] == '\0')
        return ACTION_WARN;
    if ((cause_is_in(cause, "limit") || cause == cause_get(CAUSE_ACCOUNT_SUSPENDED)) &&
        is_postmaster(conf, message))
        return ACTION_WARN;
    return configured;
}

enum action verdict_effective(const struct conf *conf, const struct message *message,
                              const struct cause *cause, enum action configured)
{
    enum action action = enforced(conf, message, cause, configured);

    if (conf_cause_mode(conf, cause->id) == MODE_OBSERVE && action > ACTION_WARN)
        return ACTION_LOG;
    return action;
}

/* Mail from sendmail(1) is judged when it is all there: one bad recipient must not take it from the
 * others, and the MTA itself returns it to the sender for that one. */
static bool spares_the_others(const struct message *message, const struct finding *finding)
{
    return finding->recipient >= 0 && message->local_submission && message->nrecipients > 1;
}

void verdict_set(const struct conf *conf, struct message *message)
{
    struct verdict *verdict = &message->verdict;

    *verdict = (struct verdict){.action = ACTION_IGNORE, .would = ACTION_IGNORE};
    for (size_t i = 0; i < message->findings.count; i++) {
        struct finding *finding = &message->findings.items[i];
        enum action configured = verdict_configured(conf, finding->cause, finding->action_asked);

        if (configured > ACTION_LOG && spares_the_others(message, finding))
            configured = ACTION_LOG;
        finding->would = (int)enforced(conf, message, finding->cause, configured);
        finding->action = (int)verdict_effective(conf, message, finding->cause, configured);
        if (finding->shadow && finding->action > (int)ACTION_LOG)
            finding->action = ACTION_LOG;
        if (finding->would > verdict->would)
            verdict->would = finding->would;
        if (finding->action > verdict->action || !verdict->decisive) {
            verdict->action = finding->action;
            verdict->decisive = finding;
        }
    }
}

bool verdict_refuses(const struct verdict *verdict)
{
    return verdict->action >= (int)ACTION_DEFER;
}
