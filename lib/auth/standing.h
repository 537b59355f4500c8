/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How the world sees our outgoing addresses: their reverse names, and the blocklists that they are
 * on.
 *
 * It is looked up in the background, over and over, one question after the other, so that no
 * message waits for it.  What is not known yet, or could not be looked up, is said to be unknown;
 * what was known stays while the resolver is away.  The loop's thread only; never blocks.
 */
#pragma once

#include "lib/auth/blocklist.h"
#include "lib/auth/ptr.h"
#include "lib/base/loop.h"
#include "lib/conf/conf.h"
#include "lib/dns/dns.h"

#include <stdbool.h>
#include <stddef.h>

/* A configured blocklist, and whether its test points are right. */
struct standing_list {
    const struct conf_blocklist *list;
    bool usable;
    char *problem; /* why it is not, or NULL: not known yet */
};

struct standing_address {
    struct ip_address address;
    struct ptr ptr;
    struct listing *listings; /* one for each list; of lists of domains they stay unknown */
};

/* lists are in the order of the configuration, which the view holds. */
struct standing_view {
    struct conf *conf;
    struct standing_list *lists;
    size_t nlists;
    struct standing_address *addresses;
    size_t naddresses;
    bool complete; /* everything has been asked once */
};

/* Something is different from what was known before; at the start nothing is known, and nothing is
 * wrong.  Pointers are borrowed for the time of the callback. */
enum standing_event { STANDING_LIST, STANDING_PTR, STANDING_LISTING };
struct standing_change {
    enum standing_event event;
    const struct standing_list *list; /* STANDING_LIST, STANDING_LISTING */
    const struct standing_address *address; /* STANDING_PTR, STANDING_LISTING */
    const struct listing *listing; /* STANDING_LISTING */
};
typedef void standing_changed(const struct standing_change *change, void *context);

struct standing;

/* Begins to ask; conf is held. */
struct standing *standing_new(struct loop *loop, struct dns *dns, const struct conf *conf,
                              standing_changed *changed, void *context);
/* Before its resolver is freed. */
void standing_free(struct standing **standing);

const struct standing_view *standing_view(const struct standing *standing);
/* Whether there is a list of domains that can be believed. */
bool standing_has_domain_lists(const struct standing *standing);
