/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * In which class a login is, as others than the configuration say: the store, or a table server.
 *
 * Answers are kept for class-cache, so that most messages wait for none.  While one who is to be
 * asked is away, what it said within the last hour holds, else the next one's word.  The loop's
 * thread only.
 */
#pragma once

#include "lib/conf/conf.h"
#include "lib/decide/assess.h"
#include "lib/message/message.h"

#define CLASS_NOTE_KIND "flag" /* of the note in the store, and its field */
#define CLASS_NOTE_FIELD "class"

struct class_lookup;

struct class_lookup *class_lookup_new(struct loop *loop);
/* Asks no server any more: whoever waits for one is told that there is no class. */
void class_lookup_stop(struct class_lookup *lookup);
/* Once the store is closed, which some may have waited for. */
void class_lookup_free(struct class_lookup **lookup);

/* class is NULL where nobody knows one; borrowed until the callback returns. */
typedef void class_lookup_callback(const char *class, void *context);

/* Finds the class of the message's login.  Calls back once, maybe before it returns; conf and
 * message must live until then.  services: its store, and its log where that is not NULL. */
void class_lookup_find(struct class_lookup *lookup, struct services *services,
                       const struct conf *conf, const struct message *message,
                       class_lookup_callback *callback, void *context);
