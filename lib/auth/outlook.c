/* SPDX-License-Identifier: BSD-2-Clause */
/* Making an outlook from DNS answers. */
#include "lib/auth/outlook.h"

#include "lib/auth/key_make.h"
#include "lib/auth/spf_advice.h"
#include "lib/auth/spf_record.h"
#include "lib/auth/spf_sources.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_US INT64_C(1000000)

struct outlook_making {
    const struct outlook_query *query;
    struct outlook *outlook;
    const struct lookup *lookup; /* of this run */
    bool has_sources;
    bool *spf_done, *key_done; /* as outlook->spf and ->keys */
    bool done;
};

/* --- life ----------------------------------------------------------------------------- */

struct outlook *outlook_hold(struct outlook *outlook)
{
    atomic_fetch_add(&outlook->references, 1);
    return outlook;
}

static void clear_spf(struct outlook *outlook)
{
    for (size_t i = 0; i < outlook->nsources; i++) {
        free(outlook->sources[i].relay);
        free(outlook->sources[i].term);
    }
    for (size_t i = 0; i < outlook->nspf; i++)
        spf_result_clear(&outlook->spf[i].result);
    free(outlook->sources);
    free(outlook->spf);
    strings_free(&outlook->sender_records);
    strings_free(&outlook->helo_records);
}

static void clear_keys(struct outlook *outlook)
{
    for (size_t i = 0; i < outlook->nkeys; i++) {
        free(outlook->keys[i].domain);
        free(outlook->keys[i].selector);
        free(outlook->keys[i].wanted);
        own_key_clear(&outlook->keys[i].own);
    }
    free(outlook->keys);
}

void outlook_release(struct outlook **outlook)
{
    if (*outlook != NULL && atomic_fetch_sub(&(*outlook)->references, 1) == 1) {
        clear_spf(*outlook);
        clear_keys(*outlook);
        dmarc_result_clear(&(*outlook)->dmarc);
        strings_free(&(*outlook)->dmarc_records);
        strings_free(&(*outlook)->foreign_reports);
        free((*outlook)->from_domain);
        free((*outlook)->sender_domain);
        free((*outlook)->helo);
        free(*outlook);
    }
    *outlook = NULL;
}

static void begin_keys(struct outlook *outlook, const struct outlook_query *query)
{
    outlook->keys = mem_new(query->nsigning + 1, sizeof(*outlook->keys));
    for (; outlook->nkeys < query->nsigning; outlook->nkeys++) {
        const struct signing_fact *signing = &query->signing[outlook->nkeys];

        outlook->keys[outlook->nkeys] = (struct outlook_key){
            .domain = mem_copy(signing->domain),
            .selector = mem_copy(signing->selector),
            .rsa = signing->key->algorithm == KEY_RSA,
            .bits = signing->key->bits,
            .wanted = key_record(signing->key->private_key),
        };
    }
}

struct outlook_making *outlook_making_new(const struct outlook_query *query)
{
    struct outlook_making *making = mem_new(1, sizeof(*making));
    struct outlook *outlook = mem_new(1, sizeof(*outlook));

    atomic_init(&outlook->references, 1);
    outlook->from_domain = mem_copy(query->from_domain);
    outlook->sender_domain =
        query->sender_domain[0] != '\0' ? mem_copy(query->sender_domain) : NULL;
    outlook->helo = mem_copy(conf_outgoing_helo(query->conf));
    begin_keys(outlook, query);
    making->query = query;
    making->outlook = outlook;
    making->key_done = mem_new(outlook->nkeys + 1, sizeof(bool));
    return making;
}

struct outlook *outlook_making_end(struct outlook_making **making)
{
    struct outlook *outlook = (*making)->outlook;

    free((*making)->spf_done);
    free((*making)->key_done);
    free(*making);
    *making = NULL;
    return outlook;
}

/* --- where it is sent from ------------------------------------------------------------ */

static void add_source(struct outlook *outlook, const struct ip_address *address, const char *relay,
                       const char *term)
{
    struct outlook_source *source;

    if (outlook->nsources == OUTLOOK_SOURCES_MAX)
        return;
    source = &outlook->sources[outlook->nsources++];
    *source = (struct outlook_source){.relay = mem_copy(relay)};
    if (address != NULL)
        source->address = *address;
    source->term = term != NULL      ? mem_copy(term)
                   : address != NULL ? spf_advice_term(address)
                                     : NULL;
}

/* false: pending.  An include that lists no address is a source of its own, about which nothing is
 * known. */
static bool add_include(struct outlook_making *making, const char *relay, const char *include)
{
    struct ip_address addresses[SPF_SOURCES_MAX];
    char *term = mem_print("include:%s", include);
    size_t count = 0;
    bool failed, known = spf_sources(making->lookup, include, addresses, &count, &failed);

    for (size_t i = 0; known && i < count; i++)
        add_source(making->outlook, &addresses[i], relay, term);
    if (known && count == 0)
        add_source(making->outlook, NULL, relay, term);
    free(term);
    return known;
}

static bool add_relay(struct outlook_making *making, const struct conf_relay *relay)
{
    bool known = true;

    for (size_t i = 0; i < relay->naddresses; i++)
        add_source(making->outlook, &relay->addresses[i], relay->name, NULL);
    for (size_t i = 0; i < relay->includes.count; i++)
        known = add_include(making, relay->name, relay->includes.items[i]) && known;
    return known;
}

static void forget_sources(struct outlook *outlook)
{
    for (size_t i = 0; i < outlook->nsources; i++) {
        free(outlook->sources[i].relay);
        free(outlook->sources[i].term);
    }
    outlook->nsources = 0;
}

/* Room for what is asked about each source. */
static void begin_spf(struct outlook_making *making)
{
    struct outlook *outlook = making->outlook;
    const bool has_sender = outlook->sender_domain != NULL;

    outlook->spf = mem_new(outlook->nsources * 2 + 1, sizeof(*outlook->spf));
    making->spf_done = mem_new(outlook->nsources * 2 + 1, sizeof(bool));
    for (size_t i = 0; i < outlook->nsources; i++) {
        const bool direct = outlook->sources[i].relay == NULL;

        if (outlook->sources[i].address.family != 0 && (has_sender || direct))
            outlook->spf_known = true;
        if (has_sender)
            outlook->spf[outlook->nspf++] = (struct outlook_spf){.source = i};
        if (direct)
            outlook->spf[outlook->nspf++] = (struct outlook_spf){.source = i, .helo = true};
    }
}

/* false: pending.  Where no address is known there is still a record to look at. */
static bool find_sources(struct outlook_making *making)
{
    const struct conf *conf = making->query->conf;
    struct outlook *outlook = making->outlook;
    const uint64_t routes = making->query->routes;
    bool known = true;

    if (making->has_sources)
        return true;
    if (outlook->sources == NULL)
        outlook->sources = mem_new(OUTLOOK_SOURCES_MAX, sizeof(*outlook->sources));
    for (size_t i = 0; i < conf->nrelays; i++)
        if (routes & UINT64_C(1) << i)
            known = add_relay(making, &conf->relays[i]) && known;
    for (size_t i = 0; routes >> conf->nrelays & 1 && i < conf->noutgoing_addresses; i++)
        add_source(outlook, &conf->outgoing_addresses[i], NULL, NULL);
    if (!known) {
        forget_sources(outlook);
        return false;
    }
    if (outlook->nsources == 0)
        add_source(outlook, NULL, NULL, NULL);
    making->has_sources = true;
    begin_spf(making);
    return true;
}

/* --- SPF ------------------------------------------------------------------------------ */

/* The text records at a name that are of a kind.  false: pending. */
static bool list_records(const struct lookup *lookup, const char *name,
                         bool (*is)(const char *bytes, size_t length), struct strings *records)
{
    const struct dns_answer *answer;

    strings_free(records);
    if (!lookup_is_name(name))
        return true;
    answer = lookup_find(lookup, name, DNS_TXT);
    for (size_t i = 0; answer != NULL && answer->status == DNS_FOUND && i < answer->count; i++)
        if (is(answer->records[i].text, answer->records[i].length))
            strings_add(records, answer->records[i].text);
    return answer != NULL;
}

static bool check_spf(struct outlook_making *making, struct outlook_spf *spf)
{
    const struct outlook *outlook = making->outlook;
    const struct ip_address *address = &outlook->sources[spf->source].address;
    const struct spf_query query = {
        .client = address->family != 0 ? *address : (struct ip_address){.family = 4},
        .helo = outlook->helo,
        .sender = spf->helo ? "" : making->query->sender,
        .now_sec = clock_now_us(&clock_wall) / SECOND_US,
    };

    return spf_check(&query, making->lookup, &spf->result);
}

/* What receivers would mind most. */
static enum spf_status worse(enum spf_status a, enum spf_status b)
{
    static const unsigned rank[] = {
        [SPF_PASS] = 0, [SPF_TEMPERROR] = 1, [SPF_NEUTRAL] = 2, [SPF_SOFTFAIL] = 3,
        [SPF_NONE] = 4, [SPF_PERMERROR] = 5, [SPF_FAIL] = 6,
    };

    return rank[a] >= rank[b] ? a : b;
}

static void sum_up_spf(struct outlook *outlook)
{
    const bool helo = outlook->sender_domain == NULL;

    outlook->spf_status = outlook->nspf > 0 ? SPF_PASS : SPF_NEUTRAL;
    for (size_t i = 0; i < outlook->nspf; i++)
        if (outlook->spf[i].helo == helo)
            outlook->spf_status = worse(outlook->spf_status, outlook->spf[i].result.status);
    /* what an address that is not known gets is known only where it depends on no address */
    if (!outlook->spf_known)
        outlook->spf_known =
            outlook->spf_status == SPF_NONE || outlook->spf_status == SPF_PERMERROR;
}

static bool look_at_spf(struct outlook_making *making)
{
    struct outlook *outlook = making->outlook;
    bool known = find_sources(making);

    if (outlook->sender_domain != NULL)
        known = list_records(making->lookup, outlook->sender_domain, spf_record_is,
                             &outlook->sender_records) &&
                known;
    known =
        list_records(making->lookup, outlook->helo, spf_record_is, &outlook->helo_records) && known;
    for (size_t i = 0; i < outlook->nspf; i++) {
        if (!making->spf_done[i])
            making->spf_done[i] = check_spf(making, &outlook->spf[i]);
        known = known && making->spf_done[i];
    }
    if (known)
        sum_up_spf(outlook);
    return known;
}

/* --- DKIM ----------------------------------------------------------------------------- */

bool outlook_key_passes(const struct outlook_key *key)
{
    return key->own.state == OWN_KEY_MATCHES && (!key->rsa || key->bits >= KEY_BITS_MIN);
}

static bool look_at_key(struct outlook_making *making, size_t n)
{
    struct outlook_key *key = &making->outlook->keys[n];
    char *name = own_key_name(key->selector, key->domain);
    const struct dns_answer *answer = NULL;
    bool is_name = lookup_is_name(name);

    if (is_name)
        answer = lookup_find(making->lookup, name, DNS_TXT);
    if (answer != NULL)
        own_key_judge(making->query->signing[n].key, answer, &key->own);
    else if (!is_name)
        key->own.state = OWN_KEY_ABSENT;
    free(name);
    return answer != NULL || !is_name;
}

static bool look_at_keys(struct outlook_making *making)
{
    bool known = true;

    for (size_t i = 0; i < making->outlook->nkeys; i++) {
        if (!making->key_done[i])
            making->key_done[i] = look_at_key(making, i);
        known = known && making->key_done[i];
    }
    return known;
}

/* --- DMARC ---------------------------------------------------------------------------- */

static enum dmarc_discovery discovery(const struct conf *conf)
{
    return conf->dmarc_discovery == DMARC_BY_SUFFIX_LIST ? DMARC_SUFFIX_LIST : DMARC_TREE_WALK;
}

/* With all: as if everything had passed, so that every answer is known that may be needed later. */
static bool check_dmarc(const struct outlook_making *making, bool all,
                        struct dmarc_result *result_r)
{
    const struct outlook *outlook = making->outlook;
    const struct strings *carried = making->query->carried;
    const size_t most = outlook->nkeys + (carried != NULL ? carried->count : 0);
    const char **domains = mem_new(most + 1, sizeof(*domains));
    struct dmarc_query query = {
        .from_domain = outlook->from_domain,
        .dkim_domains = domains,
        .discovery = discovery(making->query->conf),
        .align_always = true,
    };
    bool known;

    for (size_t i = 0; i < outlook->nkeys; i++)
        if (all || outlook_key_passes(&outlook->keys[i]))
            domains[query.ndkim++] = outlook->keys[i].domain;
    for (size_t i = 0; carried != NULL && i < carried->count; i++)
        domains[query.ndkim++] = carried->items[i];
    if (all || outlook->spf_status == SPF_PASS)
        query.spf_domain = outlook->sender_domain != NULL ? outlook->sender_domain : outlook->helo;
    known = dmarc_check(&query, making->lookup, result_r);
    free(domains);
    return known;
}

static bool check_report(struct outlook_making *making, const char *uri)
{
    struct outlook *outlook = making->outlook;
    enum dmarc_reports reports = DMARC_REPORTS_UNKNOWN;
    const char *domain = strrchr(uri, '@');
    char *name;

    if (!dmarc_check_reports(outlook->dmarc.policy_domain, uri, discovery(making->query->conf),
                             making->lookup, &reports))
        return false;
    if (reports != DMARC_REPORTS_REFUSED || domain == NULL)
        return true;
    name = dmarc_report_name(outlook->dmarc.policy_domain, domain + 1);
    strings_add(&outlook->foreign_reports, uri);
    strings_add(&outlook->foreign_reports, name);
    free(name);
    return true;
}

static bool check_reports(struct outlook_making *making)
{
    struct outlook *outlook = making->outlook;
    const char *text = outlook->dmarc_records.count == 1 ? outlook->dmarc_records.items[0] : NULL;
    struct dmarc_record record;
    bool known = true;

    strings_free(&outlook->foreign_reports);
    if (outlook->dmarc.policy_domain == NULL || text == NULL)
        return true;
    dmarc_record_parse(text, strlen(text), &record);
    for (size_t i = 0; i < record.rua.count && i < OUTLOOK_REPORTS_MAX; i++)
        known = check_report(making, record.rua.items[i]) && known;
    dmarc_record_clear(&record);
    return known;
}

static bool look_at_dmarc(struct outlook_making *making, bool rest_known)
{
    struct outlook *outlook = making->outlook;
    struct dmarc_result result = {.status = DMARC_STATUS_NONE};
    const char *where;
    char *name;
    bool known;

    if (outlook->from_domain == NULL)
        return true;
    if (!check_dmarc(making, !rest_known, &result))
        return false;
    dmarc_result_clear(&outlook->dmarc);
    outlook->dmarc = result;
    where = result.policy_domain != NULL ? result.policy_domain : result.several;
    name = mem_print("_dmarc.%s", where != NULL ? where : outlook->from_domain);
    known = list_records(making->lookup, name, dmarc_record_is, &outlook->dmarc_records) &&
            check_reports(making);
    free(name);
    return known && rest_known;
}

/* --- together ------------------------------------------------------------------------- */

/* Macros for the local part make a record's answer another one for each sender. */
static bool asks_for_sender(const char *record)
{
    for (const char *at = strstr(record, "%{"); at != NULL; at = strstr(at + 2, "%{"))
        if (at[2] != '\0' && strchr("lLsS", at[2]) != NULL)
            return true;
    return false;
}

static const struct dns_answer *find(void *context, const char *name, enum dns_type type)
{
    struct outlook_making *making = context;
    const struct dns_answer *answer = making->lookup->find(making->lookup->context, name, type);

    for (size_t i = 0;
         type == DNS_TXT && answer != NULL && answer->status == DNS_FOUND && i < answer->count; i++)
        if (spf_record_is(answer->records[i].text, answer->records[i].length) &&
            asks_for_sender(answer->records[i].text))
            making->outlook->by_sender = true;
    return answer;
}

bool outlook_evaluate(const struct lookup *lookup, void *context)
{
    struct outlook_making *making = context;
    struct outlook_making inner = *making;
    const struct lookup watched = {.find = find, .context = &inner};
    bool known;

    inner.lookup = lookup;
    making->lookup = &watched;
    known = look_at_keys(making);
    known = look_at_spf(making) && known;
    known = look_at_dmarc(making, known) && known;
    making->lookup = NULL;
    return known;
}
