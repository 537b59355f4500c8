/* SPDX-License-Identifier: BSD-2-Clause */
/* The local store's socket. */
#include "lib/store/local_server.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/store/resp.h"
#include "lib/store/script.h"
#include "lib/store/script_call.h"

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>
#include <stdlib.h>
#include <string.h>

#define CONNECTIONS_MAX 256

/* What stands for the script's name: there is one script. */
#define SHA "736c756963652d6c6f63616c2d73746f72652d31"

struct local_server {
    struct evconnlistener *listener;
    local_server_run *run;
    void *context;
    struct connection *first;
    size_t count;
};

struct connection {
    struct connection *before, *behind;
    struct local_server *server;
    struct bufferevent *stream;
    struct text answer;
};

static void close_connection(struct connection *connection)
{
    struct local_server *server = connection->server;

    if (connection->before != NULL)
        connection->before->behind = connection->behind;
    else
        server->first = connection->behind;
    if (connection->behind != NULL)
        connection->behind->before = connection->before;
    server->count--;
    bufferevent_free(connection->stream);
    text_free(&connection->answer);
    free(connection);
}

/* --- answers -------------------------------------------------------------------------- */

static void add_bulk(struct connection *connection, const char *bytes, size_t length)
{
    struct evbuffer *output = bufferevent_get_output(connection->stream);

    evbuffer_add_printf(output, "$%zu\r\n", length);
    evbuffer_add(output, bytes, length);
    evbuffer_add(output, "\r\n", 2);
}

static void add_line(struct connection *connection, const char *line)
{
    evbuffer_add_printf(bufferevent_get_output(connection->stream), "%s\r\n", line);
}

/* --- the commands --------------------------------------------------------------------- */

static bool carry_out(struct connection *connection, const struct script_word *words, size_t count)
{
    struct local_server *server = connection->server;
    struct call *call = script_call(words, count);

    if (call == NULL)
        return false;
    server->run(server->context, call);
    if (call->operation == CALL_RESET) {
        add_line(connection, call->known ? ":1" : ":0");
    } else {
        script_write_answer(call, &connection->answer);
        add_bulk(connection, text_string(&connection->answer), connection->answer.length);
    }
    call_release(call);
    return true;
}

/* Two versions that understand each other's octets in two ways must not meet. */
static bool load(struct connection *connection, const struct script_word *words, size_t count)
{
    const char *source = script_source();

    if (count != 3)
        return false;
    if (words[2].length == strlen(source) && memcmp(words[2].bytes, source, words[2].length) == 0)
        add_bulk(connection, SHA, strlen(SHA));
    else
        add_line(connection, "-ERR sluice-policyd is of another version: restart all of Sluice");
    return true;
}

static bool say_who(struct connection *connection, const struct script_word *words, size_t count)
{
    static const char who[] = "sluice_version:" SLUICE_VERSION "\r\n";

    (void)words;
    (void)count;
    add_bulk(connection, who, strlen(who));
    return true;
}

static bool say_ok(struct connection *connection, const struct script_word *words, size_t count)
{
    (void)words;
    (void)count;
    add_line(connection, "+OK");
    return true;
}

static const struct {
    const char *name;
    bool (*run)(struct connection *connection, const struct script_word *words, size_t count);
} commands[] = {
    {"EVALSHA", carry_out}, {"UNLINK", carry_out}, {"SCRIPT", load}, {"INFO", say_who},
    {"CLIENT", say_ok},     {"SELECT", say_ok},    {"AUTH", say_ok},
};

static bool run(struct connection *connection, const struct script_word *words, size_t count)
{
    for (size_t i = 0; i < COUNT_OF(commands); i++)
        if (words[0].length == strlen(commands[i].name) &&
            memcmp(words[0].bytes, commands[i].name, words[0].length) == 0)
            return commands[i].run(connection, words, count);
    return false;
}

/* --- connections ---------------------------------------------------------------------- */

static void on_readable(struct bufferevent *stream, void *context)
{
    struct connection *connection = context;
    struct evbuffer *input = bufferevent_get_input(stream);
    struct script_word words[SCRIPT_WORDS_MAX];
    enum resp_parsed parsed = RESP_WHOLE;

    while (parsed == RESP_WHOLE && evbuffer_get_length(input) > 0) {
        size_t length = evbuffer_get_length(input);
        const char *bytes = (const char *)evbuffer_pullup(input, -1);
        const char *at = bytes;
        size_t count = 0;

        parsed = resp_parse(&at, bytes + length, words, &count);
        if (parsed == RESP_WHOLE && !run(connection, words, count))
            parsed = RESP_BAD;
        if (parsed == RESP_WHOLE)
            (void)evbuffer_drain(input, (size_t)(at - bytes));
        else if (length > RESP_COMMAND_MAX)
            parsed = RESP_BAD;
    }
    if (parsed == RESP_BAD)
        close_connection(connection);
}

static void on_end(struct bufferevent *stream, short what, void *context)
{
    (void)stream;
    (void)what;
    close_connection(context);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t socket,
                          struct sockaddr *address, int length, void *context)
{
    struct local_server *server = context;
    struct bufferevent *stream = NULL;
    struct connection *connection;

    (void)address;
    (void)length;
    if (server->count < CONNECTIONS_MAX)
        stream = bufferevent_socket_new(evconnlistener_get_base(listener), socket,
                                        BEV_OPT_CLOSE_ON_FREE);
    if (stream == NULL) {
        evutil_closesocket(socket);
        return;
    }
    connection = mem_new(1, sizeof(*connection));
    connection->server = server;
    connection->stream = stream;
    connection->behind = server->first;
    if (server->first != NULL)
        server->first->before = connection;
    server->first = connection;
    server->count++;
    bufferevent_setcb(stream, on_readable, NULL, on_end, connection);
    (void)bufferevent_enable(stream, EV_READ | EV_WRITE);
}

struct local_server *local_server_new(struct loop *loop, int socket, local_server_run *run_call,
                                      void *context)
{
    struct local_server *server = mem_new(1, sizeof(*server));

    server->run = run_call;
    server->context = context;
    /* It listens already (backlog 0). */
    server->listener = evconnlistener_new(loop_base(loop), on_connection, server,
                                          LEV_OPT_CLOSE_ON_EXEC, 0, socket);
    if (server->listener == NULL) {
        free(server);
        return NULL;
    }
    return server;
}

void local_server_free(struct local_server **server)
{
    if (*server == NULL)
        return;
    evconnlistener_free((*server)->listener);
    while ((*server)->first != NULL)
        close_connection((*server)->first);
    free(*server);
    *server = NULL;
}
