/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Postfix' policy delegation protocol (SMTPD_POLICY_README): a request is lines of "name=value",
 * ended by an empty line.
 *
 * A parser follows the bytes of one request as they come, in whatever pieces; it works in place and
 * allocates nothing.  Values are as Postfix wrote them: a character that it cannot print is a '?',
 * and only the ccert_ attributes are in xtext.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>

#define PROTOCOL_LINE_MAX 8192 /* octets of a line without its newline */
#define PROTOCOL_ATTRIBUTES_MAX 256 /* Postfix 3.10 sends about 40 */

/* The attributes that we use, in the order in which Postfix sends them. */
enum protocol_attribute {
    ATTRIBUTE_REQUEST,
    ATTRIBUTE_PROTOCOL_STATE,
    ATTRIBUTE_CLIENT_ADDRESS,
    ATTRIBUTE_CLIENT_NAME,
    ATTRIBUTE_SERVER_PORT,
    ATTRIBUTE_HELO_NAME,
    ATTRIBUTE_SENDER,
    ATTRIBUTE_RECIPIENT,
    ATTRIBUTE_RECIPIENT_COUNT,
    ATTRIBUTE_QUEUE_ID,
    ATTRIBUTE_INSTANCE,
    ATTRIBUTE_SIZE,
    ATTRIBUTE_SASL_METHOD,
    ATTRIBUTE_SASL_USERNAME,
    ATTRIBUTE_CCERT_SUBJECT,
    ATTRIBUTE_CCERT_ISSUER,
    ATTRIBUTE_CCERT_FINGERPRINT,
    ATTRIBUTE_ENCRYPTION_PROTOCOL,
    ATTRIBUTE_ENCRYPTION_CIPHER,
    ATTRIBUTE_ENCRYPTION_KEYSIZE,
    ATTRIBUTE_COUNT
};

/* A complete request.  The values are borrowed from the bytes it was parsed from; "" where the
 * attribute is missing or empty.  Of one that is sent twice the last counts. */
struct protocol_request {
    const char *values[ATTRIBUTE_COUNT];
};

struct protocol_parser {
    size_t line; /* where the line begins that is not complete yet */
    size_t scanned; /* no newline from there to here */
    unsigned attributes;
    uint32_t next; /* the attribute that is most likely next */
    uint32_t values[ATTRIBUTE_COUNT]; /* where each begins; 0: not seen */
};

enum protocol_status {
    PROTOCOL_MORE, /* not complete yet */
    PROTOCOL_REQUEST, /* *request_r is set, and *used_r to the octets it took */
    PROTOCOL_BAD, /* *problem_r says why, a literal; what follows cannot be understood either */
};

/* Gets ready for a request. */
void protocol_begin(struct protocol_parser *parser);

/* Goes on with the request that begins at bytes, of which length octets are there by now; they may
 * have moved since the last call.  Newlines become NULs.  A request over max_request octets is bad.
 */
enum protocol_status protocol_parse(struct protocol_parser *parser, char *bytes, size_t length,
                                    size_t max_request, size_t *used_r,
                                    struct protocol_request *request_r, const char **problem_r);
