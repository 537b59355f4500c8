/* SPDX-License-Identifier: BSD-2-Clause */
/* What load generators share. */
#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BUCKETS_PER_DOUBLE 64
#define CONNECT_TRIES 5000

union name {
    struct sockaddr any;
    struct sockaddr_un local;
    struct sockaddr_in inet;
};

_Noreturn void bench_die(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, strerror(errno));
    exit(1);
}

uint64_t bench_now_us(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000) + (uint64_t)now.tv_nsec / 1000;
}

void bench_raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

static _Noreturn void bad_server(const char *server)
{
    fprintf(stderr, "\"%s\" is neither unix:PATH nor inet:LOOPBACK-ADDRESS:PORT\n", server);
    exit(64);
}

static socklen_t parse_server(const char *server, union name *name_r)
{
    char host[64];
    unsigned port;

    memset(name_r, 0, sizeof(*name_r));
    if (strncmp(server, "unix:", 5) == 0 && strlen(server + 5) < sizeof(name_r->local.sun_path)) {
        name_r->local.sun_family = AF_UNIX;
        memcpy(name_r->local.sun_path, server + 5, strlen(server + 5));
        return sizeof(name_r->local);
    }
    if (sscanf(server, "inet:%63[0-9.]:%u", host, &port) != 2 || port > UINT16_MAX ||
        inet_pton(AF_INET, host, &name_r->inet.sin_addr) != 1 ||
        ntohl(name_r->inet.sin_addr.s_addr) >> 24 != 127)
        bad_server(server);
    name_r->inet.sin_family = AF_INET;
    name_r->inet.sin_port = htons((uint16_t)port);
    return sizeof(name_r->inet);
}

static int open_socket(const union name *name)
{
    const int fd = socket(name->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = 1;

    if (fd < 0)
        bench_die("socket");
    if (name->any.sa_family == AF_INET) {
        (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
        (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    }
    return fd;
}

static void stop_blocking(int fd)
{
    if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK) != 0)
        bench_die("fcntl");
}

int bench_connect(const char *server)
{
    union name name;
    const socklen_t length = parse_server(server, &name);

    for (int tries = 0; tries < CONNECT_TRIES; tries++) {
        const struct timespec pause = {.tv_nsec = 1000000};
        const int fd = open_socket(&name);

        if (connect(fd, &name.any, length) == 0) {
            stop_blocking(fd);
            return fd;
        }
        close(fd);
        /* A full listen queue; it only looks like an error on unix sockets. */
        if (errno != EAGAIN && errno != EINTR)
            break;
        nanosleep(&pause, NULL);
    }
    bench_die(server);
}

int bench_listen(const char *server)
{
    union name name;
    const socklen_t length = parse_server(server, &name);
    const int fd = open_socket(&name);

    if (bind(fd, &name.any, length) != 0 || listen(fd, SOMAXCONN) != 0)
        bench_die(server);
    /* An MTA connects as a user of its own. */
    if (name.any.sa_family == AF_UNIX && chmod(name.local.sun_path, 0777) != 0)
        bench_die(server);
    stop_blocking(fd);
    return fd;
}

/* --- percentiles ---------------------------------------------------------------------- */

/* The first 64 microseconds have a bucket each; each doubling from there on has 64. */
static size_t bucket_of(uint64_t us)
{
    unsigned shift = 0;
    size_t bucket;

    while (us >> shift >= 2 * BUCKETS_PER_DOUBLE)
        shift++;
    bucket = shift * BUCKETS_PER_DOUBLE + (size_t)(us >> shift);
    return bucket < BENCH_TIMES_BUCKETS ? bucket : BENCH_TIMES_BUCKETS - 1;
}

static uint64_t bucket_us(size_t bucket)
{
    size_t shift;

    if (bucket < 2 * BUCKETS_PER_DOUBLE)
        return bucket;
    shift = bucket / BUCKETS_PER_DOUBLE - 1;
    return (uint64_t)(bucket - shift * BUCKETS_PER_DOUBLE) << shift;
}

void bench_times_add(struct bench_times *times, uint64_t us)
{
    times->buckets[bucket_of(us)]++;
    times->count++;
    if (us > times->max_us)
        times->max_us = us;
}

uint64_t bench_times_at(const struct bench_times *times, double share)
{
    const uint64_t wanted = (uint64_t)((double)times->count * share);
    uint64_t seen = 0;

    for (size_t i = 0; i < BENCH_TIMES_BUCKETS; i++) {
        seen += times->buckets[i];
        if (seen > wanted)
            return bucket_us(i);
    }
    return times->max_us;
}

void bench_times_print(const struct bench_times *times)
{
    printf(" p50=%" PRIu64 " p95=%" PRIu64 " p99=%" PRIu64 " max=%" PRIu64,
           bench_times_at(times, 0.50), bench_times_at(times, 0.95), bench_times_at(times, 0.99),
           times->max_us);
}
