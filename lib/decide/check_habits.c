/* SPDX-License-Identifier: BSD-2-Clause */
/* account.*: the account is used in a way that it is not used in otherwise. */
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/compromise.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static const struct habits *habits_of(const struct message *message)
{
    const struct habits *habits = message->facts.habits;

    return habits && habits->known ? habits : NULL;
}

static struct finding *begin(struct message *message, enum cause_id id)
{
    struct finding *finding = findings_add(&message->findings, cause_get(id));
    char client[IP_TEXT_MAX];

    ip_format(&message->client, client);
    finding_field(finding, "user", "%s", message->user);
    if (client[0] != '\0')
        finding_field(finding, "client", "%s", client);
    return finding;
}

static const char *name_of(const char *field)
{
    return strchr(field, ':') + 1;
}

void check_new_location(const struct conf *conf, struct message *message)
{
    const struct habits *habits = habits_of(message);
    struct finding *finding;

    (void)conf;
    if (!habits || (!habits->place_is_new && !habits->country_is_new))
        return;
    finding = begin(message, CAUSE_ACCOUNT_NEW_LOCATION);
    finding_field(finding, "network", "%s", name_of(habits->place));
    if (habits->country[0] != '\0')
        finding_field(finding, "country", "%s", name_of(habits->country));
    finding_sentence(finding,
                     "Your account %s is used from %s, a network that it was not used from before.",
                     message->user, name_of(habits->place));
    finding_hint(finding,
                 "if %s is not travelling or newly connected there: change the password, and see "
                 "what was sent: sluicectl why --since 24h %s",
                 message->user, message->user);
}

void check_many_locations(const struct conf *conf, struct message *message)
{
    const struct habits *habits = habits_of(message);
    struct finding *finding;
    bool too_many_places;
    char *window;

    if (!habits || !compromise_many_locations(conf, habits))
        return;
    too_many_places = habits->places > (unsigned)conf->locations_max;
    finding = begin(message, CAUSE_ACCOUNT_MANY_LOCATIONS);
    finding_field(finding, "networks", "%u", habits->places);
    if (habits->countries > 0)
        finding_field(finding, "countries", "%u", habits->countries);
    finding_field(finding, "window", "%" PRId64, conf->locations_window_ms / 1000);
    window = conf_duration(conf->locations_window_ms);
    finding_field(finding, "max", "%" PRId64,
                  too_many_places ? (int64_t)conf->locations_max : (int64_t)conf->countries_max);
    finding_sentence(finding,
                     "Your account was used from %u %s within %s; more than %" PRId64
                     " look like a stolen password. Please change your password and contact your "
                     "mail administrator.",
                     too_many_places ? habits->places : habits->countries,
                     too_many_places ? "networks" : "countries", window,
                     too_many_places ? (int64_t)conf->locations_max : (int64_t)conf->countries_max);
    free(window);
    finding_hint(finding,
                 "sluicectl suspend %s --reason abuse, change the password; if many devices share "
                 "it on purpose: sluicectl release %s, and raise %s",
                 message->user, message->user, too_many_places ? "locations-max" : "countries-max");
}

static void hint_new_client(const struct message *message, const struct habits *habits,
                            struct finding *finding)
{
    if (habits->certificate_is_new)
        finding_hint(finding,
                     "ask %s whether the certificate %s is of a new device or program; if not, "
                     "revoke the certificate and change the password",
                     message->user, message->tls_certificate);
    else
        finding_hint(finding,
                     "ask %s whether a new mail program or application was set up; if not, change "
                     "the password and revoke application passwords",
                     message->user);
}

void check_new_client(const struct conf *conf, struct message *message)
{
    const struct habits *habits = habits_of(message);
    struct finding *finding;

    (void)conf;
    if (!habits || (!habits->client_is_new && !habits->certificate_is_new))
        return;
    finding = begin(message, CAUSE_ACCOUNT_NEW_CLIENT);
    if (habits->client)
        finding_field(finding, "program", "%.*s", (int)strcspn(name_of(habits->client), "|"),
                      name_of(habits->client));
    finding_field(finding, "helo", "%s", message->helo);
    if (message->tls_protocol[0] != '\0')
        finding_field(finding, "tls", "%s %s", message->tls_protocol, message->tls_cipher);
    if (habits->certificate)
        finding_field(finding, "certificate", "%s", message->tls_certificate);
    hint_new_client(message, habits, finding);
}

/* What the score asks for, unless the operator has said what this cause is to do. */
static int action_of(const struct conf *conf, unsigned score)
{
    bool hold = conf->compromise_hold > 0 && score >= (unsigned)conf->compromise_hold;

    return hold && conf_cause_action(conf, "account.anomaly") < 0 ? (int)ACTION_HOLD : -1;
}

void check_anomaly(const struct conf *conf, struct message *message)
{
    const struct habits *habits = habits_of(message);
    struct text evidence = TEXT_EMPTY;
    struct finding *finding;
    unsigned score;

    if (!habits)
        return;
    score = compromise_score(conf, habits, &evidence);
    if (compromise_times_usual(conf, habits) > 0 ||
        (conf->compromise_warn > 0 && score >= (unsigned)conf->compromise_warn)) {
        finding = begin(message, CAUSE_ACCOUNT_ANOMALY);
        if (finding) {
            finding->action_asked = action_of(conf, score);
            if (conf->compromise_suspend > 0 && score >= (unsigned)conf->compromise_suspend)
                finding->suspend_ms = conf->compromise_suspend_time_ms;
        }
        finding_field(finding, "score", "%u", score);
        finding_field(finding, "evidence", "%s", text_string(&evidence));
        finding_field(finding, "used", "%" PRId64, habits->in_hour.now);
        if (habits->in_hour.usual > 0)
            finding_field(finding, "usual", "%" PRId64, habits->in_hour.usual);
        finding_sentence(finding,
                         "Your account sends mail in an unusual way (%s). Please contact your mail "
                         "administrator, also if this is intended.",
                         text_string(&evidence));
        finding_hint(finding,
                     "ask %s whether this mail is meant; if not: sluicectl suspend %s --reason "
                     "abuse and change the password; if so: sluicectl release %s",
                     message->user, message->user, message->user);
    }
    text_free(&evidence);
}
