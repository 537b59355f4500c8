/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Reads what an MTA sends in large pieces, for libmilter reads it in very small ones.
 *
 * libmilter asks poll(2) three times and read(2) twice for each packet, and a message with nine
 * header fields is some thirty-five packets: most of what a message costs outside of its signature.
 * MTAs write the packets that need no reply together.  So what a connection has brought is read at
 * once, and handed to libmilter from memory.
 *
 * The dynamic linker looks for these functions in the program first, so they are the ones that
 * libmilter calls; so does the rest of the process, for which they do what libc's do.  Only
 * libmilter calls accept(2), by which a descriptor becomes a connection, until close(2).  A
 * compiler that hardens its calls may bind some of a library's to the names with _chk at the end.
 */
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 65536 /* descriptors from here on are read as they are */
#define BUFFER_OCTETS 8192 /* of each connection: the headers and the body of a short message */

/* libmilter lets one thread at a time read a connection. */
struct connection {
    size_t begin, end; /* what waits in bytes */
    char bytes[BUFFER_OCTETS];
};

static _Atomic(struct connection *) connections[CONNECTIONS_MAX]; /* by descriptor */

static struct connection *find(int fd)
{
    return fd >= 0 && fd < CONNECTIONS_MAX ? atomic_load(&connections[fd]) : NULL;
}

static bool has_bytes(const struct connection *connection)
{
    return connection != NULL && connection->begin < connection->end;
}

static ssize_t plain_read(int fd, void *bytes, size_t length)
{
    struct iovec place = {.iov_base = bytes, .iov_len = length};

    return readv(fd, &place, 1);
}

static int plain_poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    const struct timespec timeout = {.tv_sec = timeout_ms / 1000,
                                     .tv_nsec = timeout_ms % 1000 * 1000000L};

    return ppoll(polled, count, timeout_ms < 0 ? NULL : &timeout, NULL);
}

/* --- the life of a connection ----------------------------------------------------------- */

static void forget(int fd)
{
    if (find(fd) != NULL)
        free(atomic_exchange(&connections[fd], NULL));
}

int accept(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
    int accepted = accept4(fd, address, length, 0);

    /* without memory for it, it is read as it is */
    if (accepted >= 0 && accepted < CONNECTIONS_MAX) {
        forget(accepted);
        atomic_store(&connections[accepted], calloc(1, sizeof(struct connection)));
    }
    return accepted;
}

/* The system call itself: libc has no other name for it. */
int close(int fd)
{
    forget(fd);
    return (int)syscall(SYS_close, fd);
}

/* --- reading ---------------------------------------------------------------------------- */

ssize_t read(int fd, void *bytes, size_t length)
{
    struct connection *connection = find(fd);

    if (connection == NULL || (!has_bytes(connection) && length >= BUFFER_OCTETS))
        return plain_read(fd, bytes, length);
    if (!has_bytes(connection)) {
        ssize_t got = plain_read(fd, connection->bytes, BUFFER_OCTETS);

        if (got <= 0)
            return got;
        connection->begin = 0;
        connection->end = (size_t)got;
    }
    if (length > connection->end - connection->begin)
        length = connection->end - connection->begin;
    memcpy(bytes, connection->bytes + connection->begin, length);
    connection->begin += length;
    return (ssize_t)length;
}

/* Whether there is something to read; takes at once what has come meanwhile. */
static bool is_ready(int fd, struct connection *connection)
{
    ssize_t got;

    if (has_bytes(connection))
        return true;
    got = recv(fd, connection->bytes, BUFFER_OCTETS, MSG_DONTWAIT);
    if (got <= 0)
        return false; /* poll(2) tells the end and errors too */
    connection->begin = 0;
    connection->end = (size_t)got;
    return true;
}

static bool waits_in_memory(const struct pollfd *polled)
{
    return polled->events & POLLIN && has_bytes(find(polled->fd));
}

/* libmilter's one thread for the idle connections asks for many at once. */
static int poll_many(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    bool any = false;
    int ready;

    for (nfds_t i = 0; i < count && !any; i++)
        any = waits_in_memory(&polled[i]);
    ready = plain_poll(polled, count, any ? 0 : timeout_ms);
    if (!any || ready < 0)
        return ready;
    for (nfds_t i = 0; i < count; i++)
        if (waits_in_memory(&polled[i])) {
            ready += polled[i].revents == 0;
            polled[i].revents |= POLLIN;
        }
    return ready;
}

/* libc's declaration says that poll(2) only writes to the array: this is it by another name. */
int packets_poll(struct pollfd *polled, nfds_t count, int timeout_ms) __asm__("poll");
int packets_poll_checked(struct pollfd *polled, nfds_t count, int timeout_ms,
                         size_t room) __asm__("__poll_chk");
ssize_t packets_read_checked(int fd, void *bytes, size_t length, size_t room) __asm__("__read_chk");

int packets_poll(struct pollfd *polled, nfds_t count, int timeout_ms)
{
    struct connection *connection = count == 1 ? find(polled->fd) : NULL;

    if (connection == NULL || !(polled->events & POLLIN))
        return poll_many(polled, count, timeout_ms);
    if (!is_ready(polled->fd, connection))
        return plain_poll(polled, count, timeout_ms);
    polled->revents = POLLIN;
    return 1;
}

int packets_poll_checked(struct pollfd *polled, nfds_t count, int timeout_ms, size_t room)
{
    if (room / sizeof(*polled) < count)
        abort();
    return packets_poll(polled, count, timeout_ms);
}

ssize_t packets_read_checked(int fd, void *bytes, size_t length, size_t room)
{
    if (room < length)
        abort();
    return read(fd, bytes, length);
}
