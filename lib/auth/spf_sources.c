/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/spf_sources.h"

#include "lib/auth/spf.h"
#include "lib/auth/spf_record.h"
#include "lib/base/count.h"

#include <stdlib.h>
#include <string.h>

struct listing {
    const struct lookup *lookup;
    struct ip_address *addresses;
    size_t count;
    unsigned lookups;
    bool pending;
    bool failed;
};

static void list_record(struct listing *listing, const char *domain);

static void add(struct listing *listing, const struct ip_address *address)
{
    for (size_t i = 0; i < listing->count; i++)
        if (memcmp(&listing->addresses[i], address, sizeof(*address)) == 0)
            return;
    if (listing->count < SPF_SOURCES_MAX)
        listing->addresses[listing->count++] = *address;
}

/* NULL: pending, failed, or over the limit of lookups. */
static const struct dns_answer *ask(struct listing *listing, const char *name, enum dns_type type)
{
    const struct dns_answer *answer;

    if (!lookup_is_name(name))
        return NULL;
    answer = lookup_find(listing->lookup, name, type);
    listing->pending = listing->pending || answer == NULL;
    if (answer != NULL && lookup_failed(answer)) {
        listing->failed = true;
        return NULL;
    }
    return answer != NULL && answer->status == DNS_FOUND ? answer : NULL;
}

static void list_host(struct listing *listing, const char *name)
{
    static const enum dns_type types[] = {DNS_A, DNS_AAAA};

    for (size_t t = 0; t < COUNT_OF(types); t++) {
        const struct dns_answer *answer = ask(listing, name, types[t]);

        for (size_t i = 0; answer != NULL && i < answer->count; i++)
            add(listing, &answer->records[i].address);
    }
}

static void list_exchangers(struct listing *listing, const char *name)
{
    const struct dns_answer *answer = ask(listing, name, DNS_MX);

    for (size_t i = 0; answer != NULL && i < answer->count && i < SPF_MX_MAX; i++)
        list_host(listing, answer->records[i].text);
}

/* A host's address, not the network's own. */
static void list_network(struct listing *listing, const struct ip_network *network)
{
    struct ip_address address = network->address;
    const unsigned bits = address.family == 4 ? 32 : 128;

    if (network->prefix < bits)
        address.bytes[bits / 8 - 1] |= 1;
    add(listing, &address);
}

static bool is_plain(const char *target)
{
    return target == NULL || strchr(target, '%') == NULL;
}

static void list_term(struct listing *listing, const struct spf_term *term, const char *domain)
{
    const char *name = term->target != NULL ? term->target : domain;

    if (term->qualifier != '+' || !is_plain(term->target))
        return;
    switch (term->mechanism) {
    case SPF_IP4:
    case SPF_IP6:
        list_network(listing, &term->network);
        break;
    case SPF_A:
        list_host(listing, name);
        break;
    case SPF_MX:
        list_exchangers(listing, name);
        break;
    case SPF_INCLUDE:
        list_record(listing, name);
        break;
    case SPF_ALL:
    case SPF_PTR:
    case SPF_EXISTS:
        break;
    }
}

/* The only SPF record, or NULL. */
static const struct dns_record *only_record(const struct dns_answer *answer)
{
    const struct dns_record *only = NULL;

    for (size_t i = 0; answer != NULL && i < answer->count; i++) {
        if (!spf_record_is(answer->records[i].text, answer->records[i].length))
            continue;
        if (only != NULL)
            return NULL;
        only = &answer->records[i];
    }
    return only;
}

static void list_record(struct listing *listing, const char *domain)
{
    const struct dns_record *text;
    struct spf_record record;
    char *problem = NULL;

    if (++listing->lookups > SPF_LOOKUPS_MAX)
        return;
    text = only_record(ask(listing, domain, DNS_TXT));
    if (text == NULL)
        return;
    if (!spf_record_parse(text->text, text->length, &record, &problem)) {
        free(problem);
        return;
    }
    for (size_t t = 0; t < record.count; t++)
        list_term(listing, &record.terms[t], domain);
    if (record.redirect != NULL && is_plain(record.redirect))
        list_record(listing, record.redirect);
    spf_record_clear(&record);
}

bool spf_sources(const struct lookup *lookup, const char *domain,
                 struct ip_address addresses_r[SPF_SOURCES_MAX], size_t *count_r, bool *failed_r)
{
    struct listing listing = {.lookup = lookup, .addresses = addresses_r};

    list_record(&listing, domain);
    *count_r = listing.count;
    *failed_r = listing.failed;
    return !listing.pending;
}
