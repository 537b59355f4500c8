/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ARC (RFC 8617): whether forwarders and mailing lists sealed a message each in turn, and who was
 * the last.
 *
 * A part of a struct verify, which brings message, body and keys; one thread at a time.
 */
#pragma once

#include "lib/auth/verify.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARC_SETS_MAX 50 /* RFC 8617 section 4.2.1 */

enum arc_status {
    ARC_NONE, /* there is nothing of ARC in the message */
    ARC_PASS,
    ARC_FAIL,
    ARC_UNKNOWN, /* DNS failed; where only the three exist, it is a fail */
};

/* What one server added. */
struct arc_set {
    const struct header *results, *message_signature, *seal; /* of the message */
    struct verify_signature sealed; /* of the seal */
};

struct arc {
    struct arc_set sets[ARC_SETS_MAX]; /* by instance - 1 */
    size_t count;
    struct verify_signature newest; /* the last set's message signature */
    enum arc_status status;
    char *problem; /* why it does not pass, in a few words; NULL: it does */
    const char *sealer; /* the last seal's d=, whatever it is worth; NULL: unknown */
};

/* NULL: the message has no field of ARC. */
struct arc *arc_new(struct verify *verify, int64_t now_sec);
void arc_free(struct arc **arc);

/* These do nothing without an ARC. */
bool arc_learn_keys(struct arc *arc, const struct lookup *lookup); /* false: pending */
void arc_judge(struct arc *arc, struct verify *verify);

enum arc_status arc_status(const struct arc *arc);
const char *arc_status_name(enum arc_status status); /* "none", "pass" or "fail" */
