/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a message's octets are like: lines that are too long, line ends that are none, octets that
 * servers on the way change.  What is changed after signing breaks the signature.
 *
 * Pure; the body may come in pieces of any size.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Octets of a line without its CRLF (RFC 5322 section 2.1.1); MTAs break longer ones, by Postfix'
 * smtp_line_length_limit. */
#define WIRE_LINE_MAX 998

#define WIRE_HEAD_MAX 64 /* octets of a body's line that are kept */

/* Starts zeroed. */
struct wire {
    bool complete; /* headers and body are all seen */
    uint64_t long_lines; /* of headers and body */
    uint64_t longest; /* octets of the longest line */
    uint64_t bare_returns, bare_feeds; /* a CR without LF, an LF without CR */
    uint64_t nuls;
    bool eight_bit; /* an octet over 127 */
    bool encoded_8bit; /* a part says that it is 8bit or binary, whatever its octets are */
    /* Of the body's line so far */
    uint64_t line;
    char head[WIRE_HEAD_MAX]; /* of a line that may be Content-Transfer-Encoding */
    size_t head_length;
    bool after_return;
};

/* A header field; its value is folded with LF or CRLF, and lacks the space after the colon where
 * space is true. */
void wire_header(struct wire *wire, const char *name, const char *value, bool space);
void wire_body(struct wire *wire, const void *bytes, size_t length);
void wire_end(struct wire *wire);

/* Whether the message will still be what was signed when it arrives: "likely", or "at-risk:" and
 * why: line-998, bare-cr, bare-lf, nul, 8bit, joined by ','.  The caller frees it. */
char *wire_survival(const struct wire *wire);
