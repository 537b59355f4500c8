/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/socketmap/socketmap.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/socketmap/netstring.h"
#include "lib/socketmap/reply.h"

#include <arpa/inet.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#define LEFT_ALONE_US INT64_C(1000000)
#define DONE_NOTHING 0 /* delay of what must not be answered before the question returns */

struct question {
    struct question *next;
    char *request;
    int64_t deadline_us;
    socketmap_callback *callback;
    void *context;
};

struct socketmap {
    struct loop *loop;
    struct conf_lookup place; /* its strings are copies */
    struct bufferevent *connection; /* NULL: there is none */
    struct question *first, *last;
    size_t waiting;
    bool asked; /* the first one's request is with the server */
    struct loop_timer *timer;
    int64_t left_alone_until_us;
    char *problem; /* why it is left alone */
};

static int64_t now_us(void)
{
    return clock_now_us(&clock_steady);
}

/* --- answering ------------------------------------------------------------------------ */

static struct question *take_first(struct socketmap *socketmap)
{
    struct question *question = socketmap->first;

    socketmap->first = question->next;
    if (socketmap->first == NULL)
        socketmap->last = NULL;
    socketmap->waiting--;
    socketmap->asked = false;
    return question;
}

static void answer(struct question *question, const struct socketmap_answer *said)
{
    question->callback(said, question->context);
    free(question->request);
    free(question);
}

static void drop_connection(struct socketmap *socketmap)
{
    if (socketmap->connection != NULL)
        bufferevent_free(socketmap->connection);
    socketmap->connection = NULL;
    socketmap->asked = false;
}

/* All that wait get the same answer; who asks from within a callback waits for the next. */
static void answer_all(struct socketmap *socketmap)
{
    struct question *all = socketmap->first;
    char *why = mem_copy(socketmap->problem);

    socketmap->first = socketmap->last = NULL;
    socketmap->waiting = 0;
    socketmap->asked = false;
    while (all != NULL) {
        struct question *next = all->next;

        answer(all, &(struct socketmap_answer){.status = SOCKETMAP_TROUBLE, .problem = why});
        all = next;
    }
    free(why);
}

/* Takes the problem. */
static void fail(struct socketmap *socketmap, char *problem)
{
    drop_connection(socketmap);
    socketmap->left_alone_until_us = now_us() + LEFT_ALONE_US;
    free(socketmap->problem);
    socketmap->problem = problem;
    answer_all(socketmap);
}

/* --- the connection ------------------------------------------------------------------- */

static void go_on(struct socketmap *socketmap);

static void on_readable(struct bufferevent *connection, void *context)
{
    struct socketmap *socketmap = context;
    struct evbuffer *input = bufferevent_get_input(connection);
    size_t length = evbuffer_get_length(input);
    const char *bytes = (const char *)evbuffer_pullup(input, -1);
    const char *string;
    size_t string_length, taken;
    struct socketmap_answer said;
    char *text;

    switch (netstring_read(bytes, length, &string, &string_length, &taken)) {
    case NETSTRING_MORE:
        return;
    case NETSTRING_BAD:
        fail(socketmap, mem_copy("the server does not speak the socketmap protocol"));
        return;
    case NETSTRING_WHOLE:
        break;
    }
    if (!socketmap->asked) {
        fail(socketmap, mem_copy("the server answers what nobody asked"));
        return;
    }
    text = mem_copy_n(string, string_length);
    evbuffer_drain(input, taken);
    said = socketmap_reply(text);
    answer(take_first(socketmap), &said);
    free(text);
    go_on(socketmap);
}

static void on_event(struct bufferevent *connection, short what, void *context)
{
    struct socketmap *socketmap = context;
    int error = EVUTIL_SOCKET_ERROR();

    (void)connection;
    if (what & BEV_EVENT_CONNECTED)
        return;
    /* A server may close a connection that is idle. */
    if (socketmap->first == NULL) {
        drop_connection(socketmap);
        return;
    }
    fail(socketmap, what & BEV_EVENT_EOF ? mem_copy("the server closed the connection")
                                         : mem_print("the connection failed: %s", strerror(error)));
}

static socklen_t fill_address(const struct conf_lookup *place, struct sockaddr_storage *storage_r)
{
    struct sockaddr_un *path = (struct sockaddr_un *)(void *)storage_r;
    struct sockaddr_in *inet = (struct sockaddr_in *)(void *)storage_r;
    struct sockaddr_in6 *inet6 = (struct sockaddr_in6 *)(void *)storage_r;

    memset(storage_r, 0, sizeof(*storage_r));
    if (place->path != NULL) {
        path->sun_family = AF_UNIX;
        mem_copy_bytes(path->sun_path, place->path, strlen(place->path) + 1);
        return sizeof(*path);
    }
    if (inet_pton(AF_INET, place->host, &inet->sin_addr) == 1) {
        inet->sin_family = AF_INET;
        inet->sin_port = htons(place->port);
        return sizeof(*inet);
    }
    if (inet_pton(AF_INET6, place->host, &inet6->sin6_addr) != 1)
        return 0;
    inet6->sin6_family = AF_INET6;
    inet6->sin6_port = htons(place->port);
    return sizeof(*inet6);
}

/* false: it failed at once; errno says. */
static bool connect_now(struct socketmap *socketmap)
{
    struct sockaddr_storage storage;
    socklen_t length = fill_address(&socketmap->place, &storage);

    errno = EINVAL;
    if (length == 0)
        return false;
    socketmap->connection = bufferevent_socket_new(loop_base(socketmap->loop), -1,
                                                   BEV_OPT_CLOSE_ON_FREE | BEV_OPT_DEFER_CALLBACKS);
    if (socketmap->connection == NULL)
        return false;
    bufferevent_setcb(socketmap->connection, on_readable, NULL, on_event, socketmap);
    bufferevent_enable(socketmap->connection, EV_READ | EV_WRITE);
    return bufferevent_socket_connect(socketmap->connection, (struct sockaddr *)&storage,
                                      (int)length) == 0;
}

/* Hands the first question to the server, and watches how long it takes. */
static void go_on(struct socketmap *socketmap)
{
    struct question *question = socketmap->first;
    int64_t left_us;

    if (question == NULL) {
        loop_timer_stop(socketmap->timer);
        return;
    }
    if (now_us() < socketmap->left_alone_until_us) {
        answer_all(socketmap);
        return;
    }
    if (socketmap->connection == NULL && !connect_now(socketmap)) {
        fail(socketmap, mem_print("cannot connect: %s", strerror(errno)));
        return;
    }
    if (!socketmap->asked) {
        bufferevent_write(socketmap->connection, question->request, strlen(question->request));
        socketmap->asked = true;
    }
    left_us = question->deadline_us - now_us();
    loop_timer_start(socketmap->timer, left_us > 1000 ? left_us / 1000 : 1);
}

/* Also the beginning of a question, so that no callback runs before it was asked. */
static void on_timer(void *context)
{
    struct socketmap *socketmap = context;

    if (socketmap->waiting > SOCKETMAP_WAITING_MAX)
        fail(socketmap, mem_copy("too many questions wait for the server"));
    else if (socketmap->first != NULL && now_us() >= socketmap->first->deadline_us)
        fail(socketmap, mem_copy("the server did not answer in time"));
    else
        go_on(socketmap);
}

/* --- from outside --------------------------------------------------------------------- */

struct socketmap *socketmap_new(struct loop *loop, const struct conf_lookup *lookup)
{
    struct socketmap *socketmap = mem_new(1, sizeof(*socketmap));

    socketmap->loop = loop;
    socketmap->place = (struct conf_lookup){
        .path = mem_copy(lookup->path), .host = mem_copy(lookup->host), .port = lookup->port};
    socketmap->timer = loop_timer_new(loop, on_timer, socketmap);
    return socketmap;
}

void socketmap_free(struct socketmap **socketmap)
{
    struct socketmap *gone = *socketmap;

    if (gone == NULL)
        return;
    *socketmap = NULL;
    fail(gone, mem_copy("the client ends"));
    loop_timer_free(&gone->timer);
    free(gone->problem);
    free(gone->place.path);
    free(gone->place.host);
    free(gone);
}

void socketmap_ask(struct socketmap *socketmap, const char *table, const char *key,
                   int64_t timeout_ms, socketmap_callback *callback, void *context)
{
    struct question *question = mem_new(1, sizeof(*question));
    size_t length = strlen(table) + 1 + strlen(key);

    *question = (struct question){.request = mem_print("%zu:%s %s,", length, table, key),
                                  .deadline_us = now_us() + timeout_ms * 1000,
                                  .callback = callback,
                                  .context = context};
    if (socketmap->last != NULL)
        socketmap->last->next = question;
    else
        socketmap->first = question;
    socketmap->last = question;
    socketmap->waiting++;
    if (!socketmap->asked || socketmap->waiting > SOCKETMAP_WAITING_MAX)
        loop_timer_start(socketmap->timer, DONE_NOTHING);
}
