/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/outlooks.h"

#include "lib/auth/lookups.h"
#include "lib/base/clock.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <inttypes.h>
#include <stdlib.h>

#define SECOND_US INT64_C(1000000)

struct entry {
    struct outlook *outlook;
    int64_t expires_us; /* steady */
};

struct outlooks {
    struct map *entries;
};

/* One that is asked for. */
struct wish {
    struct outlooks *outlooks;
    struct outlook_query query;
    struct outlook_making *making;
    outlooks_callback *callback;
    void *context;
};

struct outlooks *outlooks_new(void)
{
    struct outlooks *outlooks = mem_new(1, sizeof(*outlooks));

    outlooks->entries = map_new();
    return outlooks;
}

static void free_entry(void *value)
{
    struct entry *entry = value;

    if (entry == NULL)
        return;
    outlook_release(&entry->outlook);
    free(entry);
}

void outlooks_free(struct outlooks **outlooks)
{
    if (*outlooks == NULL)
        return;
    map_free(&(*outlooks)->entries, free_entry);
    free(*outlooks);
    *outlooks = NULL;
}

/* --- entries -------------------------------------------------------------------------- */

/* All that an outlook depends on.  Names have no spaces; a sender may, and stands last. */
static void make_key(const struct outlook_query *query, bool by_sender, struct text *key)
{
    text_print(key, "%" PRIu64 " %" PRIx64 " %s %s", query->conf->number, query->routes,
               query->from_domain != NULL ? query->from_domain : "-", query->sender_domain);
    for (size_t i = 0; i < query->nsigning; i++)
        text_print(key, " %s/%s", query->signing[i].selector, query->signing[i].domain);
    for (size_t i = 0; query->carried != NULL && i < query->carried->count; i++)
        text_print(key, " =%s", query->carried->items[i]);
    if (by_sender)
        text_print(key, " <%s>", query->sender);
}

static struct entry *find_entry(struct outlooks *outlooks, const struct outlook_query *query,
                                bool by_sender)
{
    struct text key = TEXT_EMPTY;
    struct entry *entry;

    make_key(query, by_sender, &key);
    entry = map_get(outlooks->entries, key.bytes, key.length);
    if (entry != NULL && entry->expires_us <= clock_now_us(&clock_steady)) {
        free_entry(map_remove(outlooks->entries, key.bytes, key.length));
        entry = NULL;
    }
    text_free(&key);
    return entry;
}

static void keep(struct outlooks *outlooks, const struct outlook_query *query, bool by_sender,
                 struct outlook *outlook, int64_t ttl_sec)
{
    struct text key = TEXT_EMPTY;
    struct entry *entry = mem_new(1, sizeof(*entry));
    const void *oldest;
    size_t length;

    entry->outlook = outlook_hold(outlook);
    entry->expires_us = clock_now_us(&clock_steady) + ttl_sec * SECOND_US;
    make_key(query, by_sender, &key);
    free_entry(map_put(outlooks->entries, key.bytes, key.length, entry));
    text_free(&key);
    if (map_count(outlooks->entries) <= OUTLOOKS_MAX)
        return;
    (void)map_oldest(outlooks->entries, &oldest, &length);
    free_entry(map_remove(outlooks->entries, oldest, length));
}

/* --- questions ------------------------------------------------------------------------ */

static bool evaluate(const struct lookup *lookup, void *context)
{
    return outlook_evaluate(lookup, ((struct wish *)context)->making);
}

static void made(int64_t ttl_sec, void *context)
{
    struct wish *wish = context;
    struct outlook *outlook = outlook_making_end(&wish->making);

    if (wish->outlooks != NULL && ttl_sec > 0) {
        keep(wish->outlooks, &wish->query, false, outlook, ttl_sec);
        if (outlook->by_sender)
            keep(wish->outlooks, &wish->query, true, outlook, ttl_sec);
    }
    wish->callback(outlook, wish->context);
    free(wish);
}

void outlooks_find(struct outlooks *outlooks, struct loop *loop, struct dns *dns,
                   struct spf_engine *engine, int64_t timeout_ms, const struct outlook_query *query,
                   outlooks_callback *callback, void *context)
{
    struct entry *entry = outlooks != NULL ? find_entry(outlooks, query, false) : NULL;
    struct wish *wish;

    if (entry != NULL && entry->outlook->by_sender)
        entry = find_entry(outlooks, query, true);
    if (entry != NULL) {
        callback(outlook_hold(entry->outlook), context);
        return;
    }
    wish = mem_new(1, sizeof(*wish));
    *wish = (struct wish){
        .outlooks = outlooks, .query = *query, .callback = callback, .context = context};
    wish->making = outlook_making_new(&wish->query);
    (void)lookups_start_with(loop, dns, engine, timeout_ms, evaluate, made, wish);
}
