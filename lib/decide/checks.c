/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/checks.h"

#include "lib/base/count.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/verdict.h"

#define AT_RCPT (1u << STAGE_RCPT)
#define AT_END (1u << STAGE_DATA | 1u << STAGE_END_OF_MESSAGE)
#define AT_THE_END (1u << STAGE_END_OF_MESSAGE)
#define AT_ANY (1u << STAGE_MAIL | AT_RCPT | AT_END)
#define OUT (1u << DIRECTION_OUT)
#define IN (1u << DIRECTION_IN)
#define POLICY ((unsigned)PROGRAM_POLICY)
#define MILTER ((unsigned)PROGRAM_MILTER)
#define BOTH (POLICY | MILTER)

#define CAUSES(...)                                                                                \
    .causes = {__VA_ARGS__},                                                                       \
    .ncauses = sizeof((enum cause_id[]){__VA_ARGS__}) / sizeof(enum cause_id)

/* In the order of their findings, which is that of the log: of two refusals that are alike, the
 * first one is the reply. */
const struct check checks[] = {
    {.name = "store",
     CAUSES(CAUSE_SELF_STORE_DOWN),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_LIMITS,
     .run = check_store},
    {.name = "suspended",
     CAUSES(CAUSE_ACCOUNT_SUSPENDED),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_NOTES,
     .run = check_suspended},
    {.name = "sender-mismatch",
     CAUSES(CAUSE_ACCOUNT_SENDER_MISMATCH),
     .stages = AT_ANY,
     .programs = BOTH,
     .directions = OUT,
     .run = check_sender_mismatch},
    {.name = "unauthenticated",
     CAUSES(CAUSE_ACCOUNT_UNAUTHENTICATED),
     .stages = AT_ANY,
     .programs = BOTH,
     .directions = IN,
     .run = check_unauthenticated},
    {.name = "plaintext",
     CAUSES(CAUSE_CONFIG_PLAINTEXT),
     .stages = AT_ANY,
     .programs = BOTH,
     .directions = IN | OUT,
     .run = check_plaintext},
    {.name = "port",
     CAUSES(CAUSE_CONFIG_PORT),
     .stages = AT_ANY,
     .programs = BOTH,
     .directions = IN | OUT,
     .run = check_port},
    {.name = "weak-tls",
     CAUSES(CAUSE_CONFIG_WEAK_TLS),
     .stages = AT_ANY,
     .programs = BOTH,
     .directions = IN | OUT,
     .run = check_weak_tls},
    {.name = "helo",
     CAUSES(CAUSE_CONFIG_HELO),
     .stages = AT_ANY,
     .programs = BOTH,
     .directions = IN | OUT,
     .run = check_helo},
    {.name = "new-location",
     CAUSES(CAUSE_ACCOUNT_NEW_LOCATION),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_NOTES,
     .run = check_new_location},
    {.name = "many-locations",
     CAUSES(CAUSE_ACCOUNT_MANY_LOCATIONS),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_NOTES,
     .run = check_many_locations},
    {.name = "new-client",
     CAUSES(CAUSE_ACCOUNT_NEW_CLIENT),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_NOTES,
     .run = check_new_client},
    {.name = "anomaly",
     CAUSES(CAUSE_ACCOUNT_ANOMALY),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_NOTES,
     .run = check_anomaly},
    {.name = "recipient-syntax",
     CAUSES(CAUSE_RECIPIENT_SYNTAX),
     .stages = AT_RCPT | AT_END,
     .programs = POLICY,
     .directions = IN | OUT,
     .run = check_recipient_syntax},
    {.name = "sender-domain",
     CAUSES(CAUSE_DNS_SENDER_DOMAIN, CAUSE_DNS_SENDER_NO_MAIL, CAUSE_DNS_FAILURE),
     .stages = AT_ANY,
     .programs = BOTH,
     .directions = IN | OUT,
     .needs = NEED_SENDER_DOMAIN,
     .run = check_sender_domain},
    {.name = "bounce-rate",
     CAUSES(CAUSE_ACCOUNT_BOUNCE_RATE),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_NOTES,
     .run = check_bounce_rate},
    {.name = "complaints",
     CAUSES(CAUSE_ACCOUNT_COMPLAINTS),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_NOTES,
     .run = check_complaints},
    {.name = "recipient-history",
     CAUSES(CAUSE_RECIPIENT_UNKNOWN, CAUSE_RECIPIENT_MAILBOX_FULL, CAUSE_RECIPIENT_DISABLED,
            CAUSE_RECIPIENT_REFUSES_SIZE),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_NOTES,
     .run = check_recipient_history},
    {.name = "destinations",
     CAUSES(CAUSE_DESTINATION_UNREACHABLE, CAUSE_DESTINATION_GREYLISTING,
            CAUSE_DESTINATION_THROTTLING, CAUSE_DESTINATION_BLOCKS_US,
            CAUSE_DESTINATION_AUTH_REQUIRED, CAUSE_DESTINATION_CONTENT, CAUSE_DESTINATION_TLS,
            CAUSE_DESTINATION_RELAY_DENIED, CAUSE_DESTINATION_LOGIN, CAUSE_DESTINATION_DNS,
            CAUSE_DESTINATION_SIZE, CAUSE_DESTINATION_OTHER, CAUSE_CONTENT_SIZE),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_NOTES,
     .run = check_destinations},
    {.name = "recipient-domains",
     CAUSES(CAUSE_DNS_RECIPIENT_DOMAIN, CAUSE_DNS_RECIPIENT_NO_MAIL, CAUSE_DNS_FAILURE),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_RECIPIENT_DOMAINS,
     .run = check_recipient_domains},
    {.name = "dkim",
     CAUSES(CAUSE_DNS_DKIM_MISSING, CAUSE_DNS_DKIM_MISMATCH, CAUSE_DNS_DKIM_WEAK,
            CAUSE_DNS_FAILURE),
     .stages = AT_THE_END,
     .programs = MILTER,
     .directions = OUT,
     .needs = NEED_OUTLOOK,
     .run = check_dkim},
    {.name = "spf",
     CAUSES(CAUSE_DNS_SPF_MISSING, CAUSE_DNS_SPF_FAIL, CAUSE_DNS_SPF_BROKEN, CAUSE_DNS_FAILURE),
     .stages = AT_THE_END,
     .programs = MILTER,
     .directions = OUT,
     .needs = NEED_OUTLOOK,
     .run = check_spf},
    {.name = "dmarc",
     CAUSES(CAUSE_DNS_DMARC_MISSING, CAUSE_DNS_DMARC_BROKEN, CAUSE_DNS_UNALIGNED,
            CAUSE_DNS_FAILURE),
     .stages = AT_THE_END,
     .programs = MILTER,
     .directions = OUT,
     .needs = NEED_OUTLOOK,
     .run = check_dmarc},
    {.name = "mx",
     CAUSES(CAUSE_DNS_MX_BROKEN),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_RECIPIENT_MX,
     .run = check_mx},
    {.name = "standing",
     CAUSES(CAUSE_REPUTATION_IP_LISTED, CAUSE_DNS_PTR),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .run = check_standing},
    {.name = "listings",
     CAUSES(CAUSE_REPUTATION_DOMAIN_LISTED),
     .stages = 1u << STAGE_END_OF_MESSAGE,
     .programs = PROGRAM_MILTER,
     .directions = OUT,
     .needs = NEED_LISTINGS,
     .run = check_listings},
    {.name = "size",
     CAUSES(CAUSE_CONTENT_SIZE),
     .stages = AT_ANY,
     .programs = BOTH,
     .directions = IN | OUT,
     .run = check_size},
    {.name = "attachment-size",
     CAUSES(CAUSE_CONTENT_ATTACHMENT_SIZE),
     .stages = 1u << STAGE_END_OF_MESSAGE,
     .programs = MILTER,
     .directions = OUT,
     .run = check_attachment_size},
    {.name = "attachment-type",
     CAUSES(CAUSE_CONTENT_ATTACHMENT_TYPE),
     .stages = 1u << STAGE_END_OF_MESSAGE,
     .programs = MILTER,
     .directions = OUT,
     .run = check_attachment_type},
    {.name = "links",
     CAUSES(CAUSE_CONTENT_LINKS),
     .stages = 1u << STAGE_END_OF_MESSAGE,
     .programs = MILTER,
     .directions = OUT,
     .run = check_links},
    {.name = "bulk-headers",
     CAUSES(CAUSE_CONTENT_BULK_HEADERS),
     .stages = 1u << STAGE_END_OF_MESSAGE,
     .programs = MILTER,
     .directions = OUT,
     .run = check_bulk_headers},
    {.name = "spam-score",
     CAUSES(CAUSE_CONTENT_SPAM_SCORE),
     .stages = 1u << STAGE_END_OF_MESSAGE,
     .programs = MILTER,
     .directions = OUT,
     .run = check_spam_score},
    {.name = "malformed",
     CAUSES(CAUSE_CONTENT_MALFORMED),
     .stages = 1u << STAGE_END_OF_MESSAGE,
     .programs = MILTER,
     .directions = OUT,
     .run = check_malformed},
    {.name = "headers",
     CAUSES(CAUSE_CONFIG_HEADERS),
     .stages = 1u << STAGE_END_OF_MESSAGE,
     .programs = MILTER,
     .directions = OUT,
     .run = check_headers},
    {.name = "limits",
     CAUSES(CAUSE_LIMIT_MESSAGES, CAUSE_LIMIT_RECIPIENTS, CAUSE_LIMIT_EXTERNAL_RECIPIENTS,
            CAUSE_LIMIT_BYTES, CAUSE_LIMIT_MESSAGE_RECIPIENTS, CAUSE_LIMIT_WARMUP,
            CAUSE_LIMIT_NEAR),
     .stages = AT_RCPT | AT_END,
     .programs = BOTH,
     .directions = OUT,
     .needs = NEED_LIMITS,
     .run = check_limits},
};
const size_t checks_count = COUNT_OF(checks);

static bool applies(const struct check *check, const struct message *message)
{
    return (check->stages & 1u << message->stage) &&
           (check->programs & (unsigned)message->program) &&
           (check->directions & 1u << message->direction);
}

/* What is configured away is not worth a lookup.  The limits are always worth one: what they count
 * is a fact that `sluicectl limits` shows, whatever is done about it. */
static bool all_ignored(const struct conf *conf, const struct check *check)
{
    if (check->needs & NEED_LIMITS)
        return false;
    for (size_t i = 0; i < check->ncauses; i++)
        if (verdict_configured(conf, cause_get(check->causes[i]), -1) != ACTION_IGNORE)
            return false;
    return true;
}

unsigned checks_needs(const struct conf *conf, const struct message *message)
{
    unsigned needs = 0;

    for (size_t i = 0; i < checks_count; i++)
        if (checks[i].needs & ~needs && applies(&checks[i], message) &&
            !all_ignored(conf, &checks[i]))
            needs |= checks[i].needs;
    return needs;
}

void checks_run(const struct conf *conf, struct message *message)
{
    findings_clear(&message->findings);
    for (size_t i = 0; i < checks_count; i++)
        if (applies(&checks[i], message))
            checks[i].run(conf, message);
}

size_t checks_first_recipient(const struct message *message)
{
    return message->stage == STAGE_RCPT && message->nrecipients > 0 ? message->nrecipients - 1 : 0;
}
