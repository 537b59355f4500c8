/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a second SPF engine is asked after our own evaluation has decided, and what it says.
 *
 * It gets only what is left when everything is taken away that libspf2 is known to read wrongly:
 * the client, the domain, and for each question that was asked its answer, the SPF records in their
 * one canonical form and with names in place of macros.  So nothing of the local part, the HELO
 * name, an explanation or an unknown modifier reaches it.
 *
 * The text is lines of printable ASCII:
 *
 *   client 192.0.2.1
 *   domain example.com
 *   ask TXT found example.com
 *   is v=spf1 a:mail.example.com -all
 *   ask A absent mail.example.com
 */
#pragma once

#include "lib/auth/spf.h"
#include "lib/auth/spf_state.h"
#include "lib/base/map.h"
#include "lib/base/text.h"

#include <stdbool.h>
#include <stddef.h>

#define SPF_SECOND_MAX 32768 /* octets of a text */
#define SPF_SECOND_ANSWERS_MAX 128 /* in it; with more, nobody is asked */

/* All borrowed. */
struct spf_question {
    const char *text;
    size_t length;
    const struct ip_address *client;
    const char *domain;
    enum spf_status own; /* what our evaluation says */
    const char *mechanism; /* by which */
};

struct spf_opinion {
    bool given; /* false: the engine died, or was late */
    enum spf_status said;
    enum spf_status stands; /* of both, by the configuration */
};

/* The answers of one run of our evaluation.  Starts zeroed but for lookup and state, ends with
 * spf_evidence_clear(). */
struct spf_evidence {
    const struct lookup *lookup; /* that is asked */
    struct spf_state *state;
    struct map *seen;
    struct text answers;
    bool unfit; /* there is something in it that the engine is known to get wrong */
};

/* A lookup that remembers what it finds. */
struct lookup spf_evidence_lookup(struct spf_evidence *evidence);
void spf_evidence_clear(struct spf_evidence *evidence);

/* Adds the text.  false: the engine is not asked, and our result stands. */
bool spf_evidence_text(const struct spf_evidence *evidence, enum spf_status own, struct text *text);

/* The same, read by the engine.  Starts zeroed, ends with spf_request_clear(). */
struct spf_request {
    char *bytes; /* what all the rest points to */
    struct ip_address client;
    const char *domain;
    struct dns_answer answers[SPF_SECOND_ANSWERS_MAX];
    struct dns_record *records[SPF_SECOND_ANSWERS_MAX]; /* of the answers */
    size_t count;
    bool missed; /* something was asked for that is not in it: that does not exist, then */
};

/* false: it is no such text. */
bool spf_request_parse(const char *bytes, size_t length, struct spf_request *request_r);
void spf_request_clear(struct spf_request *request);

/* Its answers, as evaluations ask for them; "absent" where there is none. */
struct lookup spf_request_lookup(struct spf_request *request);

/* The status of a name.  false: it is none. */
bool spf_status_parse(const char *name, enum spf_status *status_r);
