/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/key_life.h"

#include "lib/auth/key_seen.h"
#include "lib/auth/own_key.h"
#include "lib/auth/signer.h"
#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/conf/files.h"

#include <stdlib.h>

#define SECOND_US INT64_C(1000000)
#define ASK_LEAST_SEC 1
#define ASK_MOST_SEC 300 /* between two looks at what is not published yet */
#define CACHE_MS 100 /* after the TTL, so that the answer is a new one */

struct watched {
    struct key_watch *watch;
    const struct signer_key *key;
    struct loop_timer *timer;
    struct dns_question *question;
    bool told;
    enum own_key_state told_state;
};

struct key_watch {
    struct dns *dns;
    struct signer *signer;
    char *path;
    key_watch_told *told;
    void *context;
    struct watched *items;
    size_t count;
};

/* --- the life ------------------------------------------------------------------------- */

struct key_life *key_life_new(void)
{
    struct key_life *life = mem_new(1, sizeof(*life));

    atomic_init(&life->references, 1);
    atomic_init(&life->signs, false);
    return life;
}

struct key_life *key_life_hold(struct key_life *life)
{
    atomic_fetch_add(&life->references, 1);
    return life;
}

void key_life_release(struct key_life **life)
{
    if (*life != NULL && atomic_fetch_sub(&(*life)->references, 1) == 1)
        free(*life);
    *life = NULL;
}

bool key_life_signs(const struct key_life *life)
{
    return life == NULL || atomic_load(&life->signs);
}

/* --- the watch ------------------------------------------------------------------------ */

static void tell(const struct key_watch *watch, const struct signer_key *key, const char *state,
                 const char *why, int64_t wait_sec)
{
    const struct key_life_news news = {key->domain, key->selector, state, why, wait_sec};

    watch->told(&news, watch->context);
}

static const char *why_not(enum own_key_state state)
{
    static const char *const words[] = {
        [OWN_KEY_MATCHES] = "its record is visible",
        [OWN_KEY_ABSENT] = "its record is not published yet",
        [OWN_KEY_DIFFERS] = "the published key is another one",
        [OWN_KEY_REVOKED] = "the published key is revoked",
        [OWN_KEY_UNUSABLE] = "the published record cannot be used",
        [OWN_KEY_FAILED] = "the DNS does not answer",
    };

    return words[state];
}

/* Only what has changed is worth a line. */
static void tell_state(struct watched *item, enum own_key_state state, int64_t wait_sec)
{
    if (item->told && item->told_state == state)
        return;
    item->told = true;
    item->told_state = state;
    tell(item->watch, item->key, key_life_signs(item->key->life) ? "active" : "publish",
         why_not(state), wait_sec);
}

static void wait(struct watched *item, int64_t seconds)
{
    seconds = seconds < ASK_LEAST_SEC ? ASK_LEAST_SEC : seconds;
    loop_timer_start(item->timer, seconds * 1000 + CACHE_MS);
}

/* --- over a restart ------------------------------------------------------------------- */

static bool is_new(const struct signer_key *key)
{
    return key->problem == NULL && key->life != NULL;
}

static void keep(const struct key_watch *watch)
{
    const struct signer_keys *keys = signer_keys(watch->signer);
    struct text text = TEXT_EMPTY;
    char *problem = NULL;

    if (watch->path == NULL)
        return;
    for (size_t i = 0; i < keys->count; i++) {
        const struct signer_key *key = &keys->items[i];

        if (is_new(key) && key->life->seen)
            key_seen_add(&text, key->domain, key->selector, key->key.private_key,
                         &(struct key_seen){key->life->since_us / SECOND_US, key->life->ttl_sec});
    }
    if (!key_seen_write(watch->path, &text, &problem))
        watch->told(&(struct key_life_news){.why = problem, .wait_sec = -1}, watch->context);
    free(problem);
    text_free(&text);
}

static int64_t left_us(const struct key_life *life)
{
    return life->since_us + life->ttl_sec * SECOND_US - clock_now_us(&clock_wall);
}

/* What the clock has not reached yet was not seen. */
static void recall(const struct key_watch *watch)
{
    const struct signer_keys *keys = signer_keys(watch->signer);
    const int64_t now_sec = clock_now_us(&clock_wall) / SECOND_US;
    struct text text = TEXT_EMPTY;
    struct key_seen seen;
    char *problem = NULL;

    if (watch->path == NULL || !file_read(watch->path, KEY_SEEN_MAX, &text, NULL, &problem))
        goto done;
    for (size_t i = 0; i < keys->count; i++) {
        const struct signer_key *key = &keys->items[i];

        if (!is_new(key) || key->life->seen ||
            !key_seen_find(text_string(&text), key->domain, key->selector, key->key.private_key,
                           &seen) ||
            seen.since_sec > now_sec)
            continue;
        key->life->seen = true;
        key->life->since_us = seen.since_sec * SECOND_US;
        key->life->ttl_sec = seen.ttl_sec;
    }
done:
    free(problem);
    text_free(&text);
}

/* --- what the DNS says ---------------------------------------------------------------- */

static void activate(const struct watched *item)
{
    atomic_store(&item->key->life->signs, true);
    tell(item->watch, item->key, "active", "its record has been visible for its TTL", -1);
}

/* The TTL is the longest that was seen: a resolver's cache may answer with what is left of it. */
static void see(struct watched *item, int64_t ttl_sec)
{
    struct key_life *life = item->key->life;
    const bool is_news = !life->seen || ttl_sec > life->ttl_sec;

    if (!life->seen)
        life->since_us = clock_now_us(&clock_wall);
    life->seen = true;
    if (ttl_sec > life->ttl_sec)
        life->ttl_sec = ttl_sec;
    if (is_news)
        keep(item->watch);
    if (left_us(life) <= 0) {
        activate(item);
        return;
    }
    tell_state(item, OWN_KEY_MATCHES, (left_us(life) + SECOND_US - 1) / SECOND_US);
    wait(item, (left_us(life) + SECOND_US - 1) / SECOND_US);
}

static void lose(const struct watched *item)
{
    struct key_life *life = item->key->life;
    const bool is_news = life->seen;

    atomic_store(&life->signs, false);
    life->seen = false;
    life->ttl_sec = 0;
    if (is_news)
        keep(item->watch);
}

static void on_answer(const struct dns_answer *answer, void *context)
{
    struct watched *item = context;
    struct own_key own;

    item->question = NULL;
    own_key_judge(&item->key->key, answer, &own);
    if (own.state == OWN_KEY_MATCHES) {
        see(item, answer->ttl_sec);
    } else {
        /* that DNS fails now does not undo what was seen */
        if (own.state != OWN_KEY_FAILED)
            lose(item);
        tell_state(item, own.state, -1);
        wait(item, answer->ttl_sec < ASK_MOST_SEC ? answer->ttl_sec : ASK_MOST_SEC);
    }
    own_key_clear(&own);
}

static void ask(void *context)
{
    struct watched *item = context;
    char *name = own_key_name(item->key->selector, item->key->domain);
    struct dns_question *question = dns_ask(item->watch->dns, name, DNS_TXT, 0, on_answer, item);

    item->question = question;
    free(name);
}

static bool waits(const struct signer_key *key)
{
    return is_new(key) && !key_life_signs(key->life);
}

static void tell_settled(const struct key_watch *watch, const struct signer_key *key, size_t *told)
{
    if (waits(key) || key->problem != NULL)
        return;
    if (key->state == KEY_STATE_RETIRE)
        tell(watch, key, "retire", "it does not sign any more", -1);
    else if (key->state == KEY_STATE_PUBLISH)
        tell(watch, key, "active", "its record has been visible for its TTL", -1);
    else if ((*told)++ < KEY_WATCH_TOLD_MAX)
        tell(watch, key, "active", "it is configured so", -1);
}

struct key_watch *key_watch_new(struct loop *loop, struct dns *dns, struct signer *signer,
                                const char *path, key_watch_told *told, void *context)
{
    const struct signer_keys *keys = signer_keys(signer);
    struct key_watch *watch = mem_new(1, sizeof(*watch));
    size_t settled = 0;

    *watch = (struct key_watch){
        .dns = dns,
        .signer = signer_hold(signer),
        .path = path != NULL ? mem_copy(path) : NULL,
        .told = told,
        .context = context,
    };
    recall(watch);
    watch->items = mem_new(keys->count + 1, sizeof(*watch->items));
    for (size_t i = 0; i < keys->count; i++) {
        struct watched *item = &watch->items[watch->count];

        tell_settled(watch, &keys->items[i], &settled);
        if (!waits(&keys->items[i]))
            continue;
        *item = (struct watched){.watch = watch, .key = &keys->items[i]};
        item->timer = loop_timer_new(loop, ask, item);
        watch->count++;
        /* or mail would leave unsigned after each restart until the DNS has answered */
        if (item->key->life->seen && left_us(item->key->life) <= 0)
            atomic_store(&item->key->life->signs, true);
        ask(item);
    }
    return watch;
}

void key_watch_free(struct key_watch **watch)
{
    if (*watch == NULL)
        return;
    for (size_t i = 0; i < (*watch)->count; i++) {
        dns_cancel((*watch)->items[i].question);
        loop_timer_free(&(*watch)->items[i].timer);
    }
    free((*watch)->items);
    free((*watch)->path);
    signer_release(&(*watch)->signer);
    free(*watch);
    *watch = NULL;
}
