/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection; connections.c has the list that they are in. */
#pragma once

#include "policy/connections.h"
#include "policy/protocol.h"

#include <event2/event.h>

#define CONNECTION_SCRATCH 16384 /* octets read at once */

struct connection {
    struct connection *older, *younger; /* by the last thing that happened */
    struct connections *all;
    struct event *readable, *writable; /* writable only exists while an answer could not be sent */
    char *input; /* what was read and not parsed to the end of a request */
    size_t length, room;
    char *output; /* the rest of an answer */
    size_t output_length, output_sent;
    struct protocol_parser parser;
    struct judge_client client;
    int64_t active_us;
    int fd;
    bool busy; /* a request is being judged */
    bool processing; /* requests are being taken from the input just now */
    bool paused; /* not reading: there is enough, or no more to come */
    bool ended; /* the client has sent all that it will */
    bool dead; /* to be freed as soon as nobody is working on it */
};

struct connections {
    struct judge *judge;
    struct connections_settings settings;
    struct connection *oldest, *youngest;
    size_t count;
    struct loop_timer *sweep;
    char *scratch; /* what is being read; CONNECTION_SCRATCH octets */
    bool draining;
    void (*gone)(void *context); /* drained or released: what happens when the last one is gone */
    void *gone_context;
    bool freed;
};

/* connection.c */
struct connection *connection_new(struct connections *all, int fd);
void connection_stop(struct connection *connection,
                     const char *problem); /* problem for the log, or NULL */
/* Frees it if it is over. */
void connection_settle(struct connection *connection);

/* connections.c */
void connections_touch(struct connection *connection);
void connections_remove(
    struct connection *connection); /* and frees the memory of both when it was the last */
