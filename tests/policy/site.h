/* SPDX-License-Identifier: BSD-2-Clause */
/* A judge with everything it needs in this process: the memory store, a log in memory, no DNS. */
#pragma once

#include "policy/judge.h"

#include <stddef.h>
#include <stdint.h>

#define LOGIN "sasl_username=alice@example.test\nsender=alice@example.test\n"

/* No check here needs DNS. */
#define CONF                                                                                       \
    "mode = enforce\nhostname = mx.example.test\nlocal-domains = {\"example.test\"}\n"             \
    "max-message-size = 1000\n"                                                                    \
    "cause dns.sender-domain { action = ignore }\ncause dns.sender-no-mail { action = ignore }\n"  \
    "cause dns.recipient-domain { action = ignore }\n"                                             \
    "cause dns.recipient-no-mail { action = ignore }\ncause dns.mx-broken { action = ignore }\n"   \
    "cause dns.failure { action = ignore }\ncause config.plaintext { action = ignore }\n"
#define LIMITS                                                                                     \
    "limit daily { subject = user count = messages max = 3 per = 24h near = 0% }\n"                \
    "limit rcpts { subject = user count = recipients max = 50 per = 24h near = 0% }\n"             \
    "limit fanout { count = recipients max = 20 per = message }\n"

struct site {
    struct services services;
    struct judge judge;
    struct judge_client client;
};

void site_open(struct site *site, const char *conf_text);
void site_close(struct site *site);

/* Asks with these lines.  The answer has to begin with want, or to be just that where it ends with
 * '$'. */
void site_expect(struct site *site, const char *lines, const char *want);

/* What alice has used of a count: 'm' messages, 'r' recipients. */
int64_t site_used(struct site *site, char count);

/* How often the text is in the lines; in what was logged since the last call. */
size_t site_occurrences(const char *lines, const char *text);
size_t site_logged(struct site *site, const char *text);
