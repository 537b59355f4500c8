/* SPDX-License-Identifier: BSD-2-Clause */
/* account.*: who sends, and whether that is theirs to use. */
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/suspension.h"

#define FROM_ADDRESSES_MAX 16 /* looked at; more than one is rare already (RFC 5322 §3.6.2) */

static void mismatch(struct message *message, const char *address, const char *where,
                     const char *where_words)
{
    struct finding *finding =
        findings_add(&message->findings, cause_get(CAUSE_ACCOUNT_SENDER_MISMATCH));

    finding_field(finding, "user", "%s", message->user);
    finding_field(finding, "from", "%s", address);
    finding_field(finding, "in", "%s", where);
    finding_sentence(finding,
                     "You are logged in as %s, which may not send with %s as the %s address.",
                     message->user, address, where_words);
    finding_hint(finding,
                 "set the mail program's sender address to one of %s's own, or allow %s to %s in "
                 "sender-login",
                 message->user, address, message->user);
}

/* The first address in a From header's value that the login may not use is told.  What of it does
 * not parse is for config.headers to say; what does parse is judged. */
static bool from_value_mismatches(const struct conf *conf, struct message *message,
                                  const char *value)
{
    struct address addresses[FROM_ADDRESSES_MAX];
    bool told = false;

    address_list_parse(value, addresses, FROM_ADDRESSES_MAX);
    for (size_t i = 0; i < FROM_ADDRESSES_MAX; i++) {
        const char *address = addresses[i].text;

        if (!told && address && address[0] && !conf_login_may_use(conf, message->user, address)) {
            mismatch(message, address, "header", "From");
            told = true;
        }
        address_clear(&addresses[i]);
    }
    return told;
}

/* What the reader sees as the sender is the From header, so that has to be theirs too; only the
 * milter has it. */
static void check_from_header(const struct conf *conf, struct message *message)
{
    const struct header *from;

    for (size_t n = 0; (from = message_header(message, "From", n)) != NULL; n++)
        if (from_value_mismatches(conf, message, from->value))
            return;
}

void check_sender_mismatch(const struct conf *conf, struct message *message)
{
    if (message->user[0] == '\0')
        return;
    if (!address_is_null(&message->sender) &&
        !conf_login_may_use(conf, message->user, message->sender.text)) {
        mismatch(message, message->sender.text, "envelope", "envelope sender");
        return;
    }
    check_from_header(conf, message);
}

void check_unauthenticated(const struct conf *conf, struct message *message)
{
    if (!conf_is_local_domain(conf, message->sender.domain))
        return;

    struct finding *finding =
        findings_add(&message->findings, cause_get(CAUSE_ACCOUNT_UNAUTHENTICATED));
    char client[IP_TEXT_MAX];

    ip_format(&message->client, client);
    finding_field(finding, "from", "%s", message->sender.text);
    finding_field(finding, "client", "%s", client);
    finding_sentence(
        finding,
        "To send as %s, turn on authentication (user name and password) for the outgoing server.",
        message->sender.text);
    finding_hint(finding,
                 "%s has to log in (submission, port 587 or 465); if %s is one of your own "
                 "servers, add it to internal-networks",
                 message->sender.text, client);
}

static const char *flag_value(const void *flag, const char *name)
{
    return note_fact_value(flag, name);
}

void check_suspended(const struct conf *conf, struct message *message)
{
    struct suspension suspension;
    struct finding *finding;
    char until[SUSPENSION_TIME_SIZE];

    (void)conf;
    if (!suspension_read(flag_value, &message->facts.flag, message->facts.flag_sec, &suspension))
        return;
    finding = findings_add(&message->findings, cause_get(CAUSE_ACCOUNT_SUSPENDED));
    suspension_time(suspension.until_sec, until);
    finding_field(finding, "user", "%s", message->user);
    finding_field(finding, "reason", "%s", suspension.reason);
    finding_field(finding, "by", "%s", suspension.by);
    if (suspension.since_sec > 0) {
        char since[SUSPENSION_TIME_SIZE];

        suspension_time(suspension.since_sec, since);
        finding_field(finding, "since", "%s", since);
    }
    finding_field(finding, "until", "%s", suspension.until_sec > 0 ? until : "released");
    if (*suspension.note != '\0')
        finding_field(finding, "note", "%s", suspension.note);
    if (suspension.until_sec > 0)
        finding_sentence(finding,
                         "Your account may not send mail until %s (reason: %s). Please contact "
                         "your mail administrator.",
                         until, suspension.reason);
    else
        finding_sentence(finding,
                         "Your account may not send mail until it is released (reason: %s). "
                         "Please contact your mail administrator.",
                         suspension.reason);
    finding_hint(finding, "settle the reason (%s), then: sluicectl unsuspend %s", suspension.reason,
                 message->user);
}
