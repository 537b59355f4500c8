/* SPDX-License-Identifier: BSD-2-Clause */
/* A store, its private Redis and a user whose charges are counted, for tests in which Redis goes
 * away. */
#pragma once

#include "tests/lib/store/ask.h"
#include "tests/support/server_redis.h"

#include <stddef.h>
#include <stdint.h>

#define SCENE_MANY 2000 /* charges of a stream */

/* Options of a Redis that keeps what it answered. */
extern const char *const scene_durable[];

struct scene {
    struct server_redis server;
    struct ask ask;
    char *url;
    char *folder;
    char *journal;
    char identity[32];
    struct store_settings settings;
};

/* Starts Redis and fills in the settings; the test opens the store. */
void scene_begin(struct scene *scene, const char *const *options);
void scene_end(struct scene *scene);

/* One message of the user, and its limit. */
struct store_limit scene_limit(int64_t max);
enum store_outcome scene_charge(struct scene *scene, const char *identity, int64_t max);
enum store_outcome scene_give_back(struct scene *scene, const char *identity);

/* What Redis itself says that the user used, asked by a store of its own. */
int64_t scene_used(struct scene *scene);

/* Many charges, without waiting for their answers. */
struct scene_stream {
    struct scene *scene;
    size_t accepted;
    size_t local; /* of them */
    unsigned answered;
    int64_t longest_us;
};
void stream_send(struct scene_stream *stream, size_t number);
/* Waits until so many are answered. */
void stream_finish(struct scene_stream *stream, unsigned count);
