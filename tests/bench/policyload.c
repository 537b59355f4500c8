/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Load for a policy service: as many connections as asked for, each with one request outstanding,
 * as smtpd has, and with the attributes that Postfix sends.  Prints key=value pairs on one line.
 *
 * It connects to unix sockets and loopback addresses only.
 */
#include "tests/bench/bench.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 2048
#define ANSWER_MAX 2048
#define LOGIN_MAX 500
#define EVENTS_AT_ONCE 256
#define CONNECTIONS_MAX 20000

static struct {
    const char *server, *state, *login;
    unsigned long connections, users, recipients, seconds, requests;
    bool idle;
} options = {.state = "RCPT", .connections = 1, .users = 1000, .recipients = 1, .seconds = 3};

struct client {
    int fd;
    unsigned long id, message; /* which of this client's messages it is */
    unsigned long recipient; /* of the message, for the states in turn */
    uint64_t asked_us;
    size_t length; /* of the answer so far */
    char answer[ANSWER_MAX];
};

static struct {
    struct bench_times times;
    uint64_t requests, dunno, refused, other;
    uint64_t random;
    unsigned long process; /* part of ids, so that two runs do not meet in one counter */
} run;

/* xorshift64: the same users in the same order in every run. */
static unsigned long random_below(unsigned long n)
{
    run.random ^= run.random << 13;
    run.random ^= run.random >> 7;
    run.random ^= run.random << 17;
    return (unsigned long)(run.random % n);
}

/* "MESSAGE" goes through a message's states: RCPT for each recipient, then END-OF-MESSAGE. */
static const char *next_state(struct client *client)
{
    if (strcmp(options.state, "MESSAGE") != 0) {
        client->message++;
        return options.state;
    }
    if (client->message == 0 || client->recipient > options.recipients) {
        client->message++;
        client->recipient = 0;
    }
    return client->recipient++ < options.recipients ? "RCPT" : "END-OF-MESSAGE";
}

/* Appended by hand: with printf(3) the generator would be busier than what it measures. */
struct line {
    char *end;
};

static void put(struct line *line, const char *text)
{
    const size_t length = strlen(text);

    memcpy(line->end, text, length);
    line->end += length;
}

static void put_number(struct line *line, unsigned long number)
{
    char digits[24];
    size_t at = sizeof(digits);

    do
        digits[--at] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    memcpy(line->end, digits + at, sizeof(digits) - at);
    line->end += sizeof(digits) - at;
}

static void put_user(struct line *line, unsigned long user)
{
    put(line, "user");
    put_number(line, user);
    put(line, "@example.com");
}

static void put_ids(struct line *line, const struct client *client, char separator)
{
    const char text[] = {separator, '\0'};

    put_number(line, run.process);
    put(line, text);
    put_number(line, client->id);
    put(line, text);
    put_number(line, client->message);
}

static size_t make_request(struct client *client, char *request)
{
    const char *state = next_state(client);
    const bool rcpt = strcmp(state, "RCPT") == 0;
    const unsigned long count = rcpt ? 0 : options.recipients;
    /* One user per message. */
    const unsigned long user = strcmp(options.state, "MESSAGE") == 0
                                   ? (client->id * 7919 + client->message * 104729) % options.users
                                   : random_below(options.users);
    struct line line = {request};

    put(&line, "request=smtpd_access_policy\nprotocol_state=");
    put(&line, state);
    put(&line, "\nprotocol_name=ESMTP\nclient_address=192.0.2.10\nclient_name=unknown\n"
               "client_port=");
    put_number(&line, 20000 + client->id);
    put(&line, "\nreverse_client_name=unknown\nserver_address=127.0.0.1\nserver_port=587\n"
               "helo_name=client.example.org\nsender=");
    put_user(&line, user);
    put(&line, "\nrecipient=");
    if (rcpt || count == 1) {
        put(&line, "rcpt");
        put_number(&line, random_below(10000));
        put(&line, "@example.net");
    }
    put(&line, "\nrecipient_count=");
    put_number(&line, count);
    put(&line, "\nqueue_id=");
    if (!rcpt)
        put_ids(&line, client, 'Q');
    put(&line, "\ninstance=");
    put_ids(&line, client, '.');
    put(&line, "\nsize=4096\netrn_domain=\nstress=\nsasl_method=PLAIN\nsasl_username=");
    if (options.login != NULL)
        put(&line, options.login);
    else
        put_user(&line, user);
    put(&line, "\nsasl_sender=\nccert_subject=\nccert_issuer=\nccert_fingerprint=\n"
               "ccert_pubkey_fingerprint=\nencryption_protocol=TLSv1.3\n"
               "encryption_cipher=TLS_AES_256_GCM_SHA384\nencryption_keysize=256\n"
               "policy_context=submission\n\n");
    return (size_t)(line.end - request);
}

static void ask(struct client *client)
{
    char request[REQUEST_MAX];
    const size_t length = make_request(client, request);

    client->length = 0;
    client->asked_us = bench_now_us();
    /* A request is far smaller than a socket's buffer, which is empty at this point. */
    if (send(client->fd, request, length, MSG_NOSIGNAL) != (ssize_t)length)
        bench_die("send");
}

static void count(const char *action)
{
    run.requests++;
    if (strncasecmp(action, "DUNNO", 5) == 0)
        run.dunno++;
    else if (action[0] == '4' || action[0] == '5')
        run.refused++;
    else
        run.other++;
}

/* true: the answer is complete. */
static bool take_answer(struct client *client)
{
    const ssize_t received = recv(client->fd, client->answer + client->length,
                                  sizeof(client->answer) - 1 - client->length, 0);

    if (received < 0 && (errno == EAGAIN || errno == EINTR))
        return false;
    if (received <= 0) {
        fprintf(stderr, "policyload: the server has closed a connection\n");
        exit(1);
    }
    client->length += (size_t)received;
    client->answer[client->length] = '\0';
    if (client->length < 2 || strcmp(client->answer + client->length - 2, "\n\n") != 0)
        return false;
    if (strncmp(client->answer, "action=", 7) != 0) {
        fprintf(stderr, "policyload: an answer without action=\n");
        exit(1);
    }
    bench_times_add(&run.times, bench_now_us() - client->asked_us);
    count(client->answer + 7);
    return true;
}

static void run_load(struct client *clients, int epoll, uint64_t end_us)
{
    struct epoll_event events[EVENTS_AT_ONCE];
    unsigned long open = 0;

    for (unsigned long i = 0; i < options.connections; i++, open++)
        ask(&clients[i]);
    while (open > 0) {
        const int n = epoll_wait(epoll, events, EVENTS_AT_ONCE, 10000);
        const bool more =
            bench_now_us() < end_us && (options.requests == 0 || run.requests < options.requests);

        if (n == 0) {
            fprintf(stderr, "policyload: no answer for ten seconds\n");
            exit(1);
        }
        for (int i = 0; i < n; i++) {
            struct client *client = events[i].data.ptr;

            if (!take_answer(client))
                continue;
            if (more)
                ask(client);
            else
                open--;
        }
    }
}

static void print_results(uint64_t took_us)
{
    printf("connections=%lu users=%lu state=%s requests=%" PRIu64 " seconds=%.3f rate=%.0f "
           "dunno=%" PRIu64 " refused=%" PRIu64 " other=%" PRIu64,
           options.connections, options.users, options.state, run.requests, (double)took_us / 1e6,
           (double)run.requests / ((double)took_us / 1e6), run.dunno, run.refused, run.other);
    bench_times_print(&run.times);
    printf("\n");
}

static void usage(FILE *out)
{
    fprintf(out, "usage: policyload [OPTION]... unix:PATH|inet:ADDRESS:PORT\n"
                 "  -c N      connections (1)\n"
                 "  -u N      users, drawn at random (1000)\n"
                 "  -s STATE  RCPT (default), DATA, END-OF-MESSAGE, or MESSAGE for RCPT and\n"
                 "            END-OF-MESSAGE of each message in turn\n"
                 "  -r N      recipients of a message (1)\n"
                 "  -l LOGIN  one login for all requests; \"\" for none\n"
                 "  -t N      seconds (3)\n"
                 "  -n N      requests, if that comes first\n"
                 "  -i        connect, say so, and do nothing until standard input ends\n");
}

static unsigned long number_of(const char *text, unsigned long max)
{
    char *end;
    const unsigned long number = strtoul(text, &end, 10);

    if (*text < '0' || *text > '9' || *end != '\0' || number == 0 || number > max) {
        fprintf(stderr, "policyload: \"%s\" is not a number from 1 to %lu\n", text, max);
        exit(64);
    }
    return number;
}

static void parse_options(int argc, char **argv)
{
    int option;

    while ((option = getopt(argc, argv, "c:u:s:r:l:t:n:ih")) != -1) {
        switch (option) {
        case 'c':
            options.connections = number_of(optarg, CONNECTIONS_MAX);
            break;
        case 'u':
            options.users = number_of(optarg, 100000000);
            break;
        case 's':
            options.state = optarg;
            break;
        case 'r':
            options.recipients = number_of(optarg, 100000);
            break;
        case 'l':
            options.login = optarg;
            if (strlen(optarg) > LOGIN_MAX) {
                fprintf(stderr, "policyload: a login has at most %d octets\n", LOGIN_MAX);
                exit(64);
            }
            break;
        case 't':
            options.seconds = number_of(optarg, 86400);
            break;
        case 'n':
            options.requests = number_of(optarg, 1000000000);
            break;
        case 'i':
            options.idle = true;
            break;
        default:
            usage(option == 'h' ? stdout : stderr);
            exit(option == 'h' ? 0 : 64);
        }
    }
    if (optind != argc - 1) {
        usage(stderr);
        exit(64);
    }
    options.server = argv[optind];
}

int main(int argc, char **argv)
{
    struct client *clients;
    uint64_t start_us;
    int epoll;

    parse_options(argc, argv);
    bench_raise_descriptors();
    run.random = UINT64_C(0x9e3779b97f4a7c15);
    run.process = (unsigned long)getpid();
    clients = calloc(options.connections, sizeof(*clients));
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (clients == NULL || epoll < 0)
        bench_die("start");
    for (unsigned long i = 0; i < options.connections; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = &clients[i]};

        clients[i].id = i;
        clients[i].fd = bench_connect(options.server);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, clients[i].fd, &event) != 0)
            bench_die("epoll_ctl");
    }
    if (options.idle) {
        printf("connections=%lu\n", options.connections);
        fflush(stdout);
        while (getchar() != EOF)
            continue;
        return 0;
    }
    start_us = bench_now_us();
    run_load(clients, epoll, start_us + options.seconds * UINT64_C(1000000));
    print_results(bench_now_us() - start_us);
    free(clients);
    return 0;
}
