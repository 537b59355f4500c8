/* SPDX-License-Identifier: BSD-2-Clause */
/* The ceiling for policyload: a policy service that answers every request with DUNNO and does
 * nothing else. */
#include "tests/bench/bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define EVENTS_AT_ONCE 256
#define REQUEST_MAX 16384

struct client {
    int fd;
    size_t length;
    char request[REQUEST_MAX];
};

static void add(int epoll, int fd, void *context)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = context};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0)
        bench_die("epoll_ctl");
}

static void take_client(int epoll, int listener)
{
    struct client *client;
    const int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return;
    client = calloc(1, sizeof(*client));
    if (client == NULL)
        bench_die("calloc");
    client->fd = fd;
    add(epoll, fd, client);
}

static void drop(struct client *client)
{
    close(client->fd);
    free(client);
}

/* One request at a time: that is all that smtpd and policyload send. */
static void serve(struct client *client)
{
    static const char answer[] = "action=DUNNO\n\n";
    const ssize_t received = recv(client->fd, client->request + client->length,
                                  sizeof(client->request) - client->length, 0);

    if (received < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (received <= 0) {
        drop(client);
        return;
    }
    client->length += (size_t)received;
    if (client->length < 2 || memcmp(client->request + client->length - 2, "\n\n", 2) != 0) {
        if (client->length == sizeof(client->request))
            drop(client);
        return;
    }
    client->length = 0;
    if (send(client->fd, answer, strlen(answer), MSG_NOSIGNAL) != (ssize_t)strlen(answer))
        drop(client);
}

int main(int argc, char **argv)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    int epoll, listener;

    if (argc != 2) {
        fprintf(stderr, "usage: nullpolicy unix:PATH|inet:ADDRESS:PORT\n");
        return 64;
    }
    bench_raise_descriptors();
    listener = bench_listen(argv[1]);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0)
        bench_die("epoll_create1");
    add(epoll, listener, NULL);
    for (;;) {
        const int n = epoll_wait(epoll, events, EVENTS_AT_ONCE, -1);

        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == NULL)
                take_client(epoll, listener);
            else
                serve(events[i].data.ptr);
        }
    }
}
