/* SPDX-License-Identifier: BSD-2-Clause */
/* A name server on the test's own loop, over UDP on 127.0.0.1, that answers what the test says,
 * when it says. */
#pragma once

#include "lib/base/loop.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum responder_mode {
    RESPONDER_ANSWERS, /* A: 192.0.2.1, but none for names with "bare"; MX: for names with "mail",
                        * and the null MX for names with "null"; names with "absent" do not exist;
                        * AAAA of names with "half" fails; everything else: no data */
    RESPONDER_SERVFAIL,
    RESPONDER_SILENT, /* reads and drops */
    RESPONDER_HOLDS, /* keeps questions until responder_release() */
};

struct responder;

/* port 0: any that is free. */
struct responder *responder_new(struct loop *loop, uint16_t port);
void responder_free(struct responder **responder);

const char *responder_address(const struct responder *responder); /* "127.0.0.1@5353" */
void responder_set(struct responder *responder, enum responder_mode mode);
/* From now on every name has this TXT record of at most 255 octets a string; NULL: none. */
void responder_set_text(struct responder *responder, const char *text, uint32_t ttl_sec);
void responder_release(struct responder *responder); /* answers what it holds */
size_t responder_questions(const struct responder *responder); /* seen so far */
size_t responder_held(const struct responder *responder);
