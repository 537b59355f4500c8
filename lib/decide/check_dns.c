/* SPDX-License-Identifier: BSD-2-Clause */
/* dns.*: whether the domains of the envelope exist and can take mail. */
#include "lib/base/mem.h"
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/checks.h"
#include "lib/decide/dns_failure.h"

#include <stdlib.h>

static void failure(struct message *message, const char *domain,
                    const struct mail_domain_fact *fact, long recipient)
{
    char *sentence = mem_print(
        "The domain %s could not be looked up at the moment. Please try again later.", domain);

    dns_failure_add(message,
                    &(struct dns_failure){.domain = domain,
                                          .type = "MX",
                                          .name = domain,
                                          .problem = fact->problem ? fact->problem : "no answer",
                                          .for_people = sentence,
                                          .recipient = recipient});
    free(sentence);
}

static void advise_no_mail(const struct conf *conf, struct finding *finding, const char *domain,
                           bool null_mx)
{
    const char *place = null_mx ? " in place of its null MX" : "";

    if (conf_is_local_domain(conf, domain))
        finding_hint(finding, "publish \"%s. MX 10 %s.\"%s, or the host that takes its mail",
                     domain, conf->hostname, place);
    else
        finding_hint(finding,
                     "tell who runs %s to publish the host that takes its mail (\"%s. MX 10 ...\")"
                     "%s; if it is yours, add it to local-domains",
                     domain, domain, place);
}

void check_sender_domain(const struct conf *conf, struct message *message)
{
    const char *domain = message->sender.domain;
    const struct mail_domain_fact *fact = &message->facts.sender_domain;
    struct finding *finding;

    switch (fact->state) {
    case MAIL_DOMAIN_ABSENT:
        finding = findings_add(&message->findings, cause_get(CAUSE_DNS_SENDER_DOMAIN));
        finding_field(finding, "from", "%s", message->sender.text);
        finding_field(finding, "domain", "%s", domain);
        finding_sentence(
            finding,
            "The domain of the sender address %s does not exist. Please check its spelling.",
            message->sender.text);
        finding_hint(finding,
                     "if %s is yours, renew its registration or repair its delegation; else "
                     "correct the sender address",
                     domain);
        break;
    case MAIL_DOMAIN_NULL_MX:
    case MAIL_DOMAIN_NO_MAIL:
        finding = findings_add(&message->findings, cause_get(CAUSE_DNS_SENDER_NO_MAIL));
        finding_field(finding, "from", "%s", message->sender.text);
        finding_field(finding, "domain", "%s", domain);
        finding_sentence(
            finding, "No reply can reach the sender address %s, because its domain takes no mail.",
            message->sender.text);
        advise_no_mail(conf, finding, domain, fact->state == MAIL_DOMAIN_NULL_MX);
        break;
    case MAIL_DOMAIN_FAILED:
        failure(message, domain, fact, -1);
        break;
    case MAIL_DOMAIN_UNASKED:
    case MAIL_DOMAIN_MX:
    case MAIL_DOMAIN_ADDRESS:
        break;
    }
}

static void recipient_absent(struct message *message, const struct recipient *recipient, long index)
{
    struct finding *finding =
        findings_add(&message->findings, cause_get(CAUSE_DNS_RECIPIENT_DOMAIN));

    if (!finding)
        return;
    finding->recipient = index;
    finding_field(finding, "rcpt", "%s", recipient->address.text);
    finding_field(finding, "domain", "%s", recipient->address.domain);
    finding_sentence(
        finding,
        "The domain of the recipient address %s does not exist. Please check its spelling.",
        recipient->address.text);
    finding_hint(finding, "%s has no DNS records: correct the address", recipient->address.domain);
}

/* A null MX says so on purpose (RFC 7505 §4.1: 556 5.1.10); a domain that merely has nowhere to
 * send to is a bad destination address (RFC 3463 §3.2: 5.1.2). */
static void recipient_no_mail(struct message *message, const struct recipient *recipient,
                              long index)
{
    struct finding *finding =
        findings_add(&message->findings, cause_get(CAUSE_DNS_RECIPIENT_NO_MAIL));
    bool null_mx = recipient->domain.state == MAIL_DOMAIN_NULL_MX;

    if (!finding)
        return;
    finding->recipient = index;
    finding_field(finding, "rcpt", "%s", recipient->address.text);
    finding_field(finding, "domain", "%s", recipient->address.domain);
    finding_field(finding, "record", "%s", null_mx ? "MX 0 ." : "no MX, A or AAAA");
    if (!null_mx) {
        finding->reply_code = 550;
        finding->enhanced = mem_copy("5.1.2");
    }
    finding_sentence(finding,
                     null_mx ? "The domain of the recipient address %s takes no mail at all."
                             : "The domain of the recipient address %s has no mail server.",
                     recipient->address.text);
    finding_hint(finding, "correct the address, or ask the owner of %s for one that takes mail",
                 recipient->address.domain);
}

void check_recipient_domains(const struct conf *conf, struct message *message)
{
    (void)conf;
    for (size_t i = checks_first_recipient(message); i < message->nrecipients; i++) {
        const struct recipient *recipient = &message->recipients[i];

        switch (recipient->domain.state) {
        case MAIL_DOMAIN_ABSENT:
            recipient_absent(message, recipient, (long)i);
            break;
        case MAIL_DOMAIN_NULL_MX:
        case MAIL_DOMAIN_NO_MAIL:
            recipient_no_mail(message, recipient, (long)i);
            break;
        case MAIL_DOMAIN_FAILED:
            failure(message, recipient->address.domain, &recipient->domain, (long)i);
            break;
        case MAIL_DOMAIN_UNASKED:
        case MAIL_DOMAIN_MX:
        case MAIL_DOMAIN_ADDRESS:
            break;
        }
    }
}
