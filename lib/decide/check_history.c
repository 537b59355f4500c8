/* SPDX-License-Identifier: BSD-2-Clause */
/* recipient.*, destination.*, account.bounce-rate, account.complaints: what happened before. */
#include "lib/base/count.h"
#include "lib/causes/causes.h"
#include "lib/decide/advice.h"
#include "lib/decide/check_functions.h"

#include <inttypes.h>
#include <stdlib.h>
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

/* For who runs the server. */
static void advise(struct finding *finding, const struct message *message,
                   const struct outcome_fact *fact)
{
    const struct address *recipient = &message->recipients[fact->recipient].address;
    char *hint = advice_make(&(struct advice_case){
        .cause = (enum cause_id)(fact->cause - cause_get((enum cause_id)0)),
        .earlier = true,
        .user = message->user,
        .sender = message->sender.text,
        .recipient = recipient->text,
        .domain = recipient->domain,
        .text = fact->text,
        .size = message->size,
    });

    finding_hint(finding, "%s", hint);
    free(hint);
}

/* For who sent the mail. */
struct comfort {
    enum cause_id cause;
    const char *sentence;
};
static const struct comfort recipient_comfort[] = {
    {CAUSE_RECIPIENT_UNKNOWN, "Please check the address."},
    {CAUSE_RECIPIENT_MAILBOX_FULL,
     "Please try again later, or reach the recipient in another way."},
    {CAUSE_RECIPIENT_DISABLED, "Please reach the recipient in another way."},
    {CAUSE_RECIPIENT_REFUSES_SIZE, "Please send a link to the files in place of attachments."},
};

static const char *comfort_of(const struct cause *cause)
{
    for (size_t i = 0; i < COUNT_OF(recipient_comfort); i++)
        if (cause_get(recipient_comfort[i].cause) == cause)
            return recipient_comfort[i].sentence;
    return recipient_comfort[0].sentence;
}

static void tell_recipient(struct finding *finding, const struct outcome_fact *fact,
                           const char *recipient)
{
    char words[160], day[32];

    time_words(fact->last_sec, day);
    day[strcspn(day, "T")] = '\0';
    plain_words(fact->text ? fact->text : "", words, sizeof words);
    finding_sentence(finding, "Mail to %s failed on %s: \"%s\". %s", recipient, day, words,
                     comfort_of(fact->cause));
}

void check_recipient_history(const struct conf *conf, struct message *message)
{
    const struct outcomes *outcomes = message->facts.outcomes;
    struct finding *finding;

    (void)conf;
    for (size_t i = 0; outcomes && i < outcomes->count; i++) {
        const struct outcome_fact *fact = &outcomes->facts[i];

        if (fact->is_destination || !fact->cause || fact->recipient >= (long)message->nrecipients)
            continue;
        finding = begin(message, fact);
        tell_recipient(finding, fact, message->recipients[fact->recipient].address.text);
        advise(finding, message, fact);
    }
}

static const struct comfort destination_comfort[] = {
    {CAUSE_DESTINATION_UNREACHABLE, "cannot be reached at the moment; your message may be late."},
    {CAUSE_DESTINATION_GREYLISTING, "puts first attempts off; your message may be late."},
    {CAUSE_DESTINATION_THROTTLING,
     "takes mail from us only slowly at the moment; your message may be late."},
    {CAUSE_DESTINATION_BLOCKS_US,
     "refuses mail from our server at the moment. Please tell your mail administrator."},
    {CAUSE_DESTINATION_AUTH_REQUIRED,
     "refuses mail whose sender it cannot verify. Please tell your mail administrator."},
    {CAUSE_DESTINATION_CONTENT, "refused the content of a message lately."},
    {CAUSE_DESTINATION_TLS,
     "and ours do not agree on encryption at the moment; your message may be late."},
    {CAUSE_DESTINATION_RELAY_DENIED,
     "does not take mail for it from us. Please tell your mail administrator."},
    {CAUSE_DESTINATION_LOGIN,
     "cannot be reached: our own login is refused. Please tell your mail administrator."},
    {CAUSE_DESTINATION_DNS, "was not found in the DNS lately; your message may be late."},
    {CAUSE_DESTINATION_SIZE, "refused a message as large as this one lately."},
    {CAUSE_DESTINATION_OTHER, "refused a message lately for a reason that is not known."},
};

static void tell_destination(struct finding *finding, const struct outcome_fact *fact,
                             const char *domain)
{
    char since[32];

    time_words(fact->since_sec, since);
    for (size_t i = 0; i < COUNT_OF(destination_comfort); i++)
        if (cause_get(destination_comfort[i].cause) == fact->cause)
            finding_sentence(finding, "The mail server of %s %s (%" PRId64 " failures since %s)",
                             domain, destination_comfort[i].sentence, fact->count, since);
}

/* What is larger than what was refused will be refused too: better now than as a bounce. */
static bool is_too_large(const struct message *message, const struct outcome_fact *fact)
{
    return fact->cause == cause_get(CAUSE_DESTINATION_SIZE) && fact->refused_size > 0 &&
           message->size > fact->refused_size;
}

static void find_too_large(struct message *message, const struct outcome_fact *fact)
{
    const struct address *address = &message->recipients[fact->recipient].address;
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_CONTENT_SIZE));

    if (finding)
        finding->recipient = fact->recipient;
    finding_field(finding, "rcpt", "%s", address->text);
    finding_field(finding, "domain", "%s", address->domain);
    finding_field(finding, "size", "%" PRId64, message->size);
    finding_field(finding, "max", "%" PRId64, fact->refused_size);
    finding_field(finding, "n", "%" PRId64, fact->count);
    if (fact->text && fact->text[0] != '\0')
        finding_field(finding, "text", "%s", fact->text);
    finding_sentence(finding,
                     "This message has %" PRId64 " bytes, and %s refused one of %" PRId64
                     " as too large. Put large files where the recipients can fetch them, and send "
                     "the link.",
                     message->size, address->domain, fact->refused_size);
    finding_hint(finding,
                 "send a link in place of the attachment; if %s takes larger mail now, sluicectl "
                 "reset destination:%s",
                 address->domain, address->domain);
}

void check_destinations(const struct conf *conf, struct message *message)
{
    const struct outcomes *outcomes = message->facts.outcomes;
    struct finding *finding;

    (void)conf;
    for (size_t i = 0; outcomes && i < outcomes->count; i++) {
        const struct outcome_fact *fact = &outcomes->facts[i];

        if (!fact->is_destination || !fact->cause || fact->recipient >= (long)message->nrecipients)
            continue;
        if (is_too_large(message, fact)) {
            find_too_large(message, fact);
            continue;
        }
        finding = begin(message, fact);
        tell_destination(finding, fact, message->recipients[fact->recipient].address.domain);
        advise(finding, message, fact);
    }
}

static int64_t hours_of(int64_t window_ms)
{
    const int64_t hour_ms = 3600 * 1000;

    return (window_ms + hour_ms - 1) / hour_ms;
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
                     " messages went to addresses that do not take them; at most %u in 100 "
                     "may. Please clean your address list.",
                     outcomes->hard, outcomes->results, conf->bounce_rate);
    finding_hint(
        finding,
        "sluicectl why --since %" PRId64 "h %s names the addresses that bounced: have them "
        "removed, or, if %s did not send this, change the password; then sluicectl reset "
        "user:%s begins to count anew, and postsuper -H lets go what is on hold",
        hours_of(conf->bounce_rate_window_ms), message->user, message->user, message->user);
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
                     "%" PRId64 " people reported your last %" PRId64
                     " messages as spam; at most %" PRId64
                     " in 1000 may. Please contact your mail administrator.",
                     outcomes->complaints, outcomes->results, (int64_t)conf->complaint_rate);
    finding_hint(finding,
                 "sluicectl why --since %" PRId64 "h %s names the messages that people complained "
                 "about: stop the mailing and take them off the list; then sluicectl reset user:%s "
                 "begins to count anew, and postsuper -H lets go what is on hold",
                 hours_of(conf->bounce_rate_window_ms), message->user, message->user);
}
