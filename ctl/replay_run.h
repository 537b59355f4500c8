/* SPDX-License-Identifier: BSD-2-Clause */
/* The mail of the past, charged to limits as the daemons charge it: by the same windows, in a store
 * of its own. */
#pragma once

#include "ctl/past.h"
#include "ctl/replay_class.h"

#include "lib/base/loop.h"
#include "lib/base/map.h"
#include "lib/conf/conf.h"
#include "lib/store/store.h"

#include <stdbool.h>
#include <stdint.h>

/* What a limit would have done to a subject. */
struct stop {
    char *limit, *subject;
    const char *action; /* the strongest */
    int strength;
    bool shadow;
    int64_t count; /* of messages */
    int64_t recipients; /* that were refused by themselves */
    int64_t first_us, last_us;
    int64_t message; /* which was the last */
};

/* Messages that do not tell what a limit needs. */
struct lacking {
    const char *limit, *what;
    int64_t count;
};

struct message;
struct replay {
    const struct conf *conf;
    struct loop *loop;
    struct store *store;
    struct replay_classes classes;
    struct map *stops; /* struct stop by limit and subject */
    struct map *found; /* when something was, by the message */
    struct map *lacking; /* struct lacking by limit */
    int64_t messages, stopped;
    int64_t recipients; /* refused of messages that went on */
    int64_t number; /* of the message that is tried */
    bool answered;
    struct message *message; /* that is being charged */
};

/* false: problem_r says why it cannot be (the caller frees it). */
bool replay_start(struct replay *replay, const struct conf *conf, char **problem_r);
void replay_end(struct replay *replay);

/* Tries all messages, by time. */
void replay_run(struct replay *replay, struct past *past);
