/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/verdict.h"

enum action verdict_configured(const struct conf *conf, const struct cause *cause, int asked)
{
    if (asked >= 0)
        return (enum action)asked;

    int set = conf_cause_action(conf, cause->id);

    return set >= 0 ? (enum action)set : cause->action;
}

/* What enforcing would do.  A bounce that is refused bounces nowhere and is lost, so the null
 * reverse-path is warned about at most; not with a login, since no bounce has one and a stolen
 * account would have no limit at all. */
static enum action enforced(const struct message *message, enum action configured)
{
    if (configured > ACTION_WARN && address_is_null(&message->sender) && message->user[0] == '\0')
        return ACTION_WARN;
    return configured;
}

enum action verdict_effective(const struct conf *conf, const struct message *message,
                              const struct cause *cause, enum action configured)
{
    enum action action = enforced(message, configured);

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
        finding->would = (int)enforced(message, configured);
        finding->action = (int)verdict_effective(conf, message, finding->cause, configured);
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
