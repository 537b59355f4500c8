/* SPDX-License-Identifier: BSD-2-Clause */
/* dns.mx-broken: what the recipients' domains announce as their mail servers. */
#include "lib/auth/mx.h"
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/checks.h"

#include <stdlib.h>

static void broken(struct message *message, const struct recipient *recipient, long index,
                   const struct mx_flaw *flaw)
{
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_DNS_MX_BROKEN));
    const char *domain = recipient->address.domain;
    char *words = mx_flaw_words(flaw);

    if (finding != NULL)
        finding->recipient = index;
    finding_field(finding, "rcpt", "%s", recipient->address.text);
    finding_field(finding, "domain", "%s", domain);
    finding_field(finding, "record", "MX %u %s.", flaw->preference, flaw->host);
    finding_field(finding, "problem", "%s", words);
    finding_sentence(finding,
                     "The mail server of %s is announced wrongly (%s %s), so your message may not "
                     "arrive there. Please tell the people at %s in another way.",
                     domain, flaw->host[0] != '\0' ? flaw->host : "\".\"", words, domain);
    finding_hint(finding,
                 "tell postmaster@%s by another way that \"%s. MX %u %s.\" %s: it has to name a "
                 "host with A or AAAA records that can be reached from everywhere",
                 domain, domain, flaw->preference, flaw->host, words);
    free(words);
}

void check_mx(const struct conf *conf, struct message *message)
{
    (void)conf;
    for (size_t i = checks_first_recipient(message); i < message->nrecipients; i++) {
        const struct recipient *recipient = &message->recipients[i];

        for (size_t j = 0; j < recipient->domain.nflaws; j++)
            broken(message, recipient, (long)i, &recipient->domain.flaws[j]);
    }
}
