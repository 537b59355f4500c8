/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/incoming.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <stdlib.h>
#include <string.h>

const char *incoming_reverse_name(enum incoming_reverse reverse)
{
    static const char *const names[] = {
        [INCOMING_REVERSE_PASS] = "pass",
        [INCOMING_REVERSE_FAIL] = "fail",
        [INCOMING_REVERSE_TEMPERROR] = "temperror",
        [INCOMING_REVERSE_PERMERROR] = "permerror",
    };

    return names[reverse];
}

bool incoming_has_client(const struct incoming *incoming)
{
    return incoming->client.family != 0;
}

void incoming_clear(struct incoming *incoming)
{
    spf_result_clear(&incoming->spf);
    spf_result_clear(&incoming->helo_spf);
    dmarc_result_clear(&incoming->dmarc);
    free(incoming->from_domain);
    *incoming = (struct incoming){.message = NULL};
}

/* --- From ----------------------------------------------------------------------------- */

/* The one domain of all addresses in From. */
static void read_addresses(struct incoming *incoming, const char *value)
{
    struct address addresses[INCOMING_FROM_MAX];
    int count = address_list_parse(value, addresses, INCOMING_FROM_MAX);

    if (count <= 0 || addresses[0].domain == NULL || addresses[0].domain[0] == '\0' ||
        addresses[0].is_literal)
        incoming->from_problem = "From has no address with a domain";
    for (int i = 1; i < count && incoming->from_problem == NULL; i++)
        if (addresses[i].domain == NULL || strcmp(addresses[i].domain, addresses[0].domain) != 0)
            incoming->from_problem = "From has addresses of several domains";
    if (count == INCOMING_FROM_MAX)
        incoming->from_problem = "From has too many addresses";
    if (incoming->from_problem == NULL)
        incoming->from_domain = mem_copy(addresses[0].domain);
    for (int i = 0; i < INCOMING_FROM_MAX; i++)
        address_clear(&addresses[i]);
}

static void find_from(struct incoming *incoming)
{
    const struct message *message = incoming->message;
    const struct header *from = NULL;

    if (incoming->from_domain != NULL || incoming->from_problem != NULL)
        return;
    for (size_t i = 0; i < message->nheaders; i++) {
        if (!verify_is_named(&message->headers[i], "From"))
            continue;
        if (from != NULL)
            incoming->from_problem = "there are several From";
        from = &message->headers[i];
    }
    if (message->identity_cut)
        incoming->from_problem = "there are more header fields than are looked at";
    else if (from == NULL)
        incoming->from_problem = "there is no From";
    else if (incoming->from_problem == NULL)
        read_addresses(incoming, from->value);
}

/* --- the client ----------------------------------------------------------------------- */

static bool gather_sender(const struct lookup *lookup, struct incoming *incoming)
{
    struct spf_query query = {
        .client = incoming->client,
        .helo = incoming->helo,
        .sender = incoming->sender,
        .receiver = incoming->receiver,
        .now_sec = incoming->now_sec,
    };

    if (!incoming->gathered_sender)
        incoming->gathered_sender = spf_check(&query, lookup, &incoming->spf);
    query.sender = "";
    if (!incoming->gathered_helo)
        incoming->gathered_helo = spf_check(&query, lookup, &incoming->helo_spf);
    return incoming->gathered_sender && incoming->gathered_helo;
}

static bool leads_back(const struct dns_answer *answer, const struct ip_address *client)
{
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++)
        if (memcmp(&answer->records[i].address, client, sizeof(*client)) == 0)
            return true;
    return false;
}

/* false: pending.  One name that leads back is enough. */
static bool follow_names(const struct lookup *lookup, struct incoming *incoming,
                         const struct dns_answer *names)
{
    enum dns_type type = incoming->client.family == 4 ? DNS_A : DNS_AAAA;
    bool pending = false;

    incoming->reverse = INCOMING_REVERSE_FAIL;
    for (size_t i = 0; i < names->count && i < INCOMING_NAMES_MAX; i++) {
        const char *name = names->records[i].text;
        const struct dns_answer *answer =
            lookup_is_name(name) ? lookup_find(lookup, name, type) : names;

        if (answer == NULL) {
            pending = true;
        } else if (answer != names && leads_back(answer, &incoming->client)) {
            incoming->reverse = INCOMING_REVERSE_PASS;
            return true;
        } else if (lookup_failed(answer)) {
            incoming->reverse = INCOMING_REVERSE_TEMPERROR;
        }
    }
    return !pending;
}

static bool gather_reverse(const struct lookup *lookup, struct incoming *incoming)
{
    char *name = dns_reverse_name(&incoming->client);
    const struct dns_answer *answer = lookup_find(lookup, name, DNS_PTR);

    free(name);
    if (answer == NULL)
        return false;
    if (answer->status == DNS_FOUND)
        return follow_names(lookup, incoming, answer);
    incoming->reverse =
        lookup_failed(answer) ? INCOMING_REVERSE_TEMPERROR : INCOMING_REVERSE_PERMERROR;
    return true;
}

/* --- DMARC ---------------------------------------------------------------------------- */

/* What DMARC may build on. */
enum proof {
    PROOF_FOUND, /* what has passed */
    PROOF_POSSIBLE, /* and what a DNS error hides */
    PROOF_ANY, /* every signature, so that every answer is known that may be needed later */
};

static bool is_signature_proof(const struct verify_signature *one, enum proof proof)
{
    return one->signature.domain != NULL &&
           (proof == PROOF_ANY || one->status == VERIFY_PASS ||
            (proof == PROOF_POSSIBLE && one->status == VERIFY_TEMPERROR));
}

static bool is_spf_proof(const struct incoming *incoming, enum proof proof)
{
    enum spf_status status = incoming->spf.status;

    return incoming_has_client(incoming) &&
           (status == SPF_PASS || (proof != PROOF_FOUND && status == SPF_TEMPERROR));
}

static bool check_dmarc(const struct lookup *lookup, const struct incoming *incoming,
                        enum proof proof, struct dmarc_result *result_r)
{
    const struct verify *verify = incoming->verify;
    const char *domains[VERIFY_SIGNATURES_MAX];
    struct dmarc_query query = {
        .from_domain = incoming->from_domain,
        .dkim_domains = domains,
        .discovery = incoming->discovery,
        .sample = incoming->dmarc_sample,
    };

    for (size_t i = 0; i < verify->count; i++)
        if (is_signature_proof(&verify->signatures[i], proof))
            domains[query.ndkim++] = verify->signatures[i].signature.domain;
    if (is_spf_proof(incoming, proof))
        query.spf_domain = incoming->spf.domain;
    return dmarc_check(&query, lookup, result_r);
}

/* A fail that would be a pass had the DNS answered is none of the sender's. */
static bool excuse_fail(const struct lookup *lookup, const struct incoming *incoming,
                        struct dmarc_result *result)
{
    struct dmarc_result hoped = {.status = DMARC_STATUS_NONE};
    bool known = check_dmarc(lookup, incoming, PROOF_POSSIBLE, &hoped);

    if (known && hoped.status == DMARC_STATUS_PASS) {
        result->status = DMARC_STATUS_TEMPERROR;
        free(result->problem);
        result->problem = mem_copy("DKIM or SPF could not be checked");
    }
    dmarc_result_clear(&hoped);
    return known;
}

/* --- the steps ------------------------------------------------------------------------ */

bool incoming_gather(const struct lookup *lookup, void *context)
{
    struct incoming *incoming = context;
    struct dmarc_result foreseen = {.status = DMARC_STATUS_NONE};
    bool known = verify_learn_keys(incoming->verify, lookup);

    find_from(incoming);
    if (incoming_has_client(incoming)) {
        known = gather_sender(lookup, incoming) && known;
        if (!incoming->gathered_reverse)
            incoming->gathered_reverse = gather_reverse(lookup, incoming);
        known = incoming->gathered_reverse && known;
    }
    if (incoming->from_domain != NULL)
        known = check_dmarc(lookup, incoming, PROOF_ANY, &foreseen) && known;
    dmarc_result_clear(&foreseen);
    return known;
}

void incoming_judge(struct incoming *incoming)
{
    verify_judge(incoming->verify);
}

static void conclude_without_from(struct incoming *incoming)
{
    incoming->dmarc.status = DMARC_STATUS_PERMERROR;
    incoming->dmarc.problem = mem_copy(incoming->from_problem);
}

bool incoming_conclude(const struct lookup *lookup, void *context)
{
    struct incoming *incoming = context;
    struct dmarc_result result = {.status = DMARC_STATUS_NONE};

    dmarc_result_clear(&incoming->dmarc);
    if (incoming->from_domain == NULL) {
        conclude_without_from(incoming);
        return true;
    }
    if (!check_dmarc(lookup, incoming, PROOF_FOUND, &result))
        return false;
    if (result.status == DMARC_STATUS_FAIL && !excuse_fail(lookup, incoming, &result)) {
        dmarc_result_clear(&result);
        return false;
    }
    incoming->dmarc = result;
    return true;
}
