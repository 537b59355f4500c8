/* SPDX-License-Identifier: BSD-2-Clause */
/* In which class a login of the past is now: as class-lookup says. */
#pragma once

#include "ctl/client.h"

#include "lib/conf/conf.h"
#include "lib/decide/assess.h"
#include "lib/message/message.h"

#include <stdbool.h>

/* Starts zeroed, ends with replay_classes_end(). */
struct replay_classes {
    struct client client; /* the store that has the classes; nothing else is asked of it */
    struct services services;
    struct class_lookup *lookup; /* NULL: there is nobody to ask */
};

/* false: there is no way to ask; problem_r says why (the caller frees it).  That somebody is away
 * is told, and no failure. */
bool replay_classes_start(struct replay_classes *classes, const struct conf *conf,
                          char **problem_r);
void replay_classes_end(struct replay_classes *classes);

/* Sets the class of the message's login, where it has one. */
void replay_classes_find(struct replay_classes *classes, const struct conf *conf,
                         struct message *message);
