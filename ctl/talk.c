/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/talk.h"

#include "lib/base/clock.h"

#include <errno.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MS_US INT64_C(1000)

static bool fail(struct talk *talk, const char *why)
{
    (void)snprintf(talk->problem, sizeof(talk->problem), "%s", why);
    return false;
}

static bool wait_for(struct talk *talk, short events)
{
    struct pollfd poll_one = {.fd = talk->socket, .events = events};

    for (;;) {
        const int64_t left_us = talk->deadline_us - clock_now_us(&clock_steady);
        const int ready = left_us > 0 ? poll(&poll_one, 1, (int)(left_us / MS_US + 1)) : 0;

        if (ready > 0)
            return true;
        if (ready == 0)
            return fail(talk, "timed out");
        if (errno != EINTR)
            return fail(talk, strerror(errno));
    }
}

bool talk_connect(struct talk *talk, const struct sockaddr_storage *address, socklen_t length,
                  int64_t timeout_ms)
{
    int error = 0;
    socklen_t error_length = sizeof(error);

    memset(talk, 0, sizeof(*talk));
    talk->deadline_us = clock_now_us(&clock_steady) + timeout_ms * MS_US;
    talk->socket = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (talk->socket < 0)
        return fail(talk, strerror(errno));
    if (connect(talk->socket, (const struct sockaddr *)address, length) == 0)
        return true;
    if (errno != EINPROGRESS)
        return fail(talk, strerror(errno));
    if (!wait_for(talk, POLLOUT))
        return false;
    if (getsockopt(talk->socket, SOL_SOCKET, SO_ERROR, &error, &error_length) != 0)
        error = errno;
    return error == 0 || fail(talk, strerror(error));
}

void talk_close(struct talk *talk)
{
    SSL_free(talk->tls);
    talk->tls = NULL;
    if (talk->socket >= 0)
        close(talk->socket);
    talk->socket = -1;
}

/* Waits for what TLS wants.  false: it failed. */
static bool tls_waits(struct talk *talk, int result)
{
    switch (SSL_get_error(talk->tls, result)) {
    case SSL_ERROR_WANT_READ:
        return wait_for(talk, POLLIN);
    case SSL_ERROR_WANT_WRITE:
        return wait_for(talk, POLLOUT);
    case SSL_ERROR_SSL: {
        const char *reason = ERR_reason_error_string(ERR_peek_last_error());

        return fail(talk, reason != NULL ? reason : "TLS failed");
    }
    default:
        return fail(talk, "it closed the connection");
    }
}

bool talk_secure(struct talk *talk, SSL *tls)
{
    int result;

    talk->tls = tls;
    talk->buffered = 0; /* what was sent before TLS is not to be believed (RFC 3207 section 4.2) */
    ERR_clear_error();
    if (SSL_set_fd(tls, talk->socket) != 1)
        return fail(talk, "TLS does not start");
    while ((result = SSL_connect(tls)) != 1)
        if (!tls_waits(talk, result))
            return false;
    return true;
}

/* One step of sending or receiving.  Returns the number of octets, 0: again, -1: failed. */
static ssize_t step(struct talk *talk, bool sends, char *bytes, size_t length)
{
    ssize_t done;

    if (talk->tls != NULL) {
        const int most = length > TALK_LINE_MAX ? TALK_LINE_MAX : (int)length;
        const int result =
            sends ? SSL_write(talk->tls, bytes, most) : SSL_read(talk->tls, bytes, most);

        return result > 0 ? result : tls_waits(talk, result) ? 0 : -1;
    }
    if (!wait_for(talk, sends ? POLLOUT : POLLIN))
        return -1;
    done = sends ? send(talk->socket, bytes, length, MSG_NOSIGNAL)
                 : recv(talk->socket, bytes, length, 0);
    if (done > 0)
        return done;
    if (done < 0 && (errno == EINTR || errno == EAGAIN))
        return 0;
    (void)fail(talk, done < 0 ? strerror(errno) : "it closed the connection");
    return -1;
}

bool talk_send(struct talk *talk, const char *bytes, size_t length)
{
    while (length > 0) {
        /* what is sent is not changed */
        const ssize_t sent = step(talk, true, (char *)(uintptr_t)bytes, length);

        if (sent < 0)
            return false;
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

static bool fill(struct talk *talk)
{
    const ssize_t got =
        step(talk, false, talk->buffer + talk->buffered, sizeof(talk->buffer) - talk->buffered);

    talk->buffered += got > 0 ? (size_t)got : 0;
    return got >= 0;
}

static void drop(struct talk *talk, size_t length)
{
    talk->buffered -= length;
    memmove(talk->buffer, talk->buffer + length, talk->buffered);
}

bool talk_receive(struct talk *talk, char *bytes_r, size_t length)
{
    while (length > 0) {
        const size_t part = talk->buffered < length ? talk->buffered : length;

        memcpy(bytes_r, talk->buffer, part);
        drop(talk, part);
        bytes_r += part;
        length -= part;
        if (length > 0 && !fill(talk))
            return false;
    }
    return true;
}

bool talk_line(struct talk *talk, char line_r[TALK_LINE_MAX])
{
    size_t kept = 0;

    for (;;) {
        const char *end = memchr(talk->buffer, '\n', talk->buffered);
        const size_t length = end != NULL ? (size_t)(end - talk->buffer) : talk->buffered;
        const size_t room = TALK_LINE_MAX - 1 - kept;

        memcpy(line_r + kept, talk->buffer, length < room ? length : room);
        kept += length < room ? length : room;
        drop(talk, length + (end != NULL));
        if (end != NULL)
            break;
        if (!fill(talk))
            return false;
    }
    if (kept > 0 && line_r[kept - 1] == '\r')
        kept--;
    line_r[kept] = '\0';
    return true;
}

const char *talk_problem(const struct talk *talk)
{
    return talk->problem;
}
