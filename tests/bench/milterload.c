/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Loads a milter as Postfix does: messages of logged-in users, each on a connection of its own or
 * several on one, as fast as the milter takes them.
 *
 *     milterload [-c CONNECTIONS] [-m MESSAGES-PER-CONNECTION] [-s BODY-OCTETS] [-t SECONDS]
 *                [-u USERS] unix:PATH | inet:ADDRESS:PORT
 *
 * Prints what it counted as name=value.  A message's time is that from its first packet, or from
 * the connection's for its first one, to the final verdict.
 */
#include "tests/bench/bench.h"
#include "tests/bench/milter_steps.h"

#include <errno.h>
#include <inttypes.h>
#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define PACKET_MAX (1u << 20)
#define READ_BYTES 65536
#define EVENTS_MAX 64
#define LINE_OCTETS 76u

static struct load load = {
    .connections = 8, .per_connection = 1, .size = 4096, .seconds = 3, .users = 1000};

static struct {
    uint64_t messages, accepted, refused, is_signed, modifications;
    struct bench_times times;
} counts;

static uint64_t end_us, serial;
static int poller;
static size_t open_connections;

static void watch(struct connection *connection, bool writes)
{
    struct epoll_event event = {.events = EPOLLIN | (writes ? EPOLLOUT : 0u),
                                .data.ptr = connection};

    if (connection->listening_for_writes != writes &&
        epoll_ctl(poller, EPOLL_CTL_MOD, connection->fd, &event) != 0)
        bench_die("epoll_ctl");
    connection->listening_for_writes = writes;
}

static void flush(struct connection *connection)
{
    struct buffer *out = &connection->out;
    size_t sent = 0;

    while (sent < out->length) {
        ssize_t length = send(connection->fd, out->bytes + sent, out->length - sent, MSG_NOSIGNAL);

        if (length < 0 && errno == EAGAIN)
            break;
        if (length < 0)
            bench_die("send");
        sent += (size_t)length;
    }
    memmove(out->bytes, out->bytes + sent, out->length - sent);
    out->length -= sent;
    watch(connection, out->length > 0);
}

static void proceed(struct connection *connection)
{
    while (!connection->waiting) {
        connection->waiting = steps_send(connection, &load);
        if (!connection->waiting)
            steps_advance(connection, &load);
    }
    flush(connection);
}

/* --- connections ---------------------------------------------------------------------- */

static void open_connection(struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};

    connection->begun_us = bench_now_us();
    connection->fd = bench_connect(load.server);
    steps_begin_connection(connection);
    if (epoll_ctl(poller, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        bench_die("epoll_ctl");
    steps_begin_message(connection, &load, ++serial);
    proceed(connection);
}

static void close_connection(struct connection *connection)
{
    packet_bare(&connection->out, SMFIC_QUIT);
    flush(connection);
    close(connection->fd);
}

static void end_message(struct connection *connection, bool accepted)
{
    counts.messages++;
    counts.accepted += accepted;
    counts.refused += !accepted;
    bench_times_add(&counts.times, bench_now_us() - connection->begun_us);
    packet_bare(&connection->out, SMFIC_ABORT);
    if (bench_now_us() >= end_us) {
        close_connection(connection);
        connection->ended = true;
        open_connections--;
    } else if (connection->on_connection == load.per_connection) {
        close_connection(connection);
        open_connection(connection);
    } else {
        connection->begun_us = bench_now_us();
        connection->step = MAIL;
        steps_begin_message(connection, &load, ++serial);
        proceed(connection);
    }
}

/* --- replies -------------------------------------------------------------------------- */

static void take_verdict(struct connection *connection, char reply)
{
    const bool accepted = reply == SMFIR_CONTINUE || reply == SMFIR_ACCEPT;

    connection->waiting = false;
    if (connection->step == END || reply != SMFIR_CONTINUE) {
        end_message(connection, accepted);
        return;
    }
    steps_advance(connection, &load);
    proceed(connection);
}

static void take_packet(struct connection *connection, const char *packet, size_t length)
{
    static const char header[] = "DKIM-Signature";

    switch (packet[0]) {
    case SMFIC_OPTNEG:
        steps_take_options(connection, packet + 1, length - 1);
        connection->waiting = false;
        steps_advance(connection, &load);
        proceed(connection);
        break;
    case SMFIR_INSHEADER:
        counts.is_signed +=
            length > 5 + sizeof(header) && memcmp(packet + 5, header, sizeof(header)) == 0;
        counts.modifications++;
        break;
    case SMFIR_ADDHEADER:
    case SMFIR_CHGHEADER:
    case SMFIR_QUARANTINE:
        counts.modifications++;
        break;
    case SMFIR_PROGRESS:
        break;
    default:
        take_verdict(connection, packet[0]);
        break;
    }
}

/* Takes the first packet that is whole; false: there is none. */
static bool take_first(struct connection *connection)
{
    struct buffer *in = &connection->in;
    size_t length = in->length >= 4 ? packet_number(in->bytes) : 0;
    char *packet;

    if (length > PACKET_MAX)
        bench_die("a packet's length");
    if (in->length < 4 || in->length < 4 + length || length == 0)
        return false;
    packet = malloc(length);
    if (packet == NULL)
        bench_die("memory");
    memcpy(packet, in->bytes + 4, length);
    memmove(in->bytes, in->bytes + 4 + length, in->length - 4 - length);
    in->length -= 4 + length;
    take_packet(connection, packet, length);
    free(packet);
    return true;
}

static void receive(struct connection *connection)
{
    struct buffer *in = &connection->in;
    ssize_t length;

    buffer_room(in, READ_BYTES);
    length = recv(connection->fd, in->bytes + in->length, READ_BYTES, 0);
    if (length < 0 && errno == EAGAIN)
        return;
    if (length <= 0)
        bench_die("the milter hung up");
    in->length += (size_t)length;
    while (!connection->ended && take_first(connection))
        continue;
}

/* --- the run -------------------------------------------------------------------------- */

static void make_body(void)
{
    char *body = malloc(load.size + 1);

    if (body == NULL)
        bench_die("memory");
    for (size_t i = 0; i < load.size; i++)
        body[i] = (char)(i % LINE_OCTETS % 7 == 6 ? ' ' : 'a' + (char)(i * 31 % 26));
    for (size_t i = LINE_OCTETS; i <= load.size; i += LINE_OCTETS)
        memcpy(body + i - 2, "\r\n", 2);
    if (load.size >= 2)
        memcpy(body + load.size - 2, "\r\n", 2);
    load.body = body;
}

static void print_counts(double seconds)
{
    printf("messages=%" PRIu64 " seconds=%.3f rate=%.1f", counts.messages, seconds,
           (double)counts.messages / seconds);
    bench_times_print(&counts.times);
    printf(" accepted=%" PRIu64 " refused=%" PRIu64 " signed=%" PRIu64 " modifications=%" PRIu64
           "\n",
           counts.accepted, counts.refused, counts.is_signed, counts.modifications);
}

static void run(void)
{
    struct connection *connections = calloc(load.connections, sizeof(*connections));
    struct epoll_event events[EVENTS_MAX];
    const uint64_t begin_us = bench_now_us();

    if (connections == NULL)
        bench_die("memory");
    poller = epoll_create1(EPOLL_CLOEXEC);
    end_us = begin_us + load.seconds * UINT64_C(1000000);
    open_connections = load.connections;
    for (size_t i = 0; i < load.connections; i++)
        open_connection(&connections[i]);
    while (open_connections > 0) {
        int count = epoll_wait(poller, events, EVENTS_MAX, -1);

        for (int i = 0; i < count; i++) {
            struct connection *connection = events[i].data.ptr;

            if (events[i].events & EPOLLOUT)
                flush(connection);
            if (events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR))
                receive(connection);
        }
    }
    print_counts((double)(bench_now_us() - begin_us) / 1e6);
    for (size_t i = 0; i < load.connections; i++) {
        free(connections[i].in.bytes);
        free(connections[i].out.bytes);
    }
    free(connections);
}

static size_t parse_number(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text == '\0' || *end != '\0' || number == 0 || number > 100000000) {
        fprintf(stderr, "\"%s\" is no number from 1 to 100000000\n", text);
        exit(64);
    }
    return number;
}

int main(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "c:m:s:t:u:")) != -1) {
        switch (option) {
        case 'c':
            load.connections = parse_number(optarg);
            break;
        case 'm':
            load.per_connection = parse_number(optarg);
            break;
        case 's':
            load.size = parse_number(optarg);
            break;
        case 't':
            load.seconds = parse_number(optarg);
            break;
        case 'u':
            load.users = parse_number(optarg);
            break;
        default:
            return 64;
        }
    }
    if (optind != argc - 1) {
        fprintf(stderr, "usage: milterload [-c N] [-m N] [-s N] [-t N] [-u N] SERVER\n");
        return 64;
    }
    load.server = argv[optind];
    bench_raise_descriptors();
    make_body();
    run();
    free(load.body);
    return 0;
}
