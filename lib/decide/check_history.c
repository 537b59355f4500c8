/* SPDX-License-Identifier: BSD-2-Clause */
/* recipient.*, destination.*, account.bounce-rate, account.complaints: what happened before. */
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

static void time_words(int64_t seconds, char text_r[32])
{
    const time_t when = (time_t)seconds;
    struct tm utc;

    text_r[0] = '\0';
    if (gmtime_r(&when, &utc))
        strftime(text_r, 32, "%Y-%m-%dT%H:%M:%SZ", &utc);
}

/* Sentences go to people, in one line of SMTP: the remote's words only as far as they are plain. */
static void plain_words(const char *text, char *words_r, size_t room)
{
    size_t length = 0;

    for (; *text != '\0' && length + 1 < room; text++)
        words_r[length++] = *text >= ' ' && *text <= '~' ? *text : '?';
    words_r[length] = '\0';
}

static struct finding *begin(struct message *message, const struct outcome_fact *fact)
{
    const struct address *address = &message->recipients[fact->recipient].address;
    struct finding *finding = findings_add(&message->findings, fact->cause);
    char since[32], last[32];

    if (finding)
        finding->recipient = fact->recipient;
    time_words(fact->since_sec, since);
    time_words(fact->last_sec, last);
    finding_field(finding, "rcpt", "%s", address->text);
    finding_field(finding, "domain", "%s", address->domain);
    finding_field(finding, "since", "%s", since);
    finding_field(finding, "last", "%s", last);
    finding_field(finding, "n", "%" PRId64, fact->count);
    if (fact->text && fact->text[0] != '\0')
        finding_field(finding, "text", "%s", fact->text);
    return finding;
}

void check_recipient_history(const struct conf *conf, struct message *message)
{
    const struct outcomes *outcomes = message->facts.outcomes;

    (void)conf;
    for (size_t i = 0; outcomes && i < outcomes->count; i++) {
        const struct outcome_fact *fact = &outcomes->facts[i];
        const char *recipient;
        struct finding *finding;
        char words[160], day[32];

        if (fact->is_destination || !fact->cause || fact->recipient >= (long)message->nrecipients)
            continue;
        finding = begin(message, fact);
        recipient = message->recipients[fact->recipient].address.text;
        time_words(fact->last_sec, day);
        day[strcspn(day, "T")] = '\0';
        plain_words(fact->text ? fact->text : "", words, sizeof words);
        finding_sentence(finding, "Mail to %s failed on %s: \"%s\". Please check the address.",
                         recipient, day, words);
        finding_hint(finding,
                     "correct %s or take it off the list; sluicectl why %s shows what happened to "
                     "mail there",
                     recipient, recipient);
    }
}

void check_destinations(const struct conf *conf, struct message *message)
{
    const struct outcomes *outcomes = message->facts.outcomes;

    (void)conf;
    for (size_t i = 0; outcomes && i < outcomes->count; i++) {
        const struct outcome_fact *fact = &outcomes->facts[i];
        struct finding *finding;

        if (!fact->is_destination || !fact->cause || fact->recipient >= (long)message->nrecipients)
            continue;
        finding = begin(message, fact);
        finding_hint(finding, "%s", fact->cause->remedy);
    }
}

void check_bounce_rate(const struct conf *conf, struct message *message)
{
    const struct outcomes *outcomes = message->facts.outcomes;
    struct finding *finding;

    if (!outcomes || !outcomes->rates_known || conf->bounce_rate == 0 ||
        outcomes->hard < conf->bounce_rate_minimum ||
        outcomes->hard * 100 < outcomes->results * conf->bounce_rate)
        return;
    finding = findings_add(&message->findings, cause_get(CAUSE_ACCOUNT_BOUNCE_RATE));
    finding_field(finding, "user", "%s", message->user);
    finding_field(finding, "bounced", "%" PRId64, outcomes->hard);
    finding_field(finding, "results", "%" PRId64, outcomes->results);
    finding_field(finding, "max", "%u%%", conf->bounce_rate);
    finding_field(finding, "window", "%" PRId64, conf->bounce_rate_window_ms / 1000);
    finding_sentence(finding,
                     "%" PRId64 " of your last %" PRId64
                     " messages went to addresses that do not take them. Please clean your "
                     "address list.",
                     outcomes->hard, outcomes->results);
    finding_hint(finding,
                 "grep 'event=delivery.*status=bounced.*user=%s' in the mail log names the "
                 "addresses: have them removed, or change the password if %s did not send this",
                 message->user, message->user);
}

void check_complaints(const struct conf *conf, struct message *message)
{
    const struct outcomes *outcomes = message->facts.outcomes;
    struct finding *finding;

    if (!outcomes || !outcomes->rates_known || conf->complaint_rate == 0 ||
        outcomes->complaints < conf->complaint_rate_minimum ||
        outcomes->complaints * 1000 < outcomes->results * conf->complaint_rate)
        return;
    finding = findings_add(&message->findings, cause_get(CAUSE_ACCOUNT_COMPLAINTS));
    finding_field(finding, "user", "%s", message->user);
    finding_field(finding, "complaints", "%" PRId64, outcomes->complaints);
    finding_field(finding, "results", "%" PRId64, outcomes->results);
    finding_field(finding, "window", "%" PRId64, conf->bounce_rate_window_ms / 1000);
    finding_sentence(finding,
                     "%" PRId64 " people reported your recent messages as spam. Please contact "
                     "your mail administrator.",
                     outcomes->complaints);
    finding_hint(finding,
                 "grep 'event=complaint.*user=%s' in the log names the messages: stop the mailing, "
                 "and release what is on hold after a look at it",
                 message->user);
}
