/* SPDX-License-Identifier: BSD-2-Clause */
/* Charges as the store's benchmark makes them: users with some limits each. */
#pragma once

#include "lib/base/loop.h"
#include "lib/store/store.h"
#include "tests/bench/bench.h"

#include <stdbool.h>
#include <stddef.h>

#define STORE_LOAD_LIMITS_MAX 8
#define STORE_LOAD_SUBJECT_SIZE 64

/* Who sends, and what is counted. */
struct store_load {
    size_t nlimits, users;
    bool apart; /* each limit has a subject of its own; else all are of the user */
    size_t under_way; /* charges at once */
};

struct store_load_result {
    double rate; /* charges a second */
    double own_us; /* processor time of a charge in this process */
    size_t wrong; /* not charged by the store itself */
    struct bench_times times;
};

/* The request of one user's message; its parts lie in the buffers. */
struct store_load_request {
    struct store_request request;
    struct store_limit limits[STORE_LOAD_LIMITS_MAX];
    char subjects[STORE_LOAD_LIMITS_MAX][STORE_LOAD_SUBJECT_SIZE];
    char identity[STORE_LOAD_SUBJECT_SIZE];
};
void store_load_request(const struct store_load *load, size_t user, size_t message,
                        struct store_load_request *request_r);

/* Opens a store and waits until it is up. */
struct store *store_load_open(struct loop *loop, const struct store_settings *settings);
/* One charge of each user, so that all of them are there; not measured. */
void store_load_fill(struct loop *loop, struct store *store, const struct store_load *load);
/* So many charges of one user after the other, in no order. */
void store_load_run(struct loop *loop, struct store *store, const struct store_load *load,
                    size_t charges, struct store_load_result *result_r);
