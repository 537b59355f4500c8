/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/gather_listings.h"

#include "lib/auth/lookups.h"
#include "lib/auth/orgdomain.h"
#include "lib/auth/standing.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define DOMAINS_MAX 24 /* asked for: each is a question to each list */
#define LISTS_MAX 16
#define FROM_MAX 4 /* addresses of a From header */

struct wanted {
    char *domain;
    const char *in; /* a literal */
};

struct question {
    struct conf *conf; /* of the lists: a reload may come before the answers */
    const struct conf_blocklist *lists[LISTS_MAX];
    size_t nlists;
    struct facts *facts;
    struct wanted wanted[DOMAINS_MAX];
    size_t nwanted;
    void (*done)(void *context);
    void *context;
};

/* --- which domains ---------------------------------------------------------------------- */

static void want(struct question *question, const char *domain, const char *in)
{
    if (domain == NULL || domain[0] == '\0' || question->nwanted == DOMAINS_MAX)
        return;
    for (size_t i = 0; i < question->nwanted; i++)
        if (strcmp(question->wanted[i].domain, domain) == 0)
            return;
    question->wanted[question->nwanted++] = (struct wanted){mem_copy(domain), in};
}

/* Lists hold the domains that are bought, and some of them single hosts. */
static void want_both(struct question *question, const char *domain, const char *in)
{
    want(question, domain, in);
    want(question, orgdomain_by_list(domain), in);
}

static void want_from(struct question *question, const struct message *message)
{
    const struct header *from = message_header(message, "From", 0);
    struct address addresses[FROM_MAX];

    if (from == NULL)
        return;
    (void)address_list_parse(from->value, addresses, FROM_MAX);
    for (size_t i = 0; i < FROM_MAX; i++) {
        if (addresses[i].domain != NULL && !addresses[i].is_literal)
            want_both(question, addresses[i].domain, "from");
        address_clear(&addresses[i]);
    }
}

/* --- asking ----------------------------------------------------------------------------- */

static void add(struct question *question, const struct wanted *wanted, const char *zone,
                struct listing *listing)
{
    struct facts *facts = question->facts;

    facts->listings = mem_grow(facts->listings, facts->nlistings + 1, sizeof(facts->listings[0]));
    facts->listings[facts->nlistings++] = (struct listing_fact){
        .domain = mem_copy(wanted->domain),
        .list = mem_copy(zone),
        .in = wanted->in,
        .code = listing->code,
        .text = listing->text,
    };
    listing->code = listing->text = NULL;
}

/* First all are asked for, then, when all are known, kept. */
static bool look(const struct lookup *lookup, struct question *question, bool keep)
{
    bool known = true;

    for (size_t i = 0; i < question->nlists; i++) {
        const struct conf_blocklist *list = question->lists[i];

        for (size_t j = 0; j < question->nwanted; j++) {
            struct listing listing = {.state = LISTING_UNKNOWN};

            if (!blocklist_look(lookup, list, question->wanted[j].domain, &listing))
                known = false;
            else if (keep && listing.state == LISTING_YES)
                add(question, &question->wanted[j], list->zone, &listing);
            listing_clear(&listing);
        }
    }
    return known;
}

static bool evaluate(const struct lookup *lookup, void *context)
{
    return look(lookup, context, false) && look(lookup, context, true);
}

static void ended(int64_t ttl_sec, void *context)
{
    struct question *question = context;
    void (*done)(void *) = question->done;
    void *done_context = question->context;

    (void)ttl_sec;
    for (size_t i = 0; i < question->nwanted; i++)
        free(question->wanted[i].domain);
    conf_release(&question->conf);
    free(question);
    done(done_context);
}

static void take_lists(struct question *question, const struct standing_view *view)
{
    question->conf = conf_hold(view->conf);
    for (size_t i = 0; i < view->nlists && question->nlists < LISTS_MAX; i++)
        if (view->lists[i].usable && view->lists[i].list->kind == BLOCKLIST_OF_DOMAINS)
            question->lists[question->nlists++] = view->lists[i].list;
}

bool gather_listings(struct services *services, struct message *message, int64_t timeout_ms,
                     void (*done)(void *context), void *context)
{
    struct question *question;

    if (services->standing == NULL || message->facts.listings_asked ||
        !standing_has_domain_lists(services->standing))
        return false;
    message->facts.listings_asked = true;
    question = mem_new(1, sizeof(*question));
    question->facts = &message->facts;
    question->done = done;
    question->context = context;
    take_lists(question, standing_view(services->standing));
    want_from(question, message);
    for (size_t i = 0; i < message->facts.content.link_domains.count; i++)
        want_both(question, message->facts.content.link_domains.items[i], "link");
    (void)lookups_start(services->loop, services->dns, timeout_ms, evaluate, ended, question);
    return true;
}
