/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The life of a new key: it waits until its record has been visible for the record's TTL, so that
 * no receiver can still have an answer from before, and signs from then on.
 *
 * A struct key_life is shared by the signers that have the key, over reloads; whether it signs is
 * read by any thread.  The watch belongs to the loop.  Over a restart the wall clock counts: a wait
 * that it makes shorter or longer harms less than one that never ends where restarts are frequent.
 */
#pragma once

#include "lib/auth/sign.h"
#include "lib/base/loop.h"
#include "lib/dns/dns.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct key_life {
    atomic_size_t references;
    atomic_bool signs;
    /* The watch's */
    bool seen; /* the record is visible, */
    int64_t since_us; /* ... wall clock: since then */
    int64_t ttl_sec; /* of that record */
};

struct key_life *key_life_new(void);
struct key_life *key_life_hold(struct key_life *life);
void key_life_release(struct key_life **life);
bool key_life_signs(const struct key_life *life); /* NULL: yes */

/* What the watch has to say of a key; strings are borrowed. */
struct key_life_news {
    const char *domain, *selector;
    const char *state; /* "publish", "active", "retire"; NULL: of no key, the file is not kept */
    const char *why; /* in a few words; of state NULL: what is wrong with the watch's file */
    int64_t wait_sec; /* until it signs, if the record stays; -1: that is not known, or over */
};
typedef void key_watch_told(const struct key_life_news *news, void *context);

#define KEY_WATCH_TOLD_MAX 100 /* keys in their ordinary state that are told of at the start */

struct key_watch;

/* Watches the signer's keys that wait, and tells of each key's state now and when it changes.  path
 * is the file that keeps over a restart since when records are visible; NULL: it begins anew.  A
 * key that waited long enough before the restart signs at once, and the record is looked at. */
struct key_watch *key_watch_new(struct loop *loop, struct dns *dns, struct signer *signer,
                                const char *path, key_watch_told *told, void *context);
void key_watch_free(struct key_watch **watch);
