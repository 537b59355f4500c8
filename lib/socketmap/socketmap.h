/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix' socketmap protocol (socketmap_table(5)): looking a key up in a table that another server
 * has, such as one in front of LDAP or SQL.
 *
 * One connection to one server, on the loop; questions wait for each other there, and none waits
 * longer than the time-out.  A server that failed is left alone for a second: meanwhile questions
 * are answered at once.  The loop's thread only.
 */
#pragma once

#include "lib/base/loop.h"
#include "lib/conf/conf.h"

#include <stddef.h>
#include <stdint.h>

#define SOCKETMAP_WAITING_MAX 1000 /* questions; one more is trouble at once */

enum socketmap_status {
    SOCKETMAP_FOUND,
    SOCKETMAP_NOT_FOUND,
    SOCKETMAP_TROUBLE, /* away, too slow, or it said TEMP, TIMEOUT or PERM */
};

struct socketmap_answer {
    enum socketmap_status status;
    const char *value; /* FOUND: what the table has */
    const char *problem; /* TROUBLE: why */
};

/* Called once for each question, never before socketmap_ask() returned. */
typedef void socketmap_callback(const struct socketmap_answer *answer, void *context);

struct socketmap;

/* A client of the server at lookup's place; connects when it is asked. */
struct socketmap *socketmap_new(struct loop *loop, const struct conf_lookup *lookup);
/* Questions still open are answered with trouble. */
void socketmap_free(struct socketmap **socketmap);

/* Asks the table of that name for the key; both are copied. */
void socketmap_ask(struct socketmap *socketmap, const char *table, const char *key,
                   int64_t timeout_ms, socketmap_callback *callback, void *context);
