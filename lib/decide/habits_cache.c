/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/habits_cache.h"

#include "lib/base/hash.h"
#include "lib/base/map.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define ENTRIES_MAX 20000
#define FRESH_SEC 10

struct entry {
    int64_t when_sec; /* of the last answer; 0: there is none that would do */
    uint64_t source; /* place, mail program and certificate, hashed */
    char hour[sizeof((struct habits *)0)->hour];
    unsigned places, countries;
    bool place_is_recent, country_is_recent, client_is_recent;
    struct habits_volume in_hour, in_day; /* with all that was counted since */
    int64_t sampled, fresh;
    int64_t untold; /* recipients that the store does not know of */
};

struct habits_cache {
    struct map *map; /* by subject */
};

struct habits_cache *habits_cache_new(void)
{
    struct habits_cache *cache = mem_new(1, sizeof *cache);

    cache->map = map_new();
    return cache;
}

void habits_cache_free(struct habits_cache **cache)
{
    if (!*cache)
        return;
    map_free(&(*cache)->map, free);
    free(*cache);
    *cache = NULL;
}

static uint64_t source_of(const struct habits *habits)
{
    uint64_t hash = hash_stable(habits->place, strlen(habits->place) + 1);

    hash = hash_stable_more(hash, habits->country, strlen(habits->country) + 1);
    if (habits->certificate)
        hash = hash_stable_more(hash, habits->certificate, strlen(habits->certificate) + 1);
    return habits->client ? hash_stable_more(hash, habits->client, strlen(habits->client)) : hash;
}

static bool answers(const struct entry *entry, const struct habits *habits)
{
    return entry->when_sec > 0 && habits->when_sec >= entry->when_sec &&
           habits->when_sec - entry->when_sec < FRESH_SEC && entry->source == source_of(habits) &&
           strcmp(entry->hour, habits->hour) == 0;
}

bool habits_cache_find(struct habits_cache *cache, struct habits *habits)
{
    const struct entry *entry =
        cache ? map_get(cache->map, habits->subject, strlen(habits->subject)) : NULL;

    if (!entry)
        return false;
    habits->untold = strcmp(entry->hour, habits->hour) == 0 ? entry->untold : 0;
    if (!answers(entry, habits))
        return false;
    habits->known = true;
    habits->places = entry->places;
    habits->countries = entry->countries;
    habits->place_is_recent = entry->place_is_recent;
    habits->country_is_recent = entry->country_is_recent;
    habits->client_is_recent = entry->client_is_recent;
    habits->in_hour = entry->in_hour;
    habits->in_day = entry->in_day;
    habits->in_hour.now += habits->amount;
    habits->in_day.now += habits->amount;
    habits->sampled = entry->sampled;
    habits->fresh = entry->fresh;
    return true;
}

static struct entry *entry_of(struct habits_cache *cache, const struct habits *habits)
{
    size_t length = strlen(habits->subject);
    struct entry *entry = map_get(cache->map, habits->subject, length);
    const void *key;

    if (entry)
        return entry;
    if (map_count(cache->map) >= ENTRIES_MAX && map_oldest(cache->map, &key, &length))
        free(map_remove(cache->map, key, length));
    entry = mem_new(1, sizeof *entry);
    map_put(cache->map, habits->subject, strlen(habits->subject), entry);
    return entry;
}

void habits_cache_learn(struct habits_cache *cache, const struct habits *habits, bool counted)
{
    struct entry *entry;

    if (!cache || !habits->known)
        return;
    entry = entry_of(cache, habits);
    if (!habits->asked && !counted)
        return;
    if (habits->asked) {
        entry->when_sec = habits->when_sec;
        entry->source = source_of(habits);
        memcpy(entry->hour, habits->hour, sizeof entry->hour);
        entry->places = habits->places;
        entry->countries = habits->countries;
        entry->place_is_recent = habits->place_is_recent;
        entry->country_is_recent = habits->country_is_recent;
        entry->client_is_recent = habits->client_is_recent;
        entry->sampled = habits->sampled;
        entry->fresh = habits->fresh;
        /* A message that others had charged told the store nothing. */
        entry->untold = counted ? 0 : habits->untold;
    } else {
        entry->untold += habits->amount;
    }
    entry->in_hour = habits->in_hour;
    entry->in_day = habits->in_day;
}
