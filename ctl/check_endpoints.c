/* SPDX-License-Identifier: BSD-2-Clause */
/* sluicectl check endpoints: what mail programs and other servers meet at a mail server. */
#include "ctl/check.h"
#include "ctl/endpoint.h"
#include "ctl/evaluate.h"
#include "ctl/trouble.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ADDRESSES_MAX 16 /* of one host */

struct tour {
    struct evaluator evaluator;
    struct endpoint_manner manner;
    json_t *endpoints; /* NULL: print */
    bool wrong, unanswered;
};

/* --- addresses --------------------------------------------------------------------------- */

/* Where a host is. */
struct whereabouts {
    const char *host;
    struct ip_address addresses[ADDRESSES_MAX];
    size_t count;
    bool failed; /* the resolver did */
};

static void take(struct whereabouts *where, const struct dns_answer *answer)
{
    where->failed = where->failed || lookup_failed(answer);
    for (size_t i = 0; answer->status == DNS_FOUND && i < answer->count; i++)
        if (where->count < ADDRESSES_MAX)
            where->addresses[where->count++] = answer->records[i].address;
}

static bool look_up(const struct lookup *lookup, void *context)
{
    struct whereabouts *where = context;
    const struct dns_answer *v4 = lookup_find(lookup, where->host, DNS_A);
    const struct dns_answer *v6 = lookup_find(lookup, where->host, DNS_AAAA);

    if (v4 == NULL || v6 == NULL)
        return false;
    take(where, v4);
    take(where, v6);
    return true;
}

/* RFC 6761 section 6.3: no resolver has to know localhost. */
static void find_addresses(struct tour *tour, const struct endpoint *endpoint,
                           struct whereabouts *where)
{
    where->host = endpoint->host;
    if (endpoint->address.family != 0)
        where->addresses[where->count++] = endpoint->address;
    else if (strcasecmp(endpoint->host, "localhost") == 0)
        (void)ip_parse("127.0.0.1", &where->addresses[where->count++]);
    else if (lookup_is_name(endpoint->host))
        evaluator_run(&tour->evaluator, look_up, where);
}

static void find_nowhere(struct tour *tour, const struct endpoint *endpoint,
                         const struct whereabouts *where, struct findings *findings)
{
    struct finding *finding =
        endpoint_finding(findings, CAUSE_CONFIG_ENDPOINT_DOWN, endpoint, NULL,
                         where->failed ? "its name cannot be looked up" : "it has no address");

    if (where->failed)
        finding_hint(finding, "see why the resolver fails for %s (sluicectl status)",
                     endpoint->host);
    else
        finding_hint(finding, "publish \"%s. A ADDRESS\", or correct the name", endpoint->host);
    tour->unanswered = tour->unanswered || where->failed;
}

/* --- telling ----------------------------------------------------------------------------- */

static void tell(struct tour *tour, const struct ip_address *address, const char *said,
                 const struct findings *findings, json_t *seen)
{
    char ip[IP_TEXT_MAX] = "";
    json_t *list = json_array();

    if (address != NULL)
        ip_format(address, ip);
    if (seen == NULL)
        printf("  %s%s%s\n", ip, *ip != '\0' ? ": " : "", said);
    for (size_t i = 0; i < findings->count; i++) {
        const struct trouble trouble = trouble_of(&findings->items[i]);

        if (seen == NULL)
            trouble_print(&trouble);
        else
            (void)json_array_append_new(list, trouble_json(&trouble));
        tour->wrong = true;
    }
    if (seen != NULL)
        (void)json_array_append_new(
            seen, json_pack("{s:s, s:s, s:O}", "ip", ip, "said", said, "causes", list));
    json_decref(list);
}

static void visit(struct tour *tour, const struct endpoint *endpoint)
{
    struct whereabouts where = {.count = 0};
    json_t *seen = tour->endpoints != NULL ? json_array() : NULL;

    find_addresses(tour, endpoint, &where);
    if (seen == NULL)
        puts(endpoint->title);
    for (size_t i = 0; i < where.count || i == 0; i++) {
        struct findings findings = {.items = NULL};
        struct text said = TEXT_EMPTY;

        if (where.count == 0) {
            find_nowhere(tour, endpoint, &where, &findings);
            text_add_string(&said, "no address");
        } else {
            endpoint_look(endpoint, &where.addresses[i], &tour->manner, &findings, &said);
        }
        tell(tour, where.count > 0 ? &where.addresses[i] : NULL, text_string(&said), &findings,
             seen);
        findings_clear(&findings);
        text_free(&said);
    }
    if (seen != NULL)
        (void)json_array_append_new(tour->endpoints, json_pack("{s:s, s:o}", "endpoint",
                                                               endpoint->title, "addresses", seen));
}

/* --- the subject ------------------------------------------------------------------------- */

int check_endpoints(struct ctl *ctl, const struct check_words *words)
{
    struct tour tour = {.manner = {.name = words->name,
                                   .helo = ctl->conf->hostname,
                                   .timeout_ms = words->timeout_ms}};
    char *problem = NULL;
    int status = EX_USAGE;

    if (words->count == 0)
        return ctl_usage("check", "expected endpoints as in submission://mail.example.com");
    for (size_t i = 0; i < words->count; i++) {
        struct endpoint endpoint;

        if (!endpoint_read(words->names[i], &endpoint))
            return ctl_usage("check",
                             "\"%s\" is no endpoint: expected [SCHEME://]HOST[:PORT] with smtp, "
                             "submission, submissions, imap or imaps",
                             words->names[i]);
        endpoint_clear(&endpoint);
    }
    tour.manner.tls = endpoint_tls_new(words->authorities, &problem);
    if (tour.manner.tls == NULL) {
        ctl_complain("%s", problem);
        status = EX_NOINPUT;
        goto done;
    }
    status = EX_UNAVAILABLE;
    if (!evaluator_open(&tour.evaluator, ctl->conf))
        goto done;
    tour.endpoints = words->json ? json_array() : NULL;
    for (size_t i = 0; i < words->count; i++) {
        struct endpoint endpoint;

        if (!endpoint_read(words->names[i], &endpoint))
            continue;
        visit(&tour, &endpoint);
        endpoint_clear(&endpoint);
    }
    if (words->json)
        ctl_print_json(tour.endpoints);
    status = tour.unanswered ? EX_UNAVAILABLE : tour.wrong ? EXIT_NEGATIVE : EX_OK;
done:
    evaluator_close(&tour.evaluator);
    SSL_CTX_free(tour.manner.tls);
    free(problem);
    return status;
}
