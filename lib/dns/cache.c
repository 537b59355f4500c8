/* SPDX-License-Identifier: BSD-2-Clause */
/* The cache in front of libunbound's: ours answers without a packet built and parsed. */
#include "lib/dns/cache.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

#define US_PER_SEC 1000000

struct dns_cache {
    struct map *map;
    size_t size;
};

static int64_t kept_sec(const struct dns_records *records)
{
    static const int64_t most[] = {
        [DNS_FOUND] = DNS_CACHE_FOUND_SEC,   [DNS_NO_DATA] = DNS_CACHE_ABSENT_SEC,
        [DNS_ABSENT] = DNS_CACHE_ABSENT_SEC, [DNS_FAILED] = DNS_CACHE_FAILED_SEC,
        [DNS_BOGUS] = DNS_CACHE_FAILED_SEC,
    };

    if (records->status == DNS_FAILED || records->status == DNS_BOGUS)
        return DNS_CACHE_FAILED_SEC;
    if (records->ttl_sec < DNS_CACHE_LEAST_SEC)
        return DNS_CACHE_LEAST_SEC;
    return records->ttl_sec < most[records->status] ? records->ttl_sec : most[records->status];
}

struct dns_result *dns_result_new(struct dns_records *records, const char *problem, int64_t now_us)
{
    struct dns_result *result = mem_new(1, sizeof(*result));

    result->references = 1;
    result->records = *records;
    *records = (struct dns_records){0};
    result->records.ttl_sec = kept_sec(&result->records);
    result->problem = mem_copy(problem);
    result->expires_us = now_us + result->records.ttl_sec * US_PER_SEC;
    return result;
}

struct dns_result *dns_result_hold(struct dns_result *result)
{
    result->references++;
    return result;
}

void dns_result_release(struct dns_result *result)
{
    if (--result->references > 0)
        return;
    dns_records_clear(&result->records);
    free(result->problem);
    free(result);
}

static void release(void *result)
{
    dns_result_release(result);
}

void dns_key_make(const struct dns_name *name, enum dns_type type, struct dns_key *key_r)
{
    key_r->octets[0] = (uint8_t)((unsigned)type >> 8);
    key_r->octets[1] = (uint8_t)((unsigned)type & 0xff);
    memcpy(key_r->octets + 2, name->octets, name->length);
    key_r->length = 2 + name->length;
}

struct dns_cache *dns_cache_new(size_t size)
{
    struct dns_cache *cache = mem_new(1, sizeof(*cache));

    cache->map = map_new();
    cache->size = size;
    return cache;
}

void dns_cache_free(struct dns_cache **cache)
{
    if (*cache == NULL)
        return;
    map_free(&(*cache)->map, release);
    free(*cache);
    *cache = NULL;
}

struct dns_result *dns_cache_get(struct dns_cache *cache, const struct dns_key *key, int64_t now_us,
                                 int64_t timeout_ms)
{
    struct dns_result *result = map_get(cache->map, key->octets, key->length);

    if (result == NULL)
        return NULL;
    if (now_us >= result->expires_us) {
        dns_result_release(map_remove(cache->map, key->octets, key->length));
        return NULL;
    }
    if (result->waited_ms > 0 && result->waited_ms + result->waited_ms / 8 < timeout_ms)
        return NULL;
    return result;
}

static void drop_oldest(struct map *map)
{
    const void *key;
    size_t length;

    if (map_oldest(map, &key, &length) != NULL)
        dns_result_release(map_remove(map, key, length));
}

void dns_cache_put(struct dns_cache *cache, const struct dns_key *key, struct dns_result *result)
{
    struct dns_result *before;

    if (cache->size == 0)
        return;
    before = map_put(cache->map, key->octets, key->length, dns_result_hold(result));
    if (before != NULL)
        dns_result_release(before);
    if (map_count(cache->map) > cache->size)
        drop_oldest(cache->map);
}

static void forget_timeout(const void *key, size_t key_length, void *value, void *context)
{
    const struct dns_result *result = value;
    struct dns_cache *cache = context;

    if (result->waited_ms > 0)
        dns_result_release(map_remove(cache->map, key, key_length));
}

void dns_cache_forget_timeouts(struct dns_cache *cache)
{
    map_each(cache->map, forget_timeout, cache);
}

size_t dns_cache_count(const struct dns_cache *cache)
{
    return map_count(cache->map);
}
