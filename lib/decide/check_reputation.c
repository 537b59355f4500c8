/* SPDX-License-Identifier: BSD-2-Clause */
/* reputation.* and dns.ptr: what receivers have against our addresses, and the message's domains.
 */
#include "lib/auth/standing.h"
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"

#include <string.h>

static void address_listed(struct message *message, const char *ip, const char *zone,
                           const struct listing *listing)
{
    struct finding *finding =
        findings_add(&message->findings, cause_get(CAUSE_REPUTATION_IP_LISTED));

    finding_field(finding, "ip", "%s", ip);
    finding_field(finding, "list", "%s", zone);
    finding_field(finding, "code", "%s", listing->code);
    if (listing->text != NULL)
        finding_field(finding, "text", "%s", listing->text);
    finding_sentence(finding,
                     "The address %s of our mail server is on the blocklist %s, so other mail "
                     "servers may refuse your message. Please tell your mail administrator.",
                     ip, zone);
    finding_hint(
        finding,
        "find who sends spam through %s (sluicectl top shows who sends most) and stop them "
        "(sluicectl suspend LOGIN --reason abuse), then ask for removal from %s, which "
        "says: %s",
        ip, zone, listing->text != NULL ? listing->text : "nothing");
}

static const char *ptr_problem(const struct ptr *ptr)
{
    return ptr->state == PTR_MISSING ? "there is no PTR record"
           : ptr->leads_to != NULL   ? "the name has another address"
                                     : "the name has no address";
}

static void bad_ptr(const struct conf *conf, struct message *message, const char *ip,
                    const struct ptr *ptr)
{
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_DNS_PTR));
    const char *type = strchr(ip, ':') != NULL ? "AAAA" : "A";

    finding_field(finding, "ip", "%s", ip);
    if (ptr->name != NULL)
        finding_field(finding, "ptr", "%s", ptr->name);
    if (ptr->leads_to != NULL)
        finding_field(finding, "leads-to", "%s", ptr->leads_to);
    finding_field(finding, "problem", "%s", ptr_problem(ptr));
    finding_sentence(finding,
                     "The address %s of our mail server has no valid reverse name, so other mail "
                     "servers may refuse your message. Please tell your mail administrator.",
                     ip);
    if (ptr->state == PTR_MISSING)
        finding_hint(finding,
                     "have whoever gave you %s publish \"%s. PTR %s.\", and see that \"%s. %s %s\" "
                     "is there",
                     ip, ptr->reverse, conf->hostname, conf->hostname, type, ip);
    else
        finding_hint(finding,
                     "publish \"%s. %s %s\"%s%s, or have the PTR record \"%s.\" changed to a name "
                     "that leads to %s",
                     ptr->name, type, ip, ptr->leads_to != NULL ? " beside " : "",
                     ptr->leads_to != NULL ? ptr->leads_to : "", ptr->reverse, ip);
}

void check_standing(const struct conf *conf, struct message *message)
{
    const struct standing_view *view = message->facts.standing;

    /* it is about the message, which the milter will see to its end */
    if (message->program == PROGRAM_MILTER && message->stage == STAGE_RCPT)
        return;
    for (size_t i = 0; view != NULL && i < view->naddresses; i++) {
        const struct standing_address *address = &view->addresses[i];
        char ip[IP_TEXT_MAX];

        ip_format(&address->address, ip);
        for (size_t j = 0; j < view->nlists; j++)
            if (address->listings[j].state == LISTING_YES)
                address_listed(message, ip, view->lists[j].list->zone, &address->listings[j]);
        if (message->program == PROGRAM_MILTER &&
            (address->ptr.state == PTR_MISSING || address->ptr.state == PTR_NOT_BACK))
            bad_ptr(conf, message, ip, &address->ptr);
    }
}

static void domain_listed(struct message *message, const struct listing_fact *fact)
{
    struct finding *finding =
        findings_add(&message->findings, cause_get(CAUSE_REPUTATION_DOMAIN_LISTED));
    const bool link = strcmp(fact->in, "link") == 0;

    finding_field(finding, "domain", "%s", fact->domain);
    finding_field(finding, "in", "%s", fact->in);
    finding_field(finding, "list", "%s", fact->list);
    finding_field(finding, "code", "%s", fact->code);
    if (fact->text != NULL)
        finding_field(finding, "text", "%s", fact->text);
    finding_sentence(finding,
                     "The domain %s, %s, is on the blocklist %s, so other mail servers may refuse "
                     "the message.",
                     fact->domain, link ? "which the message links to" : "of your From address",
                     fact->list);
    if (link)
        finding_hint(finding, "remove the link to %s; if it is yours, ask %s for removal: %s",
                     fact->domain, fact->list, fact->text != NULL ? fact->text : "it says no more");
    else
        finding_hint(finding,
                     "look for spam in the name of %s and for hacked pages on it, then ask %s for "
                     "removal: %s",
                     fact->domain, fact->list, fact->text != NULL ? fact->text : "it says no more");
}

void check_listings(const struct conf *conf, struct message *message)
{
    (void)conf;
    for (size_t i = 0; i < message->facts.nlistings; i++)
        domain_listed(message, &message->facts.listings[i]);
}
