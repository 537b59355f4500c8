/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A conversation with a server, waited for until a deadline; in the clear, or with TLS.
 *
 * Functions return false when it failed or took too long; talk_problem() says why.
 */
#pragma once

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define TALK_LINE_MAX 2048 /* octets of a reply's line; RFC 5321 section 4.5.3.1.5 has 512 */

/* Starts with talk_connect(), ends with talk_close(). */
struct talk {
    int socket;
    int64_t deadline_us; /* of clock_steady; may be moved */
    SSL *tls; /* NULL: in the clear */
    char problem[128];
    char buffer[TALK_LINE_MAX]; /* received, and not read yet */
    size_t buffered;
};

bool talk_connect(struct talk *talk, const struct sockaddr_storage *address, socklen_t length,
                  int64_t timeout_ms);
void talk_close(struct talk *talk);

/* From now on with TLS: tls is taken, and has its name and its verification set. */
bool talk_secure(struct talk *talk, SSL *tls);

bool talk_send(struct talk *talk, const char *bytes, size_t length);

/* Exactly length octets. */
bool talk_receive(struct talk *talk, char *bytes_r, size_t length);

/* One line without its end; what stands behind TALK_LINE_MAX of one that is longer is cut. */
bool talk_line(struct talk *talk, char line_r[TALK_LINE_MAX]);

/* "timed out", "Connection refused", ... */
const char *talk_problem(const struct talk *talk);
