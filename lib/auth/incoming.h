/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a message from outside proves of where it comes from: DKIM, SPF, DMARC, and the client's
 * reverse name.
 *
 * Three steps, so that each runs where it belongs: gather asks the DNS and conclude does what DMARC
 * makes of it (both are evaluations of lib/auth/lookups.h), and between them judge does the
 * arithmetic, in any thread.
 */
#pragma once

#include "lib/auth/dmarc.h"
#include "lib/auth/spf.h"
#include "lib/auth/verify.h"

#include <stdbool.h>
#include <stdint.h>

#define INCOMING_NAMES_MAX 10 /* names of the client that are looked up */
#define INCOMING_FROM_MAX 16 /* addresses in From that are compared */

/* RFC 8601 section 2.7.3. */
enum incoming_reverse {
    INCOMING_REVERSE_PASS, /* a name of the client leads back to it */
    INCOMING_REVERSE_FAIL, /* none of its names does */
    INCOMING_REVERSE_TEMPERROR, /* DNS failed */
    INCOMING_REVERSE_PERMERROR, /* it has no name */
};

/* Zeroed; the query is the caller's and lives as long; ends with incoming_clear(). */
struct incoming {
    /* The query */
    const struct message *message;
    struct ip_address client; /* family 0: nothing is known of client and envelope */
    const char *helo;
    const char *sender; /* MAIL FROM without brackets; "" is <> */
    const char *receiver; /* our own name */
    int64_t now_sec;
    enum dmarc_discovery discovery;
    unsigned dmarc_sample; /* of struct dmarc_query */
    struct verify *verify; /* body taken and ended */

    /* The results */
    bool gathered_sender, gathered_helo, gathered_reverse;
    struct spf_result spf; /* of MAIL FROM; of HELO where that is <> */
    struct spf_result helo_spf; /* of HELO */
    enum incoming_reverse reverse;
    char *from_domain; /* NULL: there is not the one */
    const char *from_problem; /* why */
    struct dmarc_result dmarc;
};

/* Evaluations (lookups_evaluate) with a struct incoming as context. */
bool incoming_gather(const struct lookup *lookup, void *incoming);
bool incoming_conclude(const struct lookup *lookup, void *incoming);

void incoming_judge(struct incoming *incoming);
void incoming_clear(struct incoming *incoming);

bool incoming_has_client(const struct incoming *incoming);
const char *incoming_reverse_name(enum incoming_reverse reverse); /* "pass", "permerror", ... */
