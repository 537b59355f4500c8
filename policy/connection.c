/* SPDX-License-Identifier: BSD-2-Clause */
/* One connection of a policy client. */
#include "policy/connection.h"

#include "lib/base/ip.h"
#include "lib/base/loop.h"
#include "lib/base/mem.h"
#include "lib/log/log.h"
#include "policy/answer.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CONNECTION_MORE 4096 /* octets read at once behind a request that is not complete */
#define PEER_MAX (IP_TEXT_MAX + 16)

/* --- saying what went wrong ----------------------------------------------------------- */

static void describe_peer(int fd, char peer_r[PEER_MAX])
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_storage room;
    } name;
    socklen_t length = sizeof(name);
    struct ucred who;
    socklen_t who_length = sizeof(who);
    struct ip_address address;
    char text[IP_TEXT_MAX];

    snprintf(peer_r, PEER_MAX, "unknown");
    if (getpeername(fd, &name.any, &length) != 0)
        return;
    if (ip_from_sockaddr(&name.any, &address)) {
        ip_format(&address, text);
        snprintf(peer_r, PEER_MAX, "[%s]:%u", text,
                 ntohs(name.any.sa_family == AF_INET6 ? name.v6.sin6_port : name.v4.sin_port));
    } else if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &who_length) == 0) {
        snprintf(peer_r, PEER_MAX, "pid %ld uid %ld", (long)who.pid, (long)who.uid);
    }
}

static void complain(const struct connection *connection, const char *problem)
{
    struct log_event event;
    char peer[PEER_MAX];

    describe_peer(connection->fd, peer);
    log_begin(&event, connection->all->judge->services->log, LOG_WARNING, NULL, "policy-error");
    log_string(&event, "peer", peer);
    log_string(&event, "problem", problem);
    log_string(&event, "hint",
               "the connection is closed without an answer; Postfix goes on with "
               "the service's default_action");
    log_write(&event);
}

/* --- life and death ------------------------------------------------------------------- */

static void hang_up(struct connection *connection)
{
    connection->dead = true;
    if (connection->fd < 0)
        return;
    event_free(connection->readable);
    if (connection->writable != NULL)
        event_free(connection->writable);
    connection->readable = connection->writable = NULL;
    close(connection->fd);
    connection->fd = -1;
}

void connection_stop(struct connection *connection, const char *problem)
{
    if (connection->dead)
        return;
    if (problem != NULL)
        complain(connection, problem);
    hang_up(connection);
}

void connection_settle(struct connection *connection)
{
    if (connection->busy || connection->processing)
        return;
    if (!connection->dead && connection->output_length == 0) {
        if (connection->ended)
            connection_stop(connection, connection->length > 0
                                            ? "the connection ended within a request"
                                            : NULL);
        else if (connection->all->draining && connection->length == 0)
            connection_stop(connection, NULL);
    }
    if (!connection->dead)
        return;
    free(connection->input);
    free(connection->output);
    connections_remove(connection);
}

/* --- writing -------------------------------------------------------------------------- */

static void process(struct connection *connection, char *bytes, size_t length);

static void on_writable(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = context;
    ssize_t sent = send(fd, connection->output + connection->output_sent,
                        connection->output_length - connection->output_sent, MSG_NOSIGNAL);

    (void)what;
    if (sent < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (sent < 0) {
        hang_up(connection);
        connection_settle(connection);
        return;
    }
    connections_touch(connection);
    connection->output_sent += (size_t)sent;
    if (connection->output_sent < connection->output_length)
        return;
    event_free(connection->writable);
    connection->writable = NULL;
    free(connection->output);
    connection->output = NULL;
    connection->output_length = connection->output_sent = 0;
    process(connection, connection->input, connection->length);
}

/* Nothing else is written before this is: a client that does not read gets no further answers. */
static void keep_output(struct connection *connection, const char *bytes, size_t length)
{
    struct event_base *base = loop_base(connection->all->judge->services->loop);

    connection->output = mem_copy_n(bytes, length);
    connection->output_length = length;
    connection->output_sent = 0;
    connection->writable =
        event_new(base, connection->fd, EV_WRITE | EV_PERSIST, on_writable, connection);
    if (connection->writable == NULL || event_add(connection->writable, NULL) != 0)
        hang_up(connection);
}

static void send_answer(struct connection *connection, const char *action)
{
    char answer[ANSWER_MAX + 16];
    const int printed = snprintf(answer, sizeof(answer), "action=%s\n\n", action);
    const size_t length = (size_t)printed;
    ssize_t sent;

    do
        sent = send(connection->fd, answer, length, MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    if (sent < 0 && errno == EAGAIN)
        sent = 0;
    if (sent < 0)
        hang_up(connection);
    else if ((size_t)sent < length)
        keep_output(connection, answer + sent, length - (size_t)sent);
}

/* --- reading -------------------------------------------------------------------------- */

static void on_judged(const char *action, void *context)
{
    struct connection *connection = context;

    connection->busy = false;
    connections_touch(connection);
    if (!connection->dead)
        send_answer(connection, action);
    if (!connection->processing)
        process(connection, connection->input, connection->length);
}

/* Keeps what was not used for when there is more; a connection that waits for a request keeps no
 * memory. */
static void keep_rest(struct connection *connection, const char *bytes, size_t length)
{
    if (length == 0) {
        free(connection->input);
        connection->input = NULL;
        connection->room = 0;
    } else if (connection->input == NULL) {
        connection->input = mem_copy_n(bytes, length);
        connection->room = length;
    } else if (bytes != connection->input) {
        memmove(connection->input, bytes, length);
    }
    connection->length = length;
}

/* Reading goes on while a request is judged, so that no request costs two calls to change what is
 * waited for; but no further than what one request may be. */
static void pause_or_read(struct connection *connection)
{
    const bool pause =
        connection->ended || connection->length > connection->all->settings.max_request;

    if (connection->dead || pause == connection->paused)
        return;
    connection->paused = pause;
    if (pause)
        (void)event_del(connection->readable);
    else if (event_add(connection->readable, NULL) != 0)
        hang_up(connection);
}

/* Takes requests from what was read: the input, or the scratch where nothing was left before. */
static void process(struct connection *connection, char *bytes, size_t length)
{
    struct connections *all = connection->all;
    struct protocol_request request;
    enum protocol_status status = PROTOCOL_REQUEST;
    const char *problem = NULL;
    size_t used = 0;

    connection->processing = true;
    while (length > 0 && !connection->busy && !connection->dead && connection->output_length == 0) {
        status = protocol_parse(&connection->parser, bytes, length, all->settings.max_request,
                                &used, &request, &problem);
        if (status != PROTOCOL_REQUEST)
            break;
        protocol_begin(&connection->parser);
        bytes += used;
        length -= used;
        connection->busy = true;
        judge_request(all->judge, &connection->client, &request, on_judged, connection);
    }
    connection->processing = false;
    if (status == PROTOCOL_BAD)
        connection_stop(connection, problem);
    keep_rest(connection, bytes, length);
    pause_or_read(connection);
    connection_settle(connection);
}

/* Room behind the input for another read. */
static void make_room(struct connection *connection)
{
    if (connection->room - connection->length >= CONNECTION_MORE / 2)
        return;
    connection->room = connection->length + CONNECTION_MORE;
    connection->input = mem_grow(connection->input, connection->room, 1);
}

static void on_readable(evutil_socket_t fd, short what, void *context)
{
    struct connection *connection = context;
    const bool first = connection->length == 0 && !connection->busy;
    char *bytes = connection->all->scratch;
    ssize_t received;

    (void)what;
    if (first) {
        received = recv(fd, bytes, CONNECTION_SCRATCH, 0);
    } else {
        make_room(connection);
        bytes = connection->input;
        received = recv(fd, bytes + connection->length, connection->room - connection->length, 0);
    }
    if (received < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (received < 0)
        hang_up(connection);
    else if (received == 0)
        connection->ended = true;
    else if (!first)
        connection->length += (size_t)received;
    connections_touch(connection);
    process(connection, bytes, first && received > 0 ? (size_t)received : connection->length);
}

struct connection *connection_new(struct connections *all, int fd)
{
    struct connection *connection = mem_new(1, sizeof(*connection));
    struct event_base *base = loop_base(all->judge->services->loop);

    connection->all = all;
    connection->fd = fd;
    connection->readable = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, connection);
    if (connection->readable == NULL || event_add(connection->readable, NULL) != 0) {
        if (connection->readable != NULL)
            event_free(connection->readable);
        free(connection);
        return NULL;
    }
    protocol_begin(&connection->parser);
    return connection;
}
