/* SPDX-License-Identifier: BSD-2-Clause */
/* A name server on the test's own loop. */
#include "tests/support/responder.h"

#include "lib/base/mem.h"
#include "tests/support/packet.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define HELD_MAX 4096
#define QUERY_MAX 512
#define TTL 300
#define MINIMUM 60

struct held {
    struct sockaddr_in from;
    uint8_t query[QUERY_MAX];
    size_t length;
};

struct responder {
    int fd;
    struct event *event;
    char address[32];
    enum responder_mode mode;
    size_t questions;
    char *text; /* of TXT records; NULL: none */
    uint32_t text_ttl_sec;
    struct held *held;
    size_t held_count;
};

static void add_text(const struct responder *responder, struct packet *packet)
{
    uint8_t data[1024];
    size_t length = 0;

    for (const char *rest = responder->text; *rest != '\0';) {
        const size_t part = strnlen(rest, 255);

        if (length + 1 + part > sizeof(data))
            abort();
        data[length] = (uint8_t)part;
        memcpy(data + length + 1, rest, part);
        length += 1 + part;
        rest += part;
    }
    packet_add(packet, PACKET_ANSWER, NULL, 16, responder->text_ttl_sec, data, length);
}

static void answer(struct responder *responder, const struct held *question)
{
    static const uint8_t address[] = {192, 0, 2, 1};
    static const uint8_t exchange[] = {0, 10, 2, 'm', 'x', 0}, no_exchange[] = {0, 0, 0};
    struct packet packet;
    char asked[256];
    unsigned type;

    packet_reply(&packet, question->query, question->length, 0, asked, &type);
    if (responder->mode == RESPONDER_SERVFAIL || (type == 28 && strstr(asked, "half") != NULL)) {
        packet.bytes[3] |= 2;
    } else if (strstr(asked, "absent") != NULL) {
        packet.bytes[3] |= 3;
        packet_add_soa(&packet, TTL, MINIMUM);
    } else if (type == 15 && strstr(asked, "mail") != NULL) {
        packet_add(&packet, PACKET_ANSWER, NULL, 15, TTL, exchange, sizeof(exchange));
    } else if (type == 15 && strstr(asked, "null") != NULL) {
        packet_add(&packet, PACKET_ANSWER, NULL, 15, TTL, no_exchange, sizeof(no_exchange));
    } else if (type == 1 && strstr(asked, "bare") == NULL) {
        packet_add(&packet, PACKET_ANSWER, NULL, 1, TTL, address, sizeof(address));
    } else if (type == 16 && responder->text != NULL) {
        add_text(responder, &packet);
    } else {
        packet_add_soa(&packet, responder->text_ttl_sec > 0 ? responder->text_ttl_sec : TTL,
                       MINIMUM);
    }
    (void)sendto(responder->fd, packet.bytes, packet.length, 0,
                 (const struct sockaddr *)&question->from, sizeof(question->from));
}

static void on_question(evutil_socket_t fd, short events, void *context)
{
    struct responder *responder = context;
    struct held question = {0};
    socklen_t from_length = sizeof(question.from);
    ssize_t length = recvfrom(fd, question.query, sizeof(question.query), 0,
                              (struct sockaddr *)&question.from, &from_length);

    (void)events;
    if (length < 17)
        return;
    question.length = (size_t)length;
    responder->questions++;
    if (responder->mode == RESPONDER_HOLDS) {
        if (responder->held_count < HELD_MAX)
            responder->held[responder->held_count++] = question;
    } else if (responder->mode != RESPONDER_SILENT) {
        answer(responder, &question);
    }
}

struct responder *responder_new(struct loop *loop, uint16_t port)
{
    struct responder *responder = mem_new(1, sizeof(*responder));
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    socklen_t length = sizeof(address);
    const int room = 4 * 1024 * 1024;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    responder->held = mem_new(HELD_MAX, sizeof(*responder->held));
    responder->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (responder->fd < 0 || bind(responder->fd, (const struct sockaddr *)&address, length) != 0 ||
        getsockname(responder->fd, (struct sockaddr *)&address, &length) != 0)
        abort();
    /* Many questions come at once, and as root there is room for them. */
    (void)setsockopt(responder->fd, SOL_SOCKET, SO_RCVBUFFORCE, &room, sizeof(room));
    (void)snprintf(responder->address, sizeof(responder->address), "127.0.0.1@%u",
                   (unsigned)ntohs(address.sin_port));
    responder->event =
        event_new(loop_base(loop), responder->fd, EV_READ | EV_PERSIST, on_question, responder);
    if (responder->event == NULL || event_add(responder->event, NULL) != 0)
        abort();
    return responder;
}

void responder_free(struct responder **responder)
{
    struct responder *old = *responder;

    if (old == NULL)
        return;
    event_free(old->event);
    (void)close(old->fd);
    free(old->held);
    free(old->text);
    free(old);
    *responder = NULL;
}

const char *responder_address(const struct responder *responder)
{
    return responder->address;
}

void responder_set(struct responder *responder, enum responder_mode mode)
{
    responder->mode = mode;
}

void responder_set_text(struct responder *responder, const char *text, uint32_t ttl_sec)
{
    free(responder->text);
    responder->text = mem_copy(text);
    responder->text_ttl_sec = ttl_sec;
}

void responder_release(struct responder *responder)
{
    for (size_t i = 0; i < responder->held_count; i++)
        answer(responder, &responder->held[i]);
    responder->held_count = 0;
}

size_t responder_questions(const struct responder *responder)
{
    return responder->questions;
}

size_t responder_held(const struct responder *responder)
{
    return responder->held_count;
}
