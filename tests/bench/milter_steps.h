/* SPDX-License-Identifier: BSD-2-Clause */
/* The steps of a message as Postfix takes them with a milter. */
#pragma once

#include "tests/bench/packets.h"

#include <stdbool.h>
#include <stdint.h>

#define STAGES 7 /* that have macros */
#define STAGE_MACROS_ROOM 512

enum step { NEGOTIATE, CONNECT, HELO, MAIL, RCPT, DATA, HEADER, HEADERS_END, BODY, END };

struct load {
    const char *server;
    size_t connections, per_connection, size, users;
    uint64_t seconds;
    char *body;
};

struct connection {
    int fd;
    bool waiting, listening_for_writes, ended;
    uint32_t flags; /* as negotiated */
    char macros[STAGES][STAGE_MACROS_ROOM];
    enum step step;
    size_t header, sent_body;
    uint64_t message, on_connection, begun_us;
    size_t user;
    struct buffer out, in;
};

void steps_begin_connection(struct connection *connection);
void steps_begin_message(struct connection *connection, const struct load *load, uint64_t number);

/* Adds the present step to what is sent; whether the milter will reply to it. */
bool steps_send(struct connection *connection, const struct load *load);
/* On to the next step, or the next header or piece of the body. */
void steps_advance(struct connection *connection, const struct load *load);

/* What the milter wants: version, actions, steps, then lists of macros by stage. */
void steps_take_options(struct connection *connection, const char *packet, size_t length);
