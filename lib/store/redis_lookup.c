/* SPDX-License-Identifier: BSD-2-Clause */
/* The addresses of a host's name. */
#include "lib/store/redis_lookup.h"

#include "lib/base/mem.h"

#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct answer {
    char addresses[REDIS_LOOKUP_MAX][IP_TEXT_MAX];
    char problem[128];
    size_t count;
};

/* The thread's own. */
struct question {
    int socket;
    char host[];
};

struct redis_lookup {
    int socket;
    struct event *event;
    redis_lookup_callback *callback;
    void *context;
};

static void *ask(void *argument)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
    struct question *question = argument;
    struct answer answer = {0};
    struct addrinfo *list = NULL;
    struct ip_address address;
    int error = getaddrinfo(question->host, NULL, &hints, &list);

    for (const struct addrinfo *info = list; info != NULL; info = info->ai_next)
        if (answer.count < REDIS_LOOKUP_MAX && ip_from_sockaddr(info->ai_addr, &address))
            ip_format(&address, answer.addresses[answer.count++]);
    if (error != 0)
        (void)stpncpy(answer.problem, gai_strerror(error), sizeof(answer.problem) - 1);
    if (list != NULL)
        freeaddrinfo(list);
    (void)send(question->socket, &answer, sizeof(answer), MSG_NOSIGNAL);
    close(question->socket);
    free(question);
    return NULL;
}

static void on_answer(evutil_socket_t socket, short events, void *context)
{
    struct redis_lookup *lookup = context;
    struct answer answer;
    bool whole = recv(socket, &answer, sizeof(answer), 0) == (ssize_t)sizeof(answer);

    (void)events;
    if (whole && answer.count > 0)
        lookup->callback(lookup->context, answer.addresses, answer.count, NULL);
    else
        lookup->callback(lookup->context, NULL, 0,
                         whole && *answer.problem != '\0' ? answer.problem : "no address");
}

/* Signals are for the threads that wait for them. */
static bool start_thread(struct question *question)
{
    pthread_attr_t attributes;
    pthread_t thread;
    sigset_t all, before;
    bool started;

    sigfillset(&all);
    pthread_attr_init(&attributes);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    started = pthread_create(&thread, &attributes, ask, question) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return started;
}

struct redis_lookup *redis_lookup_new(struct loop *loop, const char *host,
                                      redis_lookup_callback *callback, void *context)
{
    size_t length = strlen(host) + 1;
    struct redis_lookup *lookup;
    struct question *question;
    int pair[2];

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair) != 0)
        return NULL;
    question = mem_new(1, sizeof(*question) + length);
    question->socket = pair[1];
    memcpy(question->host, host, length);
    if (!start_thread(question)) {
        close(pair[0]);
        close(pair[1]);
        free(question);
        return NULL;
    }
    lookup = mem_new(1, sizeof(*lookup));
    lookup->socket = pair[0];
    lookup->callback = callback;
    lookup->context = context;
    lookup->event = event_new(loop_base(loop), pair[0], EV_READ, on_answer, lookup);
    if (lookup->event == NULL || event_add(lookup->event, NULL) != 0)
        redis_lookup_free(&lookup);
    return lookup;
}

void redis_lookup_free(struct redis_lookup **lookup)
{
    if (*lookup == NULL)
        return;
    if ((*lookup)->event != NULL)
        event_free((*lookup)->event);
    close((*lookup)->socket);
    free(*lookup);
    *lookup = NULL;
}
