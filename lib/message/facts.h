/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Facts: what the services answered, without a judgement.  "Not asked", "no" and "no answer" are
 * different.  lib/decide's gather fills them; checks only read them.
 */
#pragma once

#include "lib/base/ip.h"
#include "lib/base/strings.h"
#include "lib/message/content_fact.h"
#include "lib/message/habits.h"
#include "lib/message/outcomes.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What DNS says of a domain that mail comes from or goes to. */
enum mail_domain_state {
    MAIL_DOMAIN_UNASKED,
    MAIL_DOMAIN_MX, /* has an MX */
    MAIL_DOMAIN_ADDRESS, /* no MX, but an address (RFC 5321 §5.1) */
    MAIL_DOMAIN_NULL_MX, /* RFC 7505 */
    MAIL_DOMAIN_NO_MAIL, /* exists, with neither MX nor address */
    MAIL_DOMAIN_ABSENT, /* NXDOMAIN */
    MAIL_DOMAIN_FAILED, /* no answer: SERVFAIL, time-out, bogus */
};

/* What is wrong with a host that an MX record names. */
enum mx_problem {
    MX_FINE,
    MX_LITERAL, /* it is an address */
    MX_ALIAS, /* a CNAME */
    MX_LOCAL, /* has an address that only its own network reaches: address */
    MX_NOWHERE, /* has no address at all */
    MX_NULL_BESIDE, /* the null MX, beside others */
};

#define MX_FLAWS_MAX 8

struct mx_flaw {
    char *host;
    enum mx_problem problem;
    bool implicit; /* there is no MX, so that the domain itself is the host */
    unsigned preference;
    struct ip_address address;
};

struct mail_domain_fact {
    enum mail_domain_state state;
    char *problem; /* MAIL_DOMAIN_FAILED: what the resolver said */
    struct mx_flaw *flaws; /* of its MX records */
    size_t nflaws;
    bool mx_looked; /* flaws were asked for, here or for another recipient of the domain */
};

void mail_domain_fact_clear(struct mail_domain_fact *fact);
void mx_flaws_clear(struct mx_flaw *flaws, size_t count); /* what they point to */

/* What the store said of one limit. */
struct conf_limit;
struct conf_class_limit;
struct limit_fact {
    const struct conf_limit *limit; /* of the conf that the message is judged by */
    const struct conf_class_limit
        *set_by; /* the class's line that max is from; NULL: the limit's own */
    char *subject; /* "user:alice@example.com" */
    int64_t amount; /* what this message adds */
    int64_t taken; /* of that, at RCPT: what the recipients before the one asked about come to */
    int64_t used; /* with this message where it was charged; before it where it was refused or only
                   * looked at; with what was taken where a recipient is one too many */
    int64_t max;
    int64_t retry_after_sec; /* over: when amount would fit again; -1 never (amount > max) */
    bool over;
    bool near; /* passed the warning share just now */
    uint64_t *members; /* hashes of what is counted, where only what is different counts */
    size_t nmembers;
};

/* What the store remembers of a subject besides its use (lib/store/store_note.h). */
struct note_pair {
    char *name, *value;
};
struct note_fact {
    struct note_pair *pairs;
    size_t npairs;
};

enum store_state {
    STORE_UNASKED,
    STORE_ANSWERED,
    STORE_ANSWERED_LOCALLY, /* the store is away: our own counters */
    STORE_NO_ANSWER, /* away, and store-failure is accept or defer */
};

/* A key that the message is going to be signed with; borrowed from the signer, which stays until
 * the message is done. */
struct key;
struct signing_fact {
    const char *domain, *selector;
    const struct key *key;
};
#define FACTS_SIGNING_MAX 16

struct outlook; /* lib/auth: what receivers will find out */

/* A blocklist that has a domain of the message. */
struct listing_fact {
    char *domain;
    char *list; /* its zone */
    const char *in; /* "from" or "link"; a literal */
    char *code; /* "127.0.1.2" */
    char *text; /* the list's own, or NULL */
};

struct standing_view; /* lib/auth: how the world sees our addresses */

struct facts {
    char *class; /* which the login was put into elsewhere than in the configuration; or NULL */
    struct mail_domain_fact sender_domain;
    const struct standing_view *standing; /* while it is being decided; NULL: nobody asks */
    struct listing_fact *listings;
    size_t nlistings;
    bool listings_asked;
    struct limit_fact *limits;
    size_t nlimits;
    bool limits_cut; /* the message counts against more than the store takes at once */
    enum store_state store;
    struct habits *habits; /* of the login; NULL without one */
    char *flag_subject; /* whose flag is asked for: "user:alice@example.com"; NULL: nobody's */
    struct note_fact flag; /* suspension, class */
    int64_t flag_sec; /* the store's time when it said so */
    struct outcomes *outcomes; /* of earlier mail; NULL: not asked */
    bool charged; /* this message is counted, by whoever came first */
    bool charged_by_us; /* ... and it was this request that did it */
    char *spf, *dmarc; /* "pass", "fail(reject)", ...; NULL while not known */
    struct signing_fact signing[FACTS_SIGNING_MAX];
    size_t nsigning;
    const char *
        unsigned_reason; /* why there is none: SIGN_... of lib/auth; NULL: not decided, or signed */
    struct strings carried; /* domains of the signatures that it came with and that pass */
    struct outlook *outlook; /* NULL: not asked */
    void (*outlook_release)(struct outlook **outlook);
    char *dkim_check; /* what receivers will say of the signature: "pass", "fail:...", or NULL */
    char *dkim; /* "signed:s1/example.com", "pass:example.net", "none:no-key", ...; NULL while not
                   decided */
    struct content_fact content;
    bool signs_unsubscribe; /* our own signature covers the fields of RFC 8058 section 4 */
    char *dkim_survival; /* wire_survival() of a message that is signed; else NULL */
};

void facts_clear(struct facts *facts);

void limit_fact_clear(struct limit_fact *fact);

/* The value of a field; NULL: there is none. */
const char *note_fact_value(const struct note_fact *note, const char *name);
void note_fact_add(struct note_fact *note, const char *name, const char *value);
void note_fact_clear(struct note_fact *note);
