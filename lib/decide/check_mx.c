/* SPDX-License-Identifier: BSD-2-Clause */
/* dns.mx-broken: what domains announce as their mail servers. */
#include "lib/auth/mx.h"
#include "lib/base/mem.h"
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/checks.h"

#include <stdlib.h>

/* What to publish, for who runs the domain. */
static char *repair(const struct conf *conf, const char *domain, const struct mx_flaw *flaw)
{
    const bool ours = conf_is_local_domain(conf, domain);

    if (flaw->implicit || (ours && flaw->problem == MX_LITERAL))
        return mem_print("publish \"%s. MX 10 %s.\", or the host that takes its mail", domain,
                         ours ? conf->hostname : "..");
    switch (flaw->problem) {
    case MX_LITERAL:
        return mem_copy("publish the name of the host with that address in its place");
    case MX_ALIAS:
        return mem_print("publish the name that the alias leads to in its place (dig %s shows it)",
                         flaw->host);
    case MX_LOCAL:
        return mem_print("publish an address of %s that can be reached from everywhere",
                         flaw->host);
    case MX_NOWHERE:
        return mem_print("publish an A or AAAA record of %s, or take the MX record out",
                         flaw->host);
    case MX_NULL_BESIDE:
        return mem_copy("take it out, or all the others if the domain is to take no mail");
    case MX_FINE:
        break;
    }
    return mem_copy("nothing to do");
}

static void hint(const struct conf *conf, struct finding *finding, const char *domain,
                 const struct mx_flaw *flaw, const char *record, const char *words)
{
    char *what = repair(conf, domain, flaw);

    if (conf_is_local_domain(conf, domain))
        finding_hint(finding, "\"%s. %s\" %s: %s", domain, record, words, what);
    else
        finding_hint(finding, "tell postmaster@%s by another way that \"%s. %s\" %s: %s", domain,
                     domain, record, words, what);
    free(what);
}

void find_broken_mx(const struct conf *conf, struct message *message, const char *domain,
                    long recipient, const struct mx_flaw *flaw)
{
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_DNS_MX_BROKEN));
    char *words = mx_flaw_words(flaw), *record = mx_flaw_record(flaw);

    if (finding != NULL)
        finding->recipient = recipient;
    if (recipient >= 0)
        finding_field(finding, "rcpt", "%s", message->recipients[recipient].address.text);
    finding_field(finding, "domain", "%s", domain);
    finding_field(finding, "record", "%s", record);
    finding_field(finding, "problem", "%s", words);
    finding_sentence(finding,
                     "The mail server of %s is announced wrongly (%s %s), so your message may not "
                     "arrive there. Please tell the people at %s in another way.",
                     domain, flaw->host[0] != '\0' ? flaw->host : "\".\"", words, domain);
    hint(conf, finding, domain, flaw, record, words);
    free(record);
    free(words);
}

void check_mx(const struct conf *conf, struct message *message)
{
    for (size_t i = checks_first_recipient(message); i < message->nrecipients; i++) {
        const struct recipient *recipient = &message->recipients[i];

        for (size_t j = 0; j < recipient->domain.nflaws; j++)
            find_broken_mx(conf, message, recipient->address.domain, (long)i,
                           &recipient->domain.flaws[j]);
    }
}
