/* SPDX-License-Identifier: BSD-2-Clause */
/* recipient.*, destination.*, account.bounce-rate, account.complaints: what happened before. */
#include "lib/base/count.h"
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

/* What to do about a failure of a recipient's: for who sent the mail, and for who runs the server.
 */
struct advice {
    enum cause_id cause;
    const char *sentence, *hint;
};
static const struct advice recipient_advice[] = {
    {CAUSE_RECIPIENT_UNKNOWN, "Please check the address.",
     "correct the address or take it off the list"},
    {CAUSE_RECIPIENT_MAILBOX_FULL, "Please try again later, or reach the recipient in another way.",
     "tell its owner by another way that the mailbox is full, and try again later"},
    {CAUSE_RECIPIENT_DISABLED, "Please reach the recipient in another way.",
     "ask for the owner's present address, and take this one off the list"},
    {CAUSE_RECIPIENT_REFUSES_SIZE, "Please send a link to the files in place of attachments.",
     "send a link in place of the attachments"},
};

static const struct advice *advice_of(const struct cause *cause)
{
    for (size_t i = 0; i < COUNT_OF(recipient_advice); i++)
        if (cause_get(recipient_advice[i].cause) == cause)
            return &recipient_advice[i];
    return &recipient_advice[0];
}

static void advise_recipient(struct finding *finding, const struct outcome_fact *fact,
                             const char *recipient)
{
    const struct advice *advice = advice_of(fact->cause);
    char words[160], day[32];

    time_words(fact->last_sec, day);
    day[strcspn(day, "T")] = '\0';
    plain_words(fact->text ? fact->text : "", words, sizeof words);
    finding_sentence(finding, "Mail to %s failed on %s: \"%s\". %s", recipient, day, words,
                     advice->sentence);
    finding_hint(finding, "%s: %s; sluicectl why %s shows what happened to mail there", recipient,
                 advice->hint, recipient);
}

void check_recipient_history(const struct conf *conf, struct message *message)
{
    const struct outcomes *outcomes = message->facts.outcomes;

    (void)conf;
    for (size_t i = 0; outcomes && i < outcomes->count; i++) {
        const struct outcome_fact *fact = &outcomes->facts[i];

        if (fact->is_destination || !fact->cause || fact->recipient >= (long)message->nrecipients)
            continue;
        advise_recipient(begin(message, fact), fact,
                         message->recipients[fact->recipient].address.text);
    }
}

static const struct advice destination_advice[] = {
    {CAUSE_DESTINATION_UNREACHABLE, "cannot be reached at the moment; your message may be late.",
     "wait, the MTA tries again for days; if other domains are unreachable too, look at our own "
     "firewall and whether port 25 is let out"},
    {CAUSE_DESTINATION_GREYLISTING, "puts first attempts off; your message may be late.",
     "nothing, the MTA tries again; send from one address, so that the retry is recognised"},
    {CAUSE_DESTINATION_THROTTLING,
     "takes mail from us only slowly at the moment; your message may be late.",
     "lower the concurrency and rate of mail to it (a transport of its own in master.cf, with "
     "_destination_rate_delay)"},
    {CAUSE_DESTINATION_BLOCKS_US,
     "refuses mail from our server at the moment. Please tell your mail administrator.",
     "stop what made it block us, then ask for removal where its text says"},
    {CAUSE_DESTINATION_AUTH_REQUIRED,
     "refuses mail whose sender it cannot verify. Please tell your mail administrator.",
     "publish what its text asks for (SPF, DKIM, DMARC); sluicectl check dns says what is wrong"},
    {CAUSE_DESTINATION_CONTENT, "refused the content of a message lately.",
     "compare with what was refused (its text); if that was spam, suspend who sent it"},
    {CAUSE_DESTINATION_TLS,
     "and ours do not agree on encryption at the moment; your message may be late.",
     "try openssl s_client -starttls smtp against it; an exception is an entry in "
     "smtp_tls_policy_maps"},
    {CAUSE_DESTINATION_RELAY_DENIED,
     "does not take mail for it from us. Please tell your mail administrator.",
     "check relayhost, its login and the domain's MX record"},
    {CAUSE_DESTINATION_LOGIN,
     "cannot be reached: our own login is refused. Please tell your mail administrator.",
     "correct the relayhost's entry in smtp_sasl_password_maps"},
    {CAUSE_DESTINATION_DNS, "was not found in the DNS lately; your message may be late.",
     "check the domain's spelling and MX record; if others fail too, our resolver"},
    {CAUSE_DESTINATION_SIZE, "refused a message as large as this one lately.",
     "send a link in place of the attachments"},
    {CAUSE_DESTINATION_OTHER, "refused a message lately for a reason that is not known.",
     "read its text"},
};

static void advise_destination(struct finding *finding, const struct outcome_fact *fact,
                               const char *domain)
{
    char since[32];

    time_words(fact->since_sec, since);
    for (size_t i = 0; i < COUNT_OF(destination_advice); i++) {
        const struct advice *advice = &destination_advice[i];

        if (cause_get(advice->cause) != fact->cause)
            continue;
        finding_sentence(finding, "The mail server of %s %s (%" PRId64 " failures since %s)",
                         domain, advice->sentence, fact->count, since);
        finding_hint(finding, "%s: %s; sluicectl why %s shows what it said", domain, advice->hint,
                     domain);
    }
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

    (void)conf;
    for (size_t i = 0; outcomes && i < outcomes->count; i++) {
        const struct outcome_fact *fact = &outcomes->facts[i];

        if (!fact->is_destination || !fact->cause || fact->recipient >= (long)message->nrecipients)
            continue;
        if (is_too_large(message, fact))
            find_too_large(message, fact);
        else
            advise_destination(begin(message, fact), fact,
                               message->recipients[fact->recipient].address.domain);
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
                     " messages went to addresses that do not take them; at most %u in 100 "
                     "may. Please clean your address list.",
                     outcomes->hard, outcomes->results, conf->bounce_rate);
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
                     "%" PRId64 " people reported your last %" PRId64
                     " messages as spam; at most %" PRId64
                     " in 1000 may. Please contact your mail administrator.",
                     outcomes->complaints, outcomes->results, (int64_t)conf->complaint_rate);
    finding_hint(finding,
                 "grep 'event=complaint.*user=%s' in the log names the messages: stop the mailing, "
                 "and release what is on hold after a look at it",
                 message->user);
}
