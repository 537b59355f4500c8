/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An SMTP reply (RFC 5321 §4.2) with its enhanced status code (RFC 3463), as it is told in logs,
 * bounces and by people: behind "host mx.example.com[192.0.2.1] said:", "smtp;" or nothing, on one
 * line, with or without either code.
 */
#pragma once

#include "lib/classify/span.h"

#include <stdint.h>

/* What the client had said when the server replied, or what was going on. */
enum smtp_stage {
    SMTP_UNKNOWN,
    SMTP_CONNECT, /* and the greeting */
    SMTP_HELO,
    SMTP_STARTTLS,
    SMTP_AUTH,
    SMTP_MAIL,
    SMTP_RCPT,
    SMTP_DATA,
    SMTP_END, /* of the message */
    SMTP_COUNT
};

/* An enhanced code; class 0: there is none. */
struct enhanced {
    uint8_t class;
    uint16_t subject;
    uint16_t detail;
};

struct reply {
    unsigned code; /* 0: none */
    struct enhanced enhanced;
    enum smtp_stage stage;
    bool reported; /* as a delivery report's diagnostic, which tells of a failure or a delay */
    bool several_lines; /* "550-5.1.1 ... 550 5.1.1 ...": the codes are repeated inside the text */
    struct span text; /* behind the codes */
};

/* Finds the reply in a text.  Without any code, the text is all of it. */
void reply_parse(struct span text, struct reply *reply_r);

/* "5.1.1"; false: it is no enhanced code. */
bool enhanced_parse(struct span text, struct enhanced *enhanced_r);

/* The stage that Postfix, Sendmail or Exim mean: "RCPT TO", "END-OF-MESSAGE", "sending end of data
 * -- message may be sent more than once". */
enum smtp_stage stage_find(struct span words);
bool stage_parse(struct span name, enum smtp_stage *stage_r); /* "rcpt", as rules say it */
