/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The configuration: sluice.conf as one immutable, reference-counted struct.
 *
 * conf_load() reads a file (with its includes), applies the -o overrides, checks everything and
 * fills in the defaults.  Nothing in a struct conf changes afterwards; a reload makes a new one and
 * swaps it into a conf_slot.  Whoever works on a message holds a reference until it is done.
 * Thread-safe after loading.
 */
#pragma once

#include "lib/base/ip.h"
#include "lib/base/strings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum conf_mode { MODE_OBSERVE, MODE_ENFORCE };
enum conf_store_failure { STORE_FAILURE_LOCAL, STORE_FAILURE_ACCEPT, STORE_FAILURE_DEFER };
enum conf_charge_at {
    CHARGE_AT_END,
    CHARGE_AT_RCPT
}; /* DATA or END-OF-MESSAGE; or each RCPT, by instance */
enum conf_dmarc_discovery {
    DMARC_BY_TREE_WALK,
    DMARC_BY_SUFFIX_LIST
}; /* RFC 9989's, or RFC 7489's */
enum conf_spf_engine {
    SPF_ENGINE_OWN,
    SPF_ENGINE_BOTH,
    SPF_ENGINE_LIBSPF2
}; /* whose result stands; with "both" it is ours, too */
enum conf_sign_failure { SIGN_FAILURE_SEND, SIGN_FAILURE_DEFER };
enum conf_canonicalization {
    CANON_RELAXED_RELAXED,
    CANON_RELAXED_SIMPLE,
    CANON_SIMPLE_RELAXED,
    CANON_SIMPLE_SIMPLE
}; /* of headers, of the body (RFC 6376 §3.4) */

/* "unlimited": no counter gets there, and it is exact in the store's numbers, which are doubles. */
#define CONF_UNLIMITED INT64_C(1000000000000000)

enum conf_predict {
    PREDICT_BULK,
    PREDICT_SMALL,
    PREDICT_NOTHING
}; /* receivers' rules for all senders and those of much mail, for all, none */
enum conf_key_state {
    KEY_STATE_ACTIVE, /* signs */
    KEY_STATE_PUBLISH, /* signs once its record has been visible for its TTL */
    KEY_STATE_RETIRE /* signs no more */
};
#define CONF_RELAYS_MAX 60
#define CONF_SIGNS_MAX 16 /* signatures of one message */

/* What is counted, and for whom. */
enum limit_subject {
    SUBJECT_USER,
    SUBJECT_SENDER,
    SUBJECT_SENDER_DOMAIN,
    SUBJECT_CLIENT,
    SUBJECT_CLIENT_NETWORK, /* /24, /64 */
    SUBJECT_HELO,
    SUBJECT_RECIPIENT_DOMAIN,
    SUBJECT_RECIPIENT,
    SUBJECT_HOST,
    SUBJECT_ALL, /* the whole installation */
    SUBJECT_COUNT
};
enum limit_count {
    COUNT_MESSAGES,
    COUNT_RECIPIENTS,
    COUNT_EXTERNAL_RECIPIENTS,
    COUNT_DISTINCT_RECIPIENTS, /* an estimate */
    COUNT_BYTES,
    COUNT_COUNT
};

/* Where a value was written: file is "command line" for -o, "defaults" for what is built in. */
struct conf_place {
    const char *file;
    unsigned line;
};

struct conf_limit {
    char *name;
    enum limit_subject subject;
    enum limit_count count;
    int64_t max;
    int64_t window_sec; /* 0: per message */
    int over; /* enum action of lib/causes, or -1: the cause's own */
    unsigned near_percent; /* 0: never said */
    bool shadow; /* counted and told, not enforced */
    const struct conf_warmup *warmup; /* whose day's allowance it is; NULL: of a limit section */
    struct conf_place place;
};

/* A class's maximum for a limit: its own, or inherited. */
struct conf_class;
struct conf_class_limit {
    const struct conf_limit *limit;
    int64_t max;
    const struct conf_class *from; /* the class in which it is written */
    struct conf_place place;
};

/* Who is in a class. */
struct table;
struct conf_member {
    char *text; /* "user@example.com", "@example.com", "@.example.com", "192.0.2.0/24", or the
                   table as it is written */
    struct table *table; /* whoever it has a line for; NULL: it is none */
    struct conf_place place;
};

struct conf_class {
    char *name;
    struct conf_member *members;
    size_t nmembers;
    struct strings inherits; /* names of classes */
    bool bulk; /* its members send bulk mail */
    struct conf_class_limit *limits; /* its own come first */
    size_t nlimits;
    struct conf_place place;
};

struct conf_warmup {
    char *title; /* an IP address or a domain */
    struct ip_address address; /* family 0: it is a domain */
    struct strings destinations; /* as local_domains; none: all that is not local */
    struct conf_limit limit; /* the day's allowance: 24 hours; its max is conf_warmup_allowance() */
    int64_t start_day; /* days since the epoch */
    int64_t first;
    double growth;
    int64_t ceiling;
    struct conf_place place;
};

struct conf_sign {
    char *domain; /* for d=; A-label form, lower case */
    bool subdomains; /* for mail from below the domain, not from the domain itself */
    char *selector;
    char *key; /* path of a PEM file */
    struct strings third_parties; /* other From domains; ".example.com" means its subdomains */
    int canonicalization; /* enum conf_canonicalization, or -1: as sign_canonicalization */
    int64_t expire_ms; /* or -1: as sign_expire_ms */
    enum conf_key_state state;
    struct strings headers, oversigned; /* empty: as sign_headers, oversign_headers */
    struct conf_place place;
};

/* A host that our mail goes out by, and what it sends from. */
struct conf_relay {
    char *name;
    struct strings includes; /* domains whose SPF records list its addresses */
    struct ip_address *addresses;
    size_t naddresses;
    struct strings senders,
        recipients; /* domains whose mail goes by it, as local_domains; empty: all */
    struct conf_place place;
};

/* Whoever a cause is found with so often is suspended. */
struct conf_suspend {
    int64_t life_ms; /* 0: never */
    int64_t after;
    int64_t window_ms;
};

struct conf_cause {
    char *id;
    int action; /* enum action, or -1 when not set */
    int mode; /* enum conf_mode, or -1: the mode of all */
    struct conf_suspend suspend;
    struct conf_place place;
};

/* Who is told of what was found. */
struct conf_notify {
    char *name;
    struct strings causes; /* ids, "limit.*", or "*" */
    int64_t window_sec; /* once in it for each subject and cause */
    struct strings command; /* a path and arguments, with %{...} in them; none: no command */
    struct strings mail; /* addresses */
    bool user; /* mail to the login too */
    char *text, *user_text; /* contents of the templates; "": those built in */
    struct conf_place place;
};

/* What mail from outside may prove. */
enum conf_result {
    CONF_DMARC_REJECT, /* it fails, and its domain asks to reject it */
    CONF_DMARC_QUARANTINE, /* ... or to quarantine it */
    CONF_DMARC_TEMPERROR,
    CONF_DMARC_PERMERROR, /* there is not the one domain in From */
    CONF_SPF_FAIL,
    CONF_SPF_SOFTFAIL,
    CONF_SPF_TEMPERROR,
    CONF_SPF_PERMERROR,
    CONF_DKIM_FAIL, /* no signature passes, and one fails */
    CONF_DKIM_TEMPERROR, /* ... else one has a key that could not be looked up */
    CONF_DKIM_PERMERROR, /* ... else one cannot be used */
    CONF_RESULT_COUNT
};

struct conf_verify {
    char *domain; /* A-label form, lower case; ".example.com" is its subdomains, "*" is all */
    int actions[CONF_RESULT_COUNT]; /* enum action, or -1 when not set */
    struct conf_place place;
};

/* Where else than in this file it may stand in which class somebody is. */
struct conf_lookup {
    char *text; /* as written: "store", "socketmap:unix:/path:name" */
    char *path, *host; /* of a socketmap server: one of them; both NULL: the store */
    uint16_t port;
    char *table; /* its name there */
};

/* A DNS blocklist (RFC 5782). */
enum conf_blocklist_kind { BLOCKLIST_OF_ADDRESSES, BLOCKLIST_OF_DOMAINS };
struct conf_blocklist {
    char *zone; /* lower case, A-label form */
    enum conf_blocklist_kind kind;
    struct ip_network *codes; /* answers that count; none: all that are no refusal */
    size_t ncodes;
    bool test_points; /* it has those of RFC 5782 section 5 */
    struct conf_place place;
};

/* How a login gets the right to a sender address; any rule that says yes is enough. */
enum login_rule_kind { LOGIN_EQUAL, LOGIN_DOMAIN, LOGIN_MAP };
struct conf_login_rule {
    enum login_rule_kind kind;
    struct table *table; /* LOGIN_MAP: address -> logins, as in Postfix' smtpd_sender_login_maps */
};

struct conf_listen {
    bool is_unix;
    char *path; /* unix */
    char *host; /* inet: an address, or "*" */
    uint16_t port;
};

struct conf {
    enum conf_mode mode;
    char *hostname; /* part of every message's identity */
    char *authserv_id; /* in Authentication-Results; "": conf_authserv_id() says */
    enum conf_dmarc_discovery dmarc_discovery;
    enum conf_spf_engine spf_engine;
    bool verify_incoming;
    bool received_spf; /* add that header too */
    struct strings trusted_arc; /* as local_domains, without subdomains */
    char *contact; /* whom a refused person may ask; may be "" */
    struct ip_network *internal_networks;
    size_t ninternal_networks;
    struct strings
        local_domains; /* lower case, A-label form; ".example.com" means its subdomains */
    struct ip_address *outgoing_addresses;
    size_t noutgoing_addresses;
    char *outgoing_helo; /* "": conf_outgoing_helo() says */
    enum conf_predict predict;
    char *recipient_delimiter; /* "+": user+tag@ counts as user@ */
    int64_t max_message_size; /* bytes; 0: no limit of ours */
    enum conf_charge_at charge_at;
    struct conf_login_rule *login_rules; /* sender-login */
    size_t nlogin_rules;

    char *geoip_country, *geoip_asn; /* MaxMind databases, or "" */
    int64_t locations_window_ms;
    int64_t locations_max, countries_max; /* in that window */
    int64_t usual_factor; /* this many times the usual is unusual ... */
    int64_t usual_floor; /* ... from this many recipients on */
    int64_t compromise_warn, compromise_hold, compromise_suspend; /* scores; 0: never */
    int64_t compromise_suspend_time_ms;

    char *store; /* "unix:/path", "redis://host:port", "memory:", or "" to find the local Redis;
                  * what else its URL says is in the next three */
    char *store_user; /* ACL user, or "" */
    char *store_password; /* from store-password-file, or "" */
    int store_database;
    bool store_tls; /* also by rediss:// */
    char *store_tls_ca, *store_tls_certificate, *store_tls_key, *store_tls_name; /* or "" */
    enum conf_store_failure store_failure;
    int64_t store_timeout_ms;
    int64_t store_journal_size; /* charges kept while the store is away */
    bool store_hash_addresses;
    char *store_hash_key; /* with store_hash_addresses: the contents of store-hash-key-file */
    char *state_directory; /* where the journal is kept over a restart; "" for nowhere */

    char *resolver; /* "system", or "ADDRESS[@PORT]" list joined by ',' */
    int64_t dns_timeout_ms;
    int64_t dns_max_inflight;
    int64_t dns_cache_size; /* answers */
    int64_t reputation_refresh_ms;

    struct strings classify_rules; /* paths, tried in their order */

    struct strings mail_log; /* paths, "stdin", "journal" */
    int64_t feedback_first_read_ms;
    struct strings feedback_reports; /* maildirs */
    int64_t delivery_summary; /* lines of one cause in a minute */
    unsigned bounce_rate; /* percent */
    int64_t bounce_rate_minimum, bounce_rate_window_ms;
    int64_t complaint_rate; /* of a thousand */
    int64_t complaint_rate_minimum;
    int64_t login_failures, login_failures_window_ms;

    char *log; /* "syslog", "stderr", "file:PATH" */
    bool log_json;
    int log_facility;

    char *user, *group; /* to become after binding; "" keeps root */
    int64_t drain_timeout_ms;

    struct conf_listen *policy_listen;
    size_t npolicy_listen;
    mode_t policy_socket_mode;
    char *policy_socket_group; /* "" leaves it */
    int64_t policy_max_connections;
    int64_t policy_idle_timeout_ms;
    int64_t policy_max_request; /* bytes of one request */

    struct conf_listen *milter_listen; /* exactly one */
    size_t nmilter_listen;
    mode_t milter_socket_mode;
    char *milter_socket_group;
    enum conf_sign_failure sign_failure;
    char *sign_keys; /* folder of DOMAIN/SELECTOR.pem, or "" */
    char *sign_key_table, *sign_signing_table; /* OpenDKIM's (lib/conf/dataset.h), or "" */
    char *sign_base_directory; /* OpenDKIM's BaseDirectory, or "" */
    enum conf_canonicalization sign_canonicalization;
    int64_t sign_expire_ms; /* 0: signatures do not expire */
    struct strings sign_headers; /* "List-*" is all that begin so */
    struct strings oversign_headers;
    bool sign_all_matches; /* of the signing table, not only the first */

    bool content_checks;
    int64_t attachment_size; /* bytes; 0: never */
    struct strings attachment_types, attachment_types_bare; /* extensions, lower case */
    int64_t links_max; /* 0: never */
    struct strings link_shorteners;
    int64_t bulk_recipients; /* 0: their number says nothing */
    struct strings trusted_scanners;
    struct ip_network *trusted_scanner_clients;
    size_t ntrusted_scanner_clients;
    int64_t mime_nesting, mime_parts;
    int64_t max_header_fields, max_header_size;
    int64_t content_time_ms;

    struct conf_limit *limits;
    size_t nlimits;
    struct conf_lookup *class_lookups;
    size_t nclass_lookups;
    int64_t class_timeout_ms;
    int64_t class_cache_ms;
    struct conf_class *classes;
    size_t nclasses;
    struct conf_warmup *warmups;
    size_t nwarmups;
    struct conf_sign *signs;
    size_t nsigns;
    struct conf_relay *relays;
    size_t nrelays;
    struct conf_cause *causes;
    size_t ncauses;
    struct conf_notify *notifies;
    size_t nnotifies;
    char *notify_from; /* From of a notice; "": postmaster of this host */
    struct strings notify_sendmail; /* a path and arguments */
    int64_t notify_processes;
    int64_t notify_timeout_ms;
    struct conf_verify *verifies;
    size_t nverifies;
    struct conf_blocklist *blocklists;
    size_t nblocklists;

    uint64_t number; /* no other conf of this process has it */
    void *private_; /* sources, references */
};

/* Words that belong to layers above: the catalogue's ids and the names of actions, weakest first
 * (an action's number is its index).  Borrowed, constant. */
struct conf_words {
    const char *const *causes;
    size_t ncauses;
    const char *const *actions;
    size_t nactions;
};

/* Loads and checks a configuration.
 * path NULL: the default file if there is one, else no file at all.  overrides: "name=value" each.
 * NULL on any error: problems_r then has one line per problem, "file:line: what is wrong: what was
 * expected; did you mean \"x\"?" (the caller frees it).  The new conf has one reference. */
struct conf *conf_load(const char *path, const char *const *overrides, size_t noverrides,
                       const struct conf_words *words, char **problems_r);

/* The same from memory; name stands in the places of problems, and includes are relative to it. */
struct conf *conf_load_text(const char *name, const char *text, size_t length,
                            const char *const *overrides, size_t noverrides,
                            const struct conf_words *words, char **problems_r);
struct conf *conf_hold(struct conf *conf); /* one more reference; returns conf */
void conf_release(struct conf **conf);

/* The current configuration of a process.  Any thread. */
struct conf_slot;
struct conf_slot *conf_slot_new(struct conf *conf); /* takes the reference */
void conf_slot_free(struct conf_slot **slot);
struct conf *conf_slot_get(struct conf_slot *slot); /* a reference: conf_release() it */
void conf_slot_set(struct conf_slot *slot, struct conf *conf); /* takes the reference */

/* The configuration as text that conf_load() reads back to the same (the caller frees it): with
 * every default spelled out. */
char *conf_effective(const struct conf *conf);
/* The defaults, each with its comment, as a commented example; and the same as mdoc(7) for
 * sluice.conf(5). */
char *conf_defaults(void);
char *conf_manual(void);

/* --- Questions about the configuration ------------------------------------------------ */

bool conf_is_internal(const struct conf *conf, const struct ip_address *address);
bool conf_is_local_domain(const struct conf *conf, const char *domain);

/* Whose maximum is asked for.  All may be NULL; login and sender may be "". */
struct conf_person {
    const char *login, *sender;
    const struct ip_address *client;
    const char *class; /* which they were put into elsewhere than in the configuration */
};

/* A class that has a maximum of its own for somebody. */
struct conf_match {
    const struct conf_class *class;
    const struct conf_class_limit *limit;
    const struct conf_member *member; /* by which they are in it; NULL: person->class */
    struct conf_place entry; /* the line of the member's table; its file is the table's, or NULL */
};

/* The classes of that person that have a maximum for the limit, at most room: the one that holds
 * comes first, and the others as they would take its place.  person->class is before a whole
 * address, that before the same without its subaddress, a domain, the domains above it (nearer ones
 * first) and the client's networks (longer ones first); of two alike, the one written later is
 * first.  With a login the sender counts only where the login may use it. */
size_t conf_matches(const struct conf *conf, const struct conf_limit *limit,
                    const struct conf_person *person, struct conf_match *matches_r, size_t room);

/* The maximum that holds.  match_r, where not NULL, gets the class that it is from; its class is
 * NULL where it is the limit's own. */
int64_t conf_limit_max(const struct conf *conf, const struct conf_limit *limit,
                       const struct conf_person *person, struct conf_match *match_r);

/* How many may go out on a day (since the epoch, UTC) of the plan: CONF_UNLIMITED before it begins,
 * the ceiling once growth has come there. */
int64_t conf_warmup_allowance(const struct conf_warmup *warmup, int64_t day);
/* The first day on which it has come there. */
int64_t conf_warmup_ceiling_day(const struct conf_warmup *warmup);
/* Whether mail to the domain uses the allowance up. */
bool conf_warmup_counts(const struct conf *conf, const struct conf_warmup *warmup,
                        const char *domain);

/* The class by which that person sends bulk mail, or NULL. */
const struct conf_class *conf_bulk_class(const struct conf *conf, const struct conf_person *person);

const struct conf_class *conf_class(const struct conf *conf, const char *name); /* or NULL */

/* Whether login may use address as a sender (sender-login).  Both are compared without case; the
 * address's subaddress (recipient-delimiter) counts as the address. */
bool conf_login_may_use(const struct conf *conf, const char *login, const char *address);

/* Our name in Authentication-Results: authserv-id, or else the host name. */
const char *conf_authserv_id(const struct conf *conf);

/* The name that our mail is sent under (HELO): outgoing-helo, or else the host name. */
const char *conf_outgoing_helo(const struct conf *conf);

/* The number of the relay section that mail between the two domains goes by; nrelays: it is sent
 * directly. */
size_t conf_relay_for(const struct conf *conf, const char *sender_domain,
                      const char *recipient_domain);

/* What is to be done about that result of mail from a domain (enum action), by the section that
 * fits best and says so; -1: nothing is said. */
int conf_verify_action(const struct conf *conf, const char *domain, enum conf_result result);

/* The configured action for a cause, or -1. */
int conf_cause_action(const struct conf *conf, const char *cause_id);

/* Whether a cause is enforced or only observed: its own mode, else the mode of all. */
enum conf_mode conf_cause_mode(const struct conf *conf, const char *cause_id);

/* When the cause suspends; NULL: never. */
const struct conf_suspend *conf_cause_suspend(const struct conf *conf, const char *cause_id);
/* Whether any cause at all is enforced, so that mail may be held or refused. */
bool conf_enforces(const struct conf *conf);

const char *limit_subject_name(enum limit_subject subject); /* "sender-domain" */
bool limit_subject_parse(const char *name,
                         enum limit_subject *subject_r); /* "everything" is "all" */
const char *limit_count_name(enum limit_count count);

/* A time as the configuration says it: "24h", "500ms", "0".  The caller frees it. */
char *conf_duration(int64_t ms);
/* The way back; false: it is no time. */
bool conf_duration_parse(const char *text, int64_t *ms_r);
