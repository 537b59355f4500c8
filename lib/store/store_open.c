/* SPDX-License-Identifier: BSD-2-Clause */
/* The store's front, set up and taken down; and what it tells about its backend. */
#include "lib/base/mem.h"
#include "lib/store/cluster.h"
#include "lib/store/local.h"
#include "lib/store/redis.h"
#include "lib/store/store_private.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define LOCAL_PREFIX "local:"

#define MEMORY_SUBJECTS_MAX 1000000
#define MEMORY_MESSAGES_MAX 1000000
#define MIRROR_SUBJECTS_MAX 200000
#define MIRROR_MESSAGES_MAX 100000
#define MEMORY_NOTES_MAX ((size_t)256 << 20)
#define MIRROR_NOTES_MAX ((size_t)16 << 20)

static void report(struct store *store, enum store_event_kind kind)
{
    struct store_event event = {
        .kind = kind,
        .address = store->backend.kind->address(store->backend.object),
        .problem = store->problem,
        .down_us = store->down_us,
        .replayed = store->replayed,
        .lost = store->lost,
    };

    if (store->event != NULL && !store->closing)
        store->event(&event, store->event_context);
}

void store_tell_up(struct store *store)
{
    if (!store->told_down && !store->inherited && store->lost == 0)
        return;
    report(store, STORE_EVENT_UP);
    store->told_down = false;
    store->inherited = false;
    store->replayed = 0;
    store->lost = 0;
    store->down_us = 0;
}

static void on_up(void *context, int64_t store_now)
{
    struct store *store = context;

    if (store_now > 0)
        store->offset_ms = store_now - clock_now_us(store->wall) / 1000;
    if (!store->up && store->told_down)
        store->down_us = clock_now_us(store->steady) - store->down_since_us;
    store->up = true;
    store_note_bring(store);
    store_replay(store);
}

static void on_down(void *context, const char *problem)
{
    struct store *store = context;

    free(store->problem);
    store->problem = mem_copy(problem);
    store->up = false;
    if (store->told_down)
        return;
    store->told_down = true;
    store->down_since_us = clock_now_us(store->steady);
    store->down_us = 0;
    report(store, STORE_EVENT_DOWN);
}

static void settle_identity(struct store *store)
{
    uint64_t random;

    /* Requests this short are never cut; made-up identities must not meet another process'. */
    if (getrandom(&random, sizeof(random), 0) != (ssize_t)sizeof(random))
        abort();
    (void)snprintf(store->identity, sizeof(store->identity), "-/%016llx.",
                   (unsigned long long)random);
}

/* Who starts again goes on from what it last knew. */
static void remember_journal(struct store *store)
{
    for (size_t i = 0; i < journal_count(store->journal); i++) {
        struct call *call = journal_call(store->journal, i);

        if (call == NULL)
            continue;
        memory_run(store->memory, call, store_now_ms(store));
        call_release(call);
    }
}

static bool is_local(const char *url)
{
    return strncmp(url, LOCAL_PREFIX, strlen(LOCAL_PREFIX)) == 0;
}

/* The process that has the local store uses its own memory; others use its socket as Redis'. */
static bool open_local(struct store *store, const char *url, const struct store_settings *settings,
                       const struct backend_owner *owner, char **problem_r)
{
    const struct local_settings local = {
        .address = url,
        .path = settings->serve_path,
        .socket = settings->serve_socket,
        .wall = store->wall,
    };

    store->mirrors = false;
    store->up = true;
    store->backend = backend_local(store->loop, store->memory, &local, owner, problem_r);
    return store->backend.kind != NULL;
}

static bool parse_servers(const char *url, bool tls, struct redis_addresses *addresses_r,
                          char **problem_r)
{
    char *socket;
    bool good;

    if (!is_local(url))
        return redis_addresses_parse(url, tls, addresses_r, problem_r);
    socket = mem_print("unix:%s", url + strlen(LOCAL_PREFIX));
    good = redis_addresses_parse(socket, false, addresses_r, problem_r);
    free(socket);
    if (good) {
        free(addresses_r->items[0].text);
        addresses_r->items[0].text = mem_copy(url);
    }
    return good;
}

static bool open_redis(struct store *store, struct redis_settings *redis,
                       const struct store_settings *settings, const struct backend_owner *owner,
                       char **problem_r)
{
    if (redis->addresses.tls) {
        redis->tls = redis_tls_new(&settings->tls, problem_r);
        if (redis->tls == NULL) {
            redis_addresses_free(&redis->addresses);
            return false;
        }
    }
    store->backend = redis->addresses.kind == REDIS_CLUSTER
                         ? backend_cluster(store->loop, redis, owner)
                         : backend_redis(store->loop, redis, owner);
    redis_tls_release(&redis->tls);
    return true;
}

static bool open_backend(struct store *store, const char *url,
                         const struct store_settings *settings, char **problem_r)
{
    const struct backend_owner owner = {store, store_on_done, on_up, on_down};
    struct redis_settings redis = {
        .user = settings->user,
        .password = settings->password,
        .database = settings->database,
        .client_name = settings->client_name,
        .timeout_ms = settings->timeout_ms,
    };

    if (strcmp(url, "memory:") == 0) {
        store->mirrors = false;
        store->up = true;
        store->backend = backend_memory(store->memory, store->wall, &owner);
    } else if (strcmp(url, "broken:") == 0) {
        store->backend = backend_broken(&owner);
    } else if (is_local(url) && settings->serves) {
        return open_local(store, url, settings, &owner, problem_r);
    } else {
        return parse_servers(url, settings->tls.on, &redis.addresses, problem_r) &&
               open_redis(store, &redis, settings, &owner, problem_r);
    }
    return true;
}

/* The first time it is called out of store_open(), whose caller does not have the store yet. */
static void on_timer(void *context)
{
    struct store *store = context;

    if (strcmp(store->backend.kind->address(store->backend.object), "broken:") == 0)
        on_down(store, "this store is made to fail");
    else
        store_replay(store);
}

struct store *store_open(struct loop *loop, const struct store_settings *settings, char **problem_r)
{
    struct store *store = mem_new(1, sizeof(*store));
    const char *url = settings->url != NULL ? settings->url : "";
    bool memory = strcmp(url, "memory:") == 0 || (is_local(url) && settings->serves);

    *problem_r = NULL;
    store->loop = loop;
    store->wall = settings->wall != NULL ? settings->wall : &clock_wall;
    store->steady = settings->steady != NULL ? settings->steady : &clock_steady;
    store->on_failure = settings->on_failure;
    store->event = settings->event;
    store->event_context = settings->event_context;
    store->mirrors = true;
    store->answered_end = &store->answered;
    store->down_since_us = clock_now_us(store->steady);
    subject_hiding_set(&store->hiding, settings->hash_key);
    settle_identity(store);
    store->memory = memory_new(memory ? MEMORY_SUBJECTS_MAX : MIRROR_SUBJECTS_MAX,
                               memory ? MEMORY_MESSAGES_MAX : MIRROR_MESSAGES_MAX,
                               memory ? MEMORY_NOTES_MAX : MIRROR_NOTES_MAX);
    store->tell = event_new(loop_base(loop), -1, 0, store_on_tell, store);
    store->journal =
        journal_open(memory ? NULL : settings->journal_path, settings->journal_size, problem_r);
    if (store->tell == NULL || store->journal == NULL ||
        !open_backend(store, url, settings, problem_r)) {
        store_close(&store);
        return NULL;
    }
    remember_journal(store);
    store->inherited = journal_count(store->journal) > 0;
    store->replay_timer = loop_timer_new(loop, on_timer, store);
    loop_timer_start(store->replay_timer, 0);
    return store;
}

void store_close(struct store **store)
{
    struct store *old = *store;

    if (old == NULL)
        return;
    old->closing = true;
    if (old->backend.kind != NULL)
        old->backend.kind->free(old->backend.object);
    if (old->tell != NULL) {
        store_on_tell(-1, 0, old);
        event_free(old->tell);
    }
    store_note_forget(old);
    loop_timer_free(&old->replay_timer);
    journal_close(&old->journal);
    memory_free(&old->memory);
    free(old->problem);
    explicit_bzero(&old->hiding, sizeof(old->hiding));
    free(old);
    *store = NULL;
}

void store_drain(struct store *store, int64_t timeout_ms)
{
    int64_t end_us = clock_now_us(&clock_steady) + timeout_ms * 1000;
    int64_t left_ms = timeout_ms;

    while (left_ms > 0 && (store->open > 0 || (store->up && journal_count(store->journal) > 0))) {
        loop_run_once(store->loop, left_ms);
        left_ms = (end_us - clock_now_us(&clock_steady) + 999) / 1000;
    }
}
