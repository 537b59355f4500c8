/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/mx.h"

#include "lib/base/mem.h"

#include <stdint.h>

/* An address in internal-networks is one of ours, and reached from here; loopback never is. */
static bool is_reachable(const struct conf *conf, const struct ip_address *address)
{
    return ip_local_kind(address) == NULL ||
           (!ip_is_loopback(address) && conf_is_internal(conf, address));
}

static bool find_local(const struct conf *conf, const struct dns_answer *answer,
                       struct ip_address *address_r)
{
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++) {
        if (is_reachable(conf, &answer->records[i].address))
            continue;
        *address_r = answer->records[i].address;
        return true;
    }
    return false;
}

/* RFC 5321 section 5.1, RFC 2181 section 10.3, RFC 7505 section 3.  false: pending. */
static bool look_at_host(const struct lookup *lookup, const struct conf *conf,
                         const struct dns_record *mx, bool alone, struct mx_flaw *flaw_r)
{
    const struct dns_answer *v4, *v6;

    *flaw_r = (struct mx_flaw){.problem = MX_FINE, .preference = mx->preference};
    if (mx->length == 0) {
        flaw_r->problem = alone ? MX_FINE : MX_NULL_BESIDE;
        return true;
    }
    if (mx->text[0] == '[' || ip_parse(mx->text, &flaw_r->address)) {
        flaw_r->problem = MX_LITERAL;
        return true;
    }
    if (!lookup_is_name(mx->text))
        return true;
    v4 = lookup_find(lookup, mx->text, DNS_A);
    v6 = lookup_find(lookup, mx->text, DNS_AAAA);
    if (v4 == NULL || v6 == NULL)
        return false;
    if (v4->alias || v6->alias)
        flaw_r->problem = MX_ALIAS;
    else if (find_local(conf, v4, &flaw_r->address) || find_local(conf, v6, &flaw_r->address))
        flaw_r->problem = MX_LOCAL;
    else if (lookup_is_void(v4) && lookup_is_void(v6))
        flaw_r->problem = MX_NOWHERE;
    return true;
}

/* RFC 5321 section 5.1: where there is no MX, the domain's own addresses are used.  false: pending.
 */
static bool look_at_domain(const struct lookup *lookup, const struct conf *conf, const char *domain,
                           struct mx_flaw *flaw_r)
{
    const struct dns_answer *v4 = lookup_find(lookup, domain, DNS_A);
    const struct dns_answer *v6 = lookup_find(lookup, domain, DNS_AAAA);

    *flaw_r = (struct mx_flaw){.problem = MX_FINE, .implicit = true};
    if (v4 == NULL || v6 == NULL)
        return false;
    if (find_local(conf, v4, &flaw_r->address) || find_local(conf, v6, &flaw_r->address))
        flaw_r->problem = MX_LOCAL;
    return true;
}

/* flaws_r borrow their hosts.  false: pending. */
static bool look_at_all(const struct lookup *lookup, const struct conf *conf, const char *domain,
                        const struct dns_answer *mx, struct mx_flaw flaws_r[MX_FLAWS_MAX],
                        size_t *count_r)
{
    bool known = true;

    *count_r = 0;
    if (mx->status == DNS_NO_DATA) {
        known = look_at_domain(lookup, conf, domain, flaws_r);
        flaws_r->host = (char *)(uintptr_t)domain;
        *count_r = flaws_r->problem != MX_FINE;
        return known;
    }
    for (size_t i = 0; mx->status == DNS_FOUND && i < mx->count && i < MX_FLAWS_MAX; i++) {
        struct mx_flaw *flaw = &flaws_r[*count_r];

        /* all are asked for at once, so a pending one does not end the loop */
        if (!look_at_host(lookup, conf, &mx->records[i], mx->count == 1, flaw)) {
            known = false;
        } else if (flaw->problem != MX_FINE) {
            flaw->host = mx->records[i].text;
            ++*count_r;
        }
    }
    return known;
}

bool mx_look(const struct lookup *lookup, const struct conf *conf, const char *domain,
             struct mx_flaw flaws_r[MX_FLAWS_MAX], size_t *nflaws_r)
{
    const struct dns_answer *mx = lookup_find(lookup, domain, DNS_MX);
    struct mx_flaw flaws[MX_FLAWS_MAX];
    size_t count;

    if (mx == NULL || !look_at_all(lookup, conf, domain, mx, flaws, &count))
        return false;
    for (size_t i = 0; i < count; i++) {
        flaws_r[i] = flaws[i];
        flaws_r[i].host = mem_copy(flaws[i].host);
    }
    *nflaws_r = count;
    return true;
}

char *mx_flaw_record(const struct mx_flaw *flaw)
{
    char address[IP_TEXT_MAX];

    if (!flaw->implicit)
        return mem_print("MX %u %s.", flaw->preference, flaw->host);
    ip_format(&flaw->address, address);
    return mem_print("%s %s", flaw->address.family == 6 ? "AAAA" : "A", address);
}

char *mx_flaw_words(const struct mx_flaw *flaw)
{
    char address[IP_TEXT_MAX];

    ip_format(&flaw->address, address);
    switch (flaw->problem) {
    case MX_LITERAL:
        return mem_copy("is an address, where a host name has to be");
    case MX_ALIAS:
        return mem_copy("is an alias (CNAME)");
    case MX_LOCAL:
        return mem_print("has the %s address %s", ip_local_kind(&flaw->address), address);
    case MX_NOWHERE:
        return mem_copy("has no address");
    case MX_NULL_BESIDE:
        return mem_copy("says that the domain takes no mail, beside others that take it");
    case MX_FINE:
        break;
    }
    return mem_copy("is right");
}
