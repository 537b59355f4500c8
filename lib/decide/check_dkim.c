/* SPDX-License-Identifier: BSD-2-Clause */
/* dns.dkim-*: whether receivers will find the key that a message is signed with. */
#include "lib/auth/key.h"
#include "lib/auth/outlook.h"
#include "lib/auth/sign.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/decide/dns_failure.h"
#include "lib/decide/foresight.h"

#include <stdlib.h>
#include <string.h>

#define RECORD_SHOWN 300 /* octets of a record in a line of the log */
#define WANTED_SHOWN 500 /* ... that is to be published: a key of 2048 bits and more */

static struct finding *find(struct message *message, enum cause_id cause,
                            const struct outlook_key *key)
{
    struct finding *finding = findings_add(&message->findings, cause_get(cause));

    finding_field(finding, "domain", "%s", key->domain);
    finding_field(finding, "selector", "%s", key->selector);
    return finding;
}

/* What is to be published where, to end a hint with. */
static char *to_publish(const struct outlook_key *key)
{
    if (strlen(key->wanted) <= WANTED_SHOWN)
        return mem_print("a TXT record at %s._domainkey.%s: \"%s\"", key->selector, key->domain,
                         key->wanted);
    return mem_print("the record of %s._domainkey.%s that \"sluicectl check dns %s\" prints",
                     key->selector, key->domain, key->domain);
}

static void find_absent(struct message *message, const struct outlook_key *key)
{
    struct finding *finding = find(message, CAUSE_DNS_DKIM_MISSING, key);
    char *publish = to_publish(key);

    finding_field(finding, "problem", "nothing is published for the selector");
    finding_sentence(finding,
                     "Nobody can check the signature of %s, since its key is not published; the "
                     "message may end up as spam.",
                     key->domain);
    finding_hint(finding, "publish %s", publish);
    free(publish);
}

static void find_mismatch(struct message *message, const struct outlook_key *key,
                          const char *problem)
{
    struct finding *finding = find(message, CAUSE_DNS_DKIM_MISMATCH, key);
    char *publish = to_publish(key);

    finding_field(finding, "problem", "%s", problem);
    if (key->own.state != OWN_KEY_MATCHES && key->own.record != NULL)
        finding_field(finding, "record", "%.*s", RECORD_SHOWN, key->own.record);
    finding_sentence(finding,
                     "The message's signature does not match the key that %s has published; it may "
                     "be refused elsewhere.",
                     key->domain);
    if (key->own.state == OWN_KEY_MATCHES)
        finding_hint(finding, "take t=y out of the record at %s._domainkey.%s", key->selector,
                     key->domain);
    else if (key->own.state == OWN_KEY_REVOKED)
        finding_hint(finding,
                     "make a new key under a new selector: sluicectl keygen %s; %s is revoked",
                     key->domain, key->selector);
    else
        finding_hint(finding, "publish %s; or configure the key that belongs to what is published",
                     publish);
    free(publish);
}

static void find_weak(struct message *message, const char *domain, const char *selector,
                      unsigned bits)
{
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_DNS_DKIM_WEAK));

    finding_field(finding, "domain", "%s", domain);
    finding_field(finding, "selector", "%s", selector);
    finding_field(finding, "bits", "%u", bits);
    finding_sentence(
        finding, "The signature of %s has only %u bits; other mail servers want %d to trust it.",
        domain, bits, KEY_BITS_GOOD);
    finding_hint(finding,
                 "make an RSA key of %d bits under a new selector: sluicectl keygen %s; retire %s",
                 KEY_BITS_GOOD, domain, selector);
}

static void find_failure(struct message *message, const struct outlook_key *key)
{
    char *name = mem_print("%s._domainkey.%s", key->selector, key->domain);

    dns_failure_add(
        message,
        &(struct dns_failure){.domain = key->domain,
                              .type = "TXT",
                              .name = name,
                              .problem = key->own.problem != NULL ? key->own.problem : "no answer",
                              .recipient = -1});
    free(name);
}

static void check_key(struct message *message, const struct outlook_key *key)
{
    switch (key->own.state) {
    case OWN_KEY_ABSENT:
        find_absent(message, key);
        break;
    case OWN_KEY_DIFFERS:
        find_mismatch(message, key, "the published key is another one");
        break;
    case OWN_KEY_REVOKED:
        find_mismatch(message, key, "the published key is revoked");
        break;
    case OWN_KEY_UNUSABLE:
        find_mismatch(message, key,
                      key->own.problem != NULL ? key->own.problem : "the record cannot be used");
        break;
    case OWN_KEY_FAILED:
        find_failure(message, key);
        break;
    case OWN_KEY_MATCHES:
        if (key->own.testing)
            find_mismatch(message, key, "the published key is in test mode (t=y)");
        break;
    }
    if (key->rsa && key->bits < KEY_BITS_GOOD)
        find_weak(message, key->domain, key->selector, key->bits);
}

/* A bounce of our own is from the host's name, for which few have a key.  It has no envelope
 * sender, so that receivers look at the SPF of the host's name in its place (RFC 7208 section 2.4):
 * Gmail and the others, which want one of the two, take that. */
static bool is_own_bounce(const struct conf *conf, const struct message *message,
                          const struct outlook *outlook)
{
    const char *domain = outlook->from_domain;

    return address_is_null(&message->sender) && message->user[0] == '\0' &&
           (text_equal_case(domain, conf->hostname) ||
            (outlook->helo != NULL && text_equal_case(domain, outlook->helo)));
}

static void advise_bounce(struct finding *finding, const struct outlook *outlook)
{
    const char *domain = outlook->from_domain;

    finding->action_asked = (int)ACTION_LOG;
    if (outlook->spf_status == SPF_PASS && outlook->dmarc.spf_aligned)
        finding_hint(finding,
                     "nothing has to be done: SPF of %s passes, which Gmail and others take for a "
                     "bounce; for a signature as well, make a key with \"sluicectl keygen %s\"",
                     domain, domain);
    else
        finding_hint(finding,
                     "publish the SPF record of %s that the dns.spf line of this message names, or "
                     "make a key with \"sluicectl keygen %s\": Gmail refuses bounces that have "
                     "neither",
                     domain, domain);
}

/* A program of the sender's own may have signed for the domain. */
static void find_no_key(const struct conf *conf, struct message *message,
                        const struct outlook *outlook)
{
    struct finding *finding;
    const char *domain = outlook->from_domain;

    const char *reason = message->facts.unsigned_reason;
    const bool waits = reason != NULL && strcmp(reason, SIGN_NOT_VISIBLE) == 0;

    if (domain == NULL || outlook->dmarc.dkim_aligned || reason == NULL ||
        (strcmp(reason, SIGN_NO_KEY) != 0 && !waits))
        return;
    finding = findings_add(&message->findings, cause_get(CAUSE_DNS_DKIM_MISSING));
    foresight_spare_list(conf, message, domain, finding);
    finding_field(finding, "domain", "%s", domain);
    finding_field(finding, "problem", "%s",
                  waits ? "the record of its new key has not been visible for its TTL yet"
                        : "no signing key is configured for the domain");
    finding_sentence(
        finding, "The message cannot be given a signature of %s; it may end up as spam.", domain);
    if (waits)
        finding_hint(finding,
                     "publish what \"sluicectl check dns %s\" prints, and keep the old key "
                     "active until the log says event=key-state state=active of the new one",
                     domain);
    else if (finding != NULL && is_own_bounce(conf, message, outlook))
        advise_bounce(finding, outlook);
    else if (conf_is_local_domain(conf, domain))
        finding_hint(finding,
                     "make a key with \"sluicectl keygen %s\", publish its record, and add the "
                     "sign section that it prints",
                     domain);
    else
        finding_hint(finding,
                     "%s is not in local-domains: use a From address of a domain that we sign "
                     "for, or add a sign section for it",
                     domain);
}

void check_dkim(const struct conf *conf, struct message *message)
{
    const struct outlook *outlook = message->facts.outlook;

    if (outlook == NULL)
        return;
    for (size_t i = 0; i < outlook->nkeys; i++)
        check_key(message, &outlook->keys[i]);
    find_no_key(conf, message, outlook);
}
