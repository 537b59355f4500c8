/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What receivers will find out about a message of ours before it has left: SPF of the addresses
 * that it is sent from, the published halves of the keys that sign it, DMARC and alignment.
 *
 * An outlook is immutable and shared by reference between all messages that it holds for; any
 * thread.  DNS that failed is never taken for a no.
 */
#pragma once

#include "lib/auth/dmarc.h"
#include "lib/auth/lookup.h"
#include "lib/auth/own_key.h"
#include "lib/auth/spf.h"
#include "lib/base/strings.h"
#include "lib/conf/conf.h"
#include "lib/message/facts.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define OUTLOOK_SOURCES_MAX 64 /* addresses that SPF is asked about */
#define OUTLOOK_REPORTS_MAX 5 /* addresses for reports that are looked at */

/* An address that the message may leave from. */
struct outlook_source {
    struct ip_address address; /* family 0: not known */
    char *relay; /* the name of its section; NULL: sent directly */
    char *term; /* that authorises it in an SPF record; NULL: not known */
};

struct outlook_spf {
    size_t source;
    bool helo; /* of HELO, else of MAIL FROM */
    struct spf_result result;
};

struct outlook_key {
    char *domain, *selector;
    bool rsa;
    unsigned bits;
    char *wanted; /* the record to publish */
    struct own_key own;
};

struct outlook {
    atomic_size_t references;
    char *from_domain; /* NULL: there is not the one */
    char *sender_domain; /* NULL: MAIL FROM is <> */
    char *helo;
    bool by_sender; /* an SPF record asks for more than the sender's domain */

    struct outlook_source *sources;
    size_t nsources;
    struct outlook_spf *spf; /* of each source: MAIL FROM where there is one; HELO where no relay
                                stands between, which has a name of its own */
    size_t nspf;
    struct strings sender_records, helo_records; /* SPF records as published */
    bool spf_known; /* there is an address to ask about */
    enum spf_status spf_status; /* the worst of MAIL FROM (HELO for <>) of all sources; neutral
                                   where there is none to ask about */

    struct outlook_key *keys;
    size_t nkeys;

    struct dmarc_result dmarc; /* where there is a from_domain */
    struct strings dmarc_records; /* at the name of the record that applies, or of several */
    struct strings foreign_reports; /* addresses of rua= whose domain does not permit it, each
                                       followed by the name of the record that it lacks */
};

struct outlook *outlook_hold(struct outlook *outlook); /* one more reference; returns outlook */
void outlook_release(struct outlook **outlook);

/* Whether DKIM will pass for the key, as far as its record says. */
bool outlook_key_passes(const struct outlook_key *key);

/* What is asked.  All is borrowed until the outlook is there. */
struct outlook_query {
    const struct conf *conf;
    uint64_t routes; /* bits: numbers of relay sections, nrelays: sent directly */
    const char *from_domain; /* of the only From address, or NULL */
    const char *sender; /* MAIL FROM without brackets; "": <> */
    const char *sender_domain; /* likewise */
    const struct signing_fact *signing;
    size_t nsigning;
    const struct strings *carried; /* domains of signatures that it has and that pass */
};

/* An outlook that is being made; outlook_evaluate() is an evaluation (lookups_evaluate) with it as
 * context, and outlook_making_end() gives what it made, with one reference. */
struct outlook_making;
struct outlook_making *outlook_making_new(const struct outlook_query *query);
bool outlook_evaluate(const struct lookup *lookup, void *making);
struct outlook *outlook_making_end(struct outlook_making **making);
