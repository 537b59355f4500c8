/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/standing.h"

#include "lib/auth/lookups.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define RETRY_MS 60000 /* after a round in which something could not be looked up */
#define PATIENCE 5 /* how many of a message's deadlines one step may take */

/*
 * A round has one step for each list (its test points), and then for each address one (its reverse
 * name) and one for each list.
 */
struct standing {
    struct loop *loop;
    struct dns *dns;
    struct standing_view view;
    standing_changed *changed;
    void *context;
    struct loop_timer *timer;
    struct lookups *open;
    size_t step;
    bool failed; /* something in this round */
    bool within; /* lookups_start() has not returned yet */
    bool ended; /* ... but the step has */

    /* what the step found */
    char *problem;
    struct ptr ptr;
    struct listing listing;
};

/* --- steps ------------------------------------------------------------------------------ */

static size_t steps(const struct standing_view *view)
{
    return view->nlists + view->naddresses * (1 + view->nlists);
}

/* What a step is about: a list, an address, or both. */
static void step_about(struct standing *standing, struct standing_list **list_r,
                       struct standing_address **address_r)
{
    struct standing_view *view = &standing->view;
    size_t step = standing->step;

    *address_r = NULL;
    *list_r = NULL;
    if (step < view->nlists) {
        *list_r = &view->lists[step];
        return;
    }
    step -= view->nlists;
    *address_r = &view->addresses[step / (1 + view->nlists)];
    step %= 1 + view->nlists;
    if (step > 0)
        *list_r = &view->lists[step - 1];
}

static bool is_needed(const struct standing_list *list, const struct standing_address *address)
{
    if (list == NULL)
        return true;
    if (address != NULL)
        return list->usable && list->list->kind == BLOCKLIST_OF_ADDRESSES;
    return true;
}

static bool has_ipv6(const struct standing_view *view)
{
    for (size_t i = 0; i < view->naddresses; i++)
        if (view->addresses[i].address.family == 6)
            return true;
    return false;
}

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct standing *standing = context;
    struct standing_address *address;
    struct standing_list *list;
    char *key;
    bool known;

    step_about(standing, &list, &address);
    if (list == NULL)
        return ptr_look(lookup, &address->address, &standing->ptr);
    if (address == NULL)
        return !list->list->test_points ||
               blocklist_test(lookup, list->list, has_ipv6(&standing->view), &standing->problem);
    key = blocklist_address_key(&address->address);
    known = blocklist_look(lookup, list->list, key, &standing->listing);
    free(key);
    return known;
}

/* --- results ---------------------------------------------------------------------------- */

static void tell(struct standing *standing, enum standing_event event,
                 const struct standing_list *list, const struct standing_address *address,
                 const struct listing *listing)
{
    const struct standing_change change = {event, list, address, listing};

    if (standing->changed != NULL)
        standing->changed(&change, standing->context);
}

static bool same(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

/* A list that is not to be believed lists nothing. */
static void take_list(struct standing *standing, struct standing_list *list)
{
    const size_t index = (size_t)(list - standing->view.lists);
    const bool changed = !same(list->problem, standing->problem);

    free(list->problem);
    list->problem = standing->problem;
    list->usable = list->problem == NULL;
    standing->problem = NULL;
    standing->failed = standing->failed || !list->usable;
    for (size_t i = 0; !list->usable && i < standing->view.naddresses; i++)
        listing_clear(&standing->view.addresses[i].listings[index]);
    if (changed)
        tell(standing, STANDING_LIST, list, NULL, NULL);
}

static bool is_bad(enum ptr_state state)
{
    return state == PTR_MISSING || state == PTR_NOT_BACK;
}

static void take_ptr(struct standing *standing, struct standing_address *address)
{
    const enum ptr_state before = address->ptr.state;

    if (standing->ptr.state == PTR_UNKNOWN) {
        standing->failed = true;
        ptr_clear(&standing->ptr);
        return;
    }
    ptr_clear(&address->ptr);
    address->ptr = standing->ptr;
    standing->ptr = (struct ptr){.state = PTR_UNKNOWN};
    if (address->ptr.state != before && (is_bad(address->ptr.state) || is_bad(before)))
        tell(standing, STANDING_PTR, NULL, address, NULL);
}

static void take_listing(struct standing *standing, struct standing_list *list,
                         struct standing_address *address)
{
    struct listing *listing = &address->listings[list - standing->view.lists];
    const bool listed = listing->state == LISTING_YES;

    if (standing->listing.state == LISTING_UNKNOWN) {
        standing->failed = true;
        listing_clear(&standing->listing);
        return;
    }
    if (standing->listing.state == LISTING_REFUSED) {
        standing->problem = mem_copy(standing->listing.problem);
        listing_clear(&standing->listing);
        take_list(standing, list);
        return;
    }
    listing_clear(listing);
    *listing = standing->listing;
    standing->listing = (struct listing){.state = LISTING_UNKNOWN};
    if (listed != (listing->state == LISTING_YES))
        tell(standing, STANDING_LISTING, list, address, listing);
}

static void take(struct standing *standing)
{
    struct standing_address *address;
    struct standing_list *list;

    step_about(standing, &list, &address);
    if (list == NULL)
        take_ptr(standing, address);
    else if (address == NULL)
        take_list(standing, list);
    else
        take_listing(standing, list, address);
}

/* --- rounds ----------------------------------------------------------------------------- */

static void end_round(struct standing *standing)
{
    int64_t wait_ms = standing->view.conf->reputation_refresh_ms;

    if (standing->failed && wait_ms > RETRY_MS)
        wait_ms = RETRY_MS;
    standing->view.complete = true;
    loop_timer_start(standing->timer, wait_ms);
}

static void run(struct standing *standing);

static void ended(int64_t ttl_sec, void *context)
{
    struct standing *standing = context;

    (void)ttl_sec;
    standing->ended = true;
    standing->open = NULL;
    if (standing->within)
        return;
    take(standing);
    standing->step++;
    run(standing);
}

/* What the resolver's cache answers at once is taken in a loop, not by recursion. */
static void run(struct standing *standing)
{
    const int64_t patience_ms = PATIENCE * standing->view.conf->dns_timeout_ms;
    struct standing_address *address;
    struct standing_list *list;

    for (; standing->step < steps(&standing->view); standing->step++) {
        step_about(standing, &list, &address);
        if (!is_needed(list, address))
            continue;
        standing->within = true;
        standing->ended = false;
        standing->open =
            lookups_start(standing->loop, standing->dns, patience_ms, evaluate, ended, standing);
        standing->within = false;
        if (!standing->ended)
            return;
        standing->open = NULL;
        take(standing);
    }
    end_round(standing);
}

static void begin_round(void *context)
{
    struct standing *standing = context;

    standing->step = 0;
    standing->failed = false;
    run(standing);
}

/* --- life ------------------------------------------------------------------------------- */

/* Holding a configuration does not change what it says. */
static void make_view(struct standing_view *view, const struct conf *conf)
{
    view->conf = conf_hold((struct conf *)(uintptr_t)conf);
    view->nlists = conf->nblocklists;
    view->lists = mem_new(view->nlists + 1, sizeof(*view->lists));
    for (size_t i = 0; i < view->nlists; i++)
        view->lists[i].list = &conf->blocklists[i];
    view->naddresses = conf->noutgoing_addresses;
    view->addresses = mem_new(view->naddresses + 1, sizeof(*view->addresses));
    for (size_t i = 0; i < view->naddresses; i++) {
        view->addresses[i].address = conf->outgoing_addresses[i];
        view->addresses[i].listings = mem_new(view->nlists + 1, sizeof(struct listing));
    }
}

static void clear_view(struct standing_view *view)
{
    for (size_t i = 0; i < view->naddresses; i++) {
        for (size_t j = 0; j < view->nlists; j++)
            listing_clear(&view->addresses[i].listings[j]);
        free(view->addresses[i].listings);
        ptr_clear(&view->addresses[i].ptr);
    }
    for (size_t i = 0; i < view->nlists; i++)
        free(view->lists[i].problem);
    free(view->addresses);
    free(view->lists);
    conf_release(&view->conf);
}

struct standing *standing_new(struct loop *loop, struct dns *dns, const struct conf *conf,
                              standing_changed *changed, void *context)
{
    struct standing *standing = mem_new(1, sizeof(*standing));

    standing->loop = loop;
    standing->dns = dns;
    standing->changed = changed;
    standing->context = context;
    make_view(&standing->view, conf);
    standing->timer = loop_timer_new(loop, begin_round, standing);
    if (steps(&standing->view) > 0)
        begin_round(standing);
    else
        standing->view.complete = true;
    return standing;
}

void standing_free(struct standing **standing)
{
    struct standing *old = *standing;

    if (old == NULL)
        return;
    lookups_cancel(&old->open);
    loop_timer_free(&old->timer);
    free(old->problem);
    ptr_clear(&old->ptr);
    listing_clear(&old->listing);
    clear_view(&old->view);
    free(old);
    *standing = NULL;
}

const struct standing_view *standing_view(const struct standing *standing)
{
    return &standing->view;
}

bool standing_has_domain_lists(const struct standing *standing)
{
    const struct standing_view *view = &standing->view;

    for (size_t i = 0; i < view->nlists; i++)
        if (view->lists[i].usable && view->lists[i].list->kind == BLOCKLIST_OF_DOMAINS)
            return true;
    return false;
}
