/* SPDX-License-Identifier: BSD-2-Clause */
/* A hash table that remembers the order of use. */
#include "lib/base/map.h"

#include "lib/base/hash.h"
#include "lib/base/mem.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define MAP_BUCKETS_FIRST 16 /* a power of two, as the number of buckets always is */

struct map_entry {
    struct map_entry *chain; /* the next one in the bucket */
    struct map_entry *older;
    struct map_entry *younger;
    void *value;
    uint64_t hash;
    size_t key_length;
    char key[];
};

struct map {
    struct map_entry **buckets;
    size_t bucket_count;
    size_t count;
    struct map_entry *oldest;
    struct map_entry *youngest;
};

struct map *map_new(void)
{
    struct map *map = mem_new(1, sizeof(*map));

    map->bucket_count = MAP_BUCKETS_FIRST;
    map->buckets = mem_new(map->bucket_count, sizeof(struct map_entry *));
    return map;
}

void map_free(struct map **map, void (*free_value)(void *value))
{
    struct map_entry *entry;
    struct map_entry *younger;

    if (*map == NULL)
        return;
    for (entry = (*map)->oldest; entry != NULL; entry = younger) {
        younger = entry->younger;
        if (free_value != NULL)
            free_value(entry->value);
        free(entry);
    }
    free((*map)->buckets);
    free(*map);
    *map = NULL;
}

size_t map_count(const struct map *map)
{
    return map->count;
}

/* The link that points to the key's entry, or to the NULL where it would be added. */
static struct map_entry **map_link(const struct map *map, uint64_t hash, const void *key,
                                   size_t key_length)
{
    struct map_entry **link = &map->buckets[hash & (map->bucket_count - 1)];

    while (*link != NULL) {
        const struct map_entry *entry = *link;

        if (entry->hash == hash && entry->key_length == key_length &&
            (key_length == 0 || memcmp(entry->key, key, key_length) == 0))
            break;
        link = &(*link)->chain;
    }
    return link;
}

static void map_order_add(struct map *map, struct map_entry *entry)
{
    entry->older = map->youngest;
    entry->younger = NULL;
    if (map->youngest != NULL)
        map->youngest->younger = entry;
    else
        map->oldest = entry;
    map->youngest = entry;
}

static void map_order_remove(struct map *map, struct map_entry *entry)
{
    if (entry->older != NULL)
        entry->older->younger = entry->younger;
    else
        map->oldest = entry->younger;
    if (entry->younger != NULL)
        entry->younger->older = entry->older;
    else
        map->youngest = entry->older;
}

static void map_order_touch(struct map *map, struct map_entry *entry)
{
    if (map->youngest == entry)
        return;
    map_order_remove(map, entry);
    map_order_add(map, entry);
}

static void map_grow(struct map *map)
{
    size_t bucket_count = map->bucket_count * 2;
    struct map_entry **buckets = mem_new(bucket_count, sizeof(struct map_entry *));

    for (struct map_entry *entry = map->oldest; entry != NULL; entry = entry->younger) {
        struct map_entry **bucket = &buckets[entry->hash & (bucket_count - 1)];

        entry->chain = *bucket;
        *bucket = entry;
    }
    free(map->buckets);
    map->buckets = buckets;
    map->bucket_count = bucket_count;
}

void *map_get(struct map *map, const void *key, size_t key_length)
{
    struct map_entry *entry = *map_link(map, hash_table(key, key_length), key, key_length);

    if (entry == NULL)
        return NULL;
    map_order_touch(map, entry);
    return entry->value;
}

void *map_peek(const struct map *map, const void *key, size_t key_length)
{
    const struct map_entry *entry = *map_link(map, hash_table(key, key_length), key, key_length);

    return entry != NULL ? entry->value : NULL;
}

void *map_put(struct map *map, const void *key, size_t key_length, void *value)
{
    uint64_t hash = hash_table(key, key_length);
    struct map_entry **link = map_link(map, hash, key, key_length);
    struct map_entry *entry = *link;
    void *before = NULL;

    if (entry != NULL) {
        before = entry->value;
        map_order_touch(map, entry);
    } else {
        entry = mem_grow(NULL, sizeof(*entry) + key_length, 1);
        entry->chain = NULL;
        entry->hash = hash;
        entry->key_length = key_length;
        mem_copy_bytes(entry->key, key, key_length);
        *link = entry;
        map_order_add(map, entry);
        map->count++;
    }
    entry->value = value;
    if (map->count > map->bucket_count)
        map_grow(map);
    return before;
}

void *map_remove(struct map *map, const void *key, size_t key_length)
{
    struct map_entry **link = map_link(map, hash_table(key, key_length), key, key_length);
    struct map_entry *entry = *link;
    void *value;

    if (entry == NULL)
        return NULL;
    *link = entry->chain;
    map_order_remove(map, entry);
    map->count--;
    value = entry->value;
    free(entry);
    return value;
}

void *map_oldest(const struct map *map, const void **key_r, size_t *key_length_r)
{
    const struct map_entry *entry = map->oldest;

    if (entry == NULL)
        return NULL;
    if (key_r != NULL)
        *key_r = entry->key;
    if (key_length_r != NULL)
        *key_length_r = entry->key_length;
    return entry->value;
}

void map_each(struct map *map,
              void (*visit)(const void *key, size_t key_length, void *value, void *context),
              void *context)
{
    struct map_entry *younger;

    for (struct map_entry *entry = map->oldest; entry != NULL; entry = younger) {
        younger = entry->younger;
        visit(entry->key, entry->key_length, entry->value, context);
    }
}
