/* SPDX-License-Identifier: BSD-2-Clause */
/* Asking a daemon's socket whether anybody answers there. */
#include "ctl/probe.h"

#include "lib/base/clock.h"
#include "lib/base/mem.h"
#include "lib/daemon/socket.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* SMTPD_POLICY_README: a stage at which nothing is decided. */
static const char policy_question[] =
    "request=smtpd_access_policy\nprotocol_state=VRFY\nprotocol_name=ESMTP\n\n";
static const char policy_answer[] = "action=";

/* The milter protocol, version 6: length, SMFIC_OPTNEG, version, actions, steps; then SMFIC_QUIT,
 * so that the session ends in order. */
static const char milter_question[] = "\0\0\0\rO\0\0\0\6\0\0\1\xff\0\x1f\xff\xff";
static const char milter_goodbye[] = "\0\0\0\1Q";
#define MILTER_ANSWER_COMMAND 4 /* where the answer's command stands, behind its length */

/* A conversation with a deadline. */
struct talk {
    int socket;
    int64_t deadline_us;
};

/* Waits until the socket is ready; sets errno. */
static bool wait_for(const struct talk *talk, short events)
{
    struct pollfd poll_one = {.fd = talk->socket, .events = events};

    for (;;) {
        int64_t left_us = talk->deadline_us - clock_now_us(&clock_steady);
        int ready = left_us > 0 ? poll(&poll_one, 1, (int)(left_us / 1000 + 1)) : 0;

        if (ready > 0)
            return true;
        if (ready == 0)
            errno = ETIMEDOUT;
        if (ready == 0 || errno != EINTR)
            return false;
    }
}

static bool connect_to(const struct talk *talk, const struct sockaddr_storage *address,
                       socklen_t length)
{
    int error = 0;
    socklen_t error_length = sizeof(error);

    if (connect(talk->socket, (const struct sockaddr *)address, length) == 0)
        return true;
    if (errno != EINPROGRESS || !wait_for(talk, POLLOUT) ||
        getsockopt(talk->socket, SOL_SOCKET, SO_ERROR, &error, &error_length) != 0)
        return false;
    errno = error;
    return error == 0;
}

static bool send_all(const struct talk *talk, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent;

        if (!wait_for(talk, POLLOUT))
            return false;
        sent = send(talk->socket, bytes, length, MSG_NOSIGNAL);
        if (sent < 0 && errno != EINTR && errno != EAGAIN)
            return false;
        if (sent > 0) {
            bytes += sent;
            length -= (size_t)sent;
        }
    }
    return true;
}

/* Exactly length octets. */
static bool receive(const struct talk *talk, char *bytes_r, size_t length)
{
    while (length > 0) {
        ssize_t got;

        if (!wait_for(talk, POLLIN))
            return false;
        got = recv(talk->socket, bytes_r, length, 0);
        if (got == 0)
            errno = ECONNRESET;
        if (got == 0 || (got < 0 && errno != EINTR && errno != EAGAIN))
            return false;
        if (got > 0) {
            bytes_r += got;
            length -= (size_t)got;
        }
    }
    return true;
}

/* NULL: it answers as it should. */
static const char *talk_policy(const struct talk *talk)
{
    char answer[sizeof(policy_answer) - 1];

    if (!send_all(talk, policy_question, sizeof(policy_question) - 1) ||
        !receive(talk, answer, sizeof(answer)))
        return strerror(errno);
    if (memcmp(answer, policy_answer, sizeof(answer)) != 0)
        return "what answers there is no policy service";
    return NULL;
}

static const char *talk_milter(const struct talk *talk)
{
    char answer[MILTER_ANSWER_COMMAND + 1];

    if (!send_all(talk, milter_question, sizeof(milter_question) - 1) ||
        !receive(talk, answer, sizeof(answer)))
        return strerror(errno);
    if (answer[MILTER_ANSWER_COMMAND] != 'O')
        return "what answers there is no milter";
    (void)send_all(talk, milter_goodbye, sizeof(milter_goodbye) - 1);
    return NULL;
}

/* Where to connect; of all addresses, the loopback one.  0: there is no such address. */
static socklen_t make_address(const struct conf_listen *listen, struct sockaddr_storage *address_r)
{
    static char loopback[] = "127.0.0.1";
    struct conf_listen where = *listen;

    if (!where.is_unix && strcmp(where.host, "*") == 0)
        where.host = loopback;
    return socket_address(&where, address_r);
}

void probe_run(const struct conf_listen *listen, enum probe_protocol protocol, int64_t timeout_ms,
               struct probe *probe_r)
{
    int64_t start_us = clock_now_us(&clock_steady);
    struct sockaddr_storage address;
    socklen_t length = make_address(listen, &address);
    struct talk talk = {
        .socket = socket(address.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0),
        .deadline_us = start_us + timeout_ms * 1000};
    const char *problem;

    memset(probe_r, 0, sizeof(*probe_r));
    probe_r->address = socket_name(listen);
    if (talk.socket < 0 || !connect_to(&talk, &address, length))
        problem = strerror(errno);
    else
        problem = protocol == PROBE_POLICY ? talk_policy(&talk) : talk_milter(&talk);
    probe_r->answers = problem == NULL;
    probe_r->problem = mem_copy(problem);
    probe_r->took_us = clock_now_us(&clock_steady) - start_us;
    if (talk.socket >= 0)
        close(talk.socket);
}

void probe_clear(struct probe *probe)
{
    free(probe->address);
    free(probe->problem);
    memset(probe, 0, sizeof(*probe));
}
