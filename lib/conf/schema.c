/* SPDX-License-Identifier: BSD-2-Clause */
/* The schema: every section and option of sluice.conf. */
#include "lib/conf/schema.h"

#include "lib/base/count.h"
#include "lib/base/words.h"
#include "lib/conf/conf.h"

#include <string.h>
#include <syslog.h>

#define CONF_MEMBER(member)                                                                        \
    .offset = offsetof(struct conf, member), .width = sizeof(((struct conf *)0)->member)
#define CONF_ARRAY(member)                                                                         \
    .list = true, CONF_MEMBER(member), .count_offset = offsetof(struct conf, n##member)
#define MEMBER(type, member)                                                                       \
    .offset = offsetof(struct type, member), .width = sizeof(((struct type *)0)->member)

#define MS_PER_SEC INT64_C(1000)
#define SEC_PER_DAY INT64_C(86400)
/* RFC 6376 section 5.4.1, and what Gmail wants covered (Feedback-ID).  Received and the like are
 * left out: servers on the way change them. */
#define SIGNED_FIELDS                                                                              \
    "\"From\", \"Sender\", \"Reply-To\", \"Subject\", \"Date\", \"Message-ID\", \"To\", \"Cc\", "  \
    "\"In-Reply-To\", \"References\", \"MIME-Version\", \"Content-*\", \"Resent-*\", \"List-*\", " \
    "\"Feedback-ID\""
/* What a reader sees or what decides how the body is read.  Sender, Resent-* and List-* are not
 * among them: lists and forwarders rightly add those. */
#define OVERSIGNED_FIELDS                                                                          \
    "\"From\", \"Reply-To\", \"Subject\", \"To\", \"Cc\", \"MIME-Version\", \"Content-Type\", "    \
    "\"Content-Transfer-Encoding\", \"Date\", \"Message-ID\""
#define COUNT_MOST CONF_UNLIMITED

static const struct option_word mode_words[] = {
    {"observe", MODE_OBSERVE}, {"enforce", MODE_ENFORCE}, {NULL, 0}};
static const struct option_word charge_at_words[] = {
    {"end", CHARGE_AT_END}, {"rcpt", CHARGE_AT_RCPT}, {NULL, 0}};
static const struct option_word store_failure_words[] = {{"local", STORE_FAILURE_LOCAL},
                                                         {"accept", STORE_FAILURE_ACCEPT},
                                                         {"defer", STORE_FAILURE_DEFER},
                                                         {NULL, 0}};
static const struct option_word dmarc_discovery_words[] = {
    {"tree-walk", DMARC_BY_TREE_WALK}, {"suffix-list", DMARC_BY_SUFFIX_LIST}, {NULL, 0}};
static const struct option_word spf_engine_words[] = {
    {"own", SPF_ENGINE_OWN}, {"both", SPF_ENGINE_BOTH}, {"libspf2", SPF_ENGINE_LIBSPF2}, {NULL, 0}};
static const struct option_word sign_failure_words[] = {
    {"send", SIGN_FAILURE_SEND}, {"defer", SIGN_FAILURE_DEFER}, {NULL, 0}};
static const struct option_word canonicalization_words[] = {
    {"relaxed/relaxed", CANON_RELAXED_RELAXED},
    {"relaxed/simple", CANON_RELAXED_SIMPLE},
    {"simple/relaxed", CANON_SIMPLE_RELAXED},
    {"simple/simple", CANON_SIMPLE_SIMPLE},
    {NULL, 0}};
static const struct option_word predict_words[] = {
    {"bulk", PREDICT_BULK}, {"small", PREDICT_SMALL}, {"no", PREDICT_NOTHING}, {NULL, 0}};
static const struct option_word key_state_words[] = {{"publish", KEY_STATE_PUBLISH},
                                                     {"active", KEY_STATE_ACTIVE},
                                                     {"retire", KEY_STATE_RETIRE},
                                                     {NULL, 0}};
static const struct option_word blocklist_words[] = {
    {"ip", BLOCKLIST_OF_ADDRESSES}, {"domain", BLOCKLIST_OF_DOMAINS}, {NULL, 0}};
static const struct option_word log_format_words[] = {{"text", false}, {"json", true}, {NULL, 0}};
static const struct option_word log_facility_words[] = {{"mail", LOG_MAIL},
                                                        {"daemon", LOG_DAEMON},
                                                        {"user", LOG_USER},
                                                        {"auth", LOG_AUTH},
                                                        {"local0", LOG_LOCAL0},
                                                        {"local1", LOG_LOCAL1},
                                                        {"local2", LOG_LOCAL2},
                                                        {"local3", LOG_LOCAL3},
                                                        {"local4", LOG_LOCAL4},
                                                        {"local5", LOG_LOCAL5},
                                                        {"local6", LOG_LOCAL6},
                                                        {"local7", LOG_LOCAL7},
                                                        {NULL, 0}};
static const struct option_word subject_words[] = {{"user", SUBJECT_USER},
                                                   {"sender", SUBJECT_SENDER},
                                                   {"sender-domain", SUBJECT_SENDER_DOMAIN},
                                                   {"client", SUBJECT_CLIENT},
                                                   {"client-network", SUBJECT_CLIENT_NETWORK},
                                                   {"helo", SUBJECT_HELO},
                                                   {"recipient-domain", SUBJECT_RECIPIENT_DOMAIN},
                                                   {"recipient", SUBJECT_RECIPIENT},
                                                   {"host", SUBJECT_HOST},
                                                   {"all", SUBJECT_ALL},
                                                   {"everything", SUBJECT_ALL},
                                                   {NULL, 0}};
static const struct option_word count_words[] = {{"messages", COUNT_MESSAGES},
                                                 {"recipients", COUNT_RECIPIENTS},
                                                 {"external-recipients", COUNT_EXTERNAL_RECIPIENTS},
                                                 {"distinct-recipients", COUNT_DISTINCT_RECIPIENTS},
                                                 {"bytes", COUNT_BYTES},
                                                 {NULL, 0}};
static const struct option_word warmup_count_words[] = {
    {"messages", COUNT_MESSAGES}, {"recipients", COUNT_RECIPIENTS}, {NULL, 0}};
#define SUBJECT_SYNONYMS 1 /* behind the word that is printed */
_Static_assert(COUNT_OF(subject_words) == SUBJECT_COUNT + SUBJECT_SYNONYMS + 1,
               "a subject lacks its word");
_Static_assert(COUNT_OF(count_words) == COUNT_COUNT + 1, "a count lacks its word");

const struct conf_option schema_options[] = {
    {"mode", .heading = "General", .type = TYPE_WORD, CONF_MEMBER(mode), .fallback = "observe",
     .words = mode_words,
     .about = "In observe mode nothing is ever refused or held: the log says what would have "
              "been done (would=). In enforce mode it is done."},
    {"hostname", .type = TYPE_HOSTNAME, CONF_MEMBER(hostname), .fallback = "",
     .about = "The name of this mail host, as the MTA knows it (Postfix' myhostname, Sendmail's "
              "$j). With the queue id it is the identity by which a message is counted only "
              "once, so that the policy daemon and the milter of one host must agree on it. "
              "Empty: the machine's own full name."},
    {"contact", .type = TYPE_STRING, CONF_MEMBER(contact), .fallback = "",
     .about = "Whom a person whose mail was refused may ask: an address, a telephone number or "
              "a page. It is added to replies."},
    {"internal-networks", .type = TYPE_NETWORK, CONF_ARRAY(internal_networks),
     .fallback = "\"127.0.0.0/8\", \"::1/128\"",
     .about = "Clients whose mail is outgoing even without a login, as Postfix' mynetworks."},
    {"local-domains", .type = TYPE_DOMAIN, .list = true, CONF_MEMBER(local_domains), .fallback = "",
     .about = "Our domains: recipients in them are not external, a sender in them must be one "
              "of us, and a login without a domain is a mailbox in them. \".example.com\" means "
              "every subdomain of example.com."},
    {"outgoing-addresses", .type = TYPE_ADDRESS, CONF_ARRAY(outgoing_addresses), .fallback = "",
     .about = "The addresses that the world sees our mail come from: what SPF will be asked about, "
              "whatever the addresses of our users are. Empty: SPF is not foretold."},
    {"outgoing-helo", .type = TYPE_HOSTNAME, CONF_MEMBER(outgoing_helo), .fallback = "",
     .about = "The name that the MTA says in HELO or EHLO when it sends (Postfix' smtp_helo_name), "
              "which SPF is asked about too. Empty: the host name."},
    {"predict", .type = TYPE_WORD, CONF_MEMBER(predict), .fallback = "bulk", .words = predict_words,
     .about = "By which rules the log foretells that Gmail, Outlook.com or Yahoo would refuse a "
              "message (predict=): those for senders of 5,000 messages a day and more, which "
              "bind a domain for good once it was one (bulk), only those for everybody (small), "
              "or not at all (no)."},
    {"recipient-delimiter", .type = TYPE_DELIMITERS, CONF_MEMBER(recipient_delimiter),
     .fallback = "+",
     .about = "Characters that begin a subaddress, as in Postfix: user+tag@example.com counts as "
              "user@example.com. Empty: there are no subaddresses."},
    {"max-message-size", .type = TYPE_SIZE, CONF_MEMBER(max_message_size), .fallback = "50M",
     .most = INT64_C(1) << 40, .about = "A larger message is content.size. 0: no limit of ours."},
    {"charge-at", .type = TYPE_WORD, CONF_MEMBER(charge_at), .fallback = "end",
     .words = charge_at_words,
     .about = "When the policy daemon counts. end: at DATA or END-OF-MESSAGE, where the message "
              "and its queue id are known. rcpt: at each RCPT, for a Postfix that asks the "
              "policy service at no other stage, without the milter."},
    {"sender-login", .type = TYPE_LOGIN_RULE, .list = true, CONF_MEMBER(login_rules),
     .count_offset = offsetof(struct conf, nlogin_rules), .fallback = "equal",
     .about = "How a login gets the right to a sender address; one rule that says yes is enough. "
              "equal: the address is the login, or, for a login without a domain, the login at "
              "one of local-domains; subaddresses (recipient-delimiter) of either are the "
              "same. domain: any address in the login's domain. Or a table from "
              "addresses to logins, as Postfix' smtpd_sender_login_maps: texthash:/path (also "
              "hash:, lmdb: and others, whose source text is read), regexp:/path or inline:{...}."},

    {"geoip-country", .heading = "Accounts", .type = TYPE_PATH, CONF_MEMBER(geoip_country),
     .fallback = "",
     .about = "A database of countries in MaxMind's format (GeoLite2-Country.mmdb or the like), "
              "by which account.new-location and account.many-locations know countries. Empty: "
              "they know networks only."},
    {"geoip-asn", .type = TYPE_PATH, CONF_MEMBER(geoip_asn), .fallback = "",
     .about = "One of autonomous systems (GeoLite2-ASN.mmdb): all networks of one provider are "
              "then one place, as a telephone moves between them. Empty: a /24 or /48 is a place."},
    {"locations-window", .type = TYPE_DURATION, CONF_MEMBER(locations_window_ms), .fallback = "1h",
     .least = 60 * MS_PER_SEC, .most = 7 * SEC_PER_DAY * MS_PER_SEC,
     .about = "The time in which account.many-locations counts an account's places."},
    {"locations-max", .type = TYPE_INTEGER, CONF_MEMBER(locations_max), .fallback = "5", .least = 1,
     .most = 60, .about = "The most networks that one person's mail comes from in that time."},
    {"countries-max", .type = TYPE_INTEGER, CONF_MEMBER(countries_max), .fallback = "2", .least = 1,
     .most = 60, .about = "The most countries, likewise."},
    {"usual-factor", .type = TYPE_INTEGER, CONF_MEMBER(usual_factor), .fallback = "10", .least = 2,
     .most = 1000000,
     .about = "account.anomaly is found when an account writes to this many times as many "
              "recipients as it usually does in this hour of the week, or on this day. What is "
              "usual is known after its first week; one burst teaches no more than four times "
              "what was usual before."},
    {"usual-floor", .type = TYPE_INTEGER, CONF_MEMBER(usual_floor), .fallback = "30", .least = 1,
     .most = COUNT_MOST, .about = "So many recipients in an hour or a day are never unusual."},
    {"compromise-warn", .type = TYPE_INTEGER, CONF_MEMBER(compromise_warn), .fallback = "50",
     .most = 1000,
     .about = "All that is unusual about an account's mail adds up to a score: volume (30 at "
              "usual-factor and 10 more for each doubling, up to 60), more than two networks in "
              "locations-window (10 each, up to 50), countries (20 each, up to 40), recipients "
              "never written to before (up to 30), a new country (20) or network (10), and a new "
              "mail program or certificate (10). From this score on it is account.anomaly. 0: "
              "never."},
    {"compromise-hold", .type = TYPE_INTEGER, CONF_MEMBER(compromise_hold), .fallback = "80",
     .most = 1000,
     .about = "From this score on the message is held, unless cause account.anomaly has an action "
              "of its own. 0: never."},
    {"compromise-suspend", .type = TYPE_INTEGER, CONF_MEMBER(compromise_suspend), .fallback = "110",
     .most = 1000,
     .about = "From this score on the account is suspended too. sluicectl release gives it back. "
              "0: never."},
    {"compromise-suspend-time", .type = TYPE_DURATION, CONF_MEMBER(compromise_suspend_time_ms),
     .fallback = "12h", .least = 60 * MS_PER_SEC, .most = 366 * SEC_PER_DAY * MS_PER_SEC,
     .about = "For how long."},

    {"store", .heading = "The store", .type = TYPE_STORE, CONF_MEMBER(store), .fallback = "",
     .about =
         "Where the counters are: unix:/path or redis://[user[:password]@]host[:port][/db] "
         "for Redis, rediss:// for TLS to it; sentinel://host[:port],...[/db]?master=name for the "
         "Redis that Sentinels name the primary, which is followed through a failover; "
         "cluster://host[:port],... for a Redis Cluster, of which some nodes are named; local for "
         "one host without Redis: sluice-policyd counts, keeps it on disk in state-directory, and "
         "the other programs ask it at " SLUICE_RUNSTATEDIR
         "/store.sock, or at another place (local:/path); or "
         "memory: for counters of this process alone. Empty: the local Redis, by its unix socket "
         "(/run/redis/redis-server.sock, /run/redis/redis.sock) or else at 127.0.0.1:6379."},
    {"store-user", .type = TYPE_STRING, CONF_MEMBER(store_user), .fallback = "",
     .about = "The Redis ACL user. Empty: Redis' default user."},
    {"store-password-file", .type = TYPE_SECRET, CONF_MEMBER(store_password), .fallback = "",
     .about = "A file that holds the Redis password and that others cannot read."},
    {"store-database", .type = TYPE_INTEGER, CONF_MEMBER(store_database), .fallback = "0",
     .most = 65535, .about = "The number of the Redis database."},
    {"store-tls", .type = TYPE_BOOLEAN, CONF_MEMBER(store_tls), .fallback = "no",
     .about = "Whether Redis is spoken to over TLS, and Sentinels and a cluster's nodes too; "
              "rediss:// in store is the same. Its certificate is always checked. A Sluice built "
              "without hiredis 1.0 or newer leaves TLS to stunnel (contrib/stunnel)."},
    {"store-tls-ca", .type = TYPE_PATH, CONF_MEMBER(store_tls_ca), .fallback = "",
     .about = "A file with the certificates of the authorities that may have signed Redis' "
              "certificate. Empty: those that the system trusts. This file and the two that follow "
              "are read by user, and again at the next connection when they have changed."},
    {"store-tls-certificate", .type = TYPE_PATH, CONF_MEMBER(store_tls_certificate), .fallback = "",
     .about = "A file with our own certificate and what leads from it to its authority, where "
              "Redis asks for one (tls-auth-clients yes)."},
    {"store-tls-key", .type = TYPE_PATH, CONF_MEMBER(store_tls_key), .fallback = "",
     .about = "The file with its private key."},
    {"store-tls-name", .type = TYPE_STRING, CONF_MEMBER(store_tls_name), .fallback = "",
     .about = "The name that Redis' certificate must have. Empty: the host's name or address, as "
              "store, Sentinel or the cluster names it."},
    {"store-failure", .type = TYPE_WORD, CONF_MEMBER(store_failure), .fallback = "local",
     .words = store_failure_words,
     .about = "What happens while the store is away. local: each daemon counts in its own "
              "memory and hands the counts in afterwards. accept: mail passes uncounted. defer: "
              "outgoing mail is put off."},
    {"store-timeout", .type = TYPE_DURATION, CONF_MEMBER(store_timeout_ms), .fallback = "200ms",
     .least = 10, .most = 30 * MS_PER_SEC,
     .about = "No message waits longer than this for the store."},
    {"store-journal-size", .type = TYPE_INTEGER, CONF_MEMBER(store_journal_size),
     .fallback = "100000", .most = 10000000,
     .about = "How many charges each daemon keeps while the store is away, to hand them in when "
              "it is back."},
    {"store-hash-addresses", .type = TYPE_BOOLEAN, CONF_MEMBER(store_hash_addresses),
     .fallback = "no",
     .about =
         "Whether the store gets keyed hashes in place of addresses, their networks and logins."},
    {"store-hash-key-file", .type = TYPE_SECRET, CONF_MEMBER(store_hash_key), .fallback = "",
     .about = "A file with the secret key for store-hash-addresses, the same on every host, that "
              "others cannot read."},
    {"state-directory", .type = TYPE_PATH, CONF_MEMBER(state_directory),
     .fallback = SLUICE_LOCALSTATEDIR,
     .about = "The folder in which the journal, the local store, and since when the records of new "
              "DKIM keys are visible survive a restart. Empty: nowhere."},

    {"class-lookup", .heading = "Classes", .type = TYPE_LOOKUP, CONF_ARRAY(class_lookups),
     .fallback = "\"store\"",
     .about =
         "Where else than in this file it may stand in which class a login is; the first that "
         "knows it counts, and goes before the members of the classes here. store: what "
         "sluicectl class has set. socketmap:unix:/path:NAME or "
         "socketmap:inet:HOST:PORT:NAME: a table NAME in Postfix' socketmap protocol, by which "
         "LDAP and SQL can be asked; the login is the key, the class's name the value. Not "
         "asked where no class is written here."},
    {"class-timeout", .type = TYPE_DURATION, CONF_MEMBER(class_timeout_ms), .fallback = "200ms",
     .least = 10, .most = 10 * MS_PER_SEC,
     .about = "How long a message waits for a socketmap server. When it is away, what it said "
              "within the last hour holds, else what stands behind it in class-lookup and in this "
              "file."},
    {"class-cache", .type = TYPE_DURATION, CONF_MEMBER(class_cache_ms), .fallback = "5s",
     .most = 3600 * MS_PER_SEC, .about = "How long an answer holds before it is asked for again."},
    {"resolver", .heading = "DNS", .type = TYPE_RESOLVER, .list = true, CONF_MEMBER(resolver),
     .fallback = "system",
     .about = "Who answers DNS questions: system for those of /etc/resolv.conf, or a list of "
              "addresses, each with @PORT where it is not 53."},
    {"dns-timeout", .type = TYPE_DURATION, CONF_MEMBER(dns_timeout_ms), .fallback = "2s",
     .least = 10, .most = 10 * MS_PER_SEC,
     .about = "How long a message's lookups may take, all together. It must stay far below the "
              "MTA's own patience of 30 seconds."},
    {"dns-max-inflight", .type = TYPE_INTEGER, CONF_MEMBER(dns_max_inflight), .fallback = "512",
     .least = 1, .most = 65535, .about = "How many lookups may be under way at once."},
    {"dns-cache-size", .type = TYPE_INTEGER, CONF_MEMBER(dns_cache_size), .fallback = "10000",
     .most = 10000000, .about = "How many answers are kept. 0: none."},
    {"reputation-refresh", .type = TYPE_DURATION, CONF_MEMBER(reputation_refresh_ms),
     .fallback = "1h", .least = MS_PER_SEC, .most = 7 * SEC_PER_DAY * MS_PER_SEC,
     .about = "How often the reverse names of outgoing-addresses and the blocklists are looked up "
              "anew, in the background."},

    {"authserv-id", .heading = "Verifying", .type = TYPE_HOSTNAME, CONF_MEMBER(authserv_id),
     .fallback = "",
     .about = "The name by which our Authentication-Results are known (RFC 8601 section 2.5). "
              "Empty: hostname."},
    {"dmarc-discovery", .type = TYPE_WORD, CONF_MEMBER(dmarc_discovery), .fallback = "tree-walk",
     .words = dmarc_discovery_words,
     .about =
         "How the DMARC policy and the organizational domain are found: tree-walk asks the "
         "DNS (RFC 9989), suffix-list looks into the public suffix list (RFC 7489), where pct= "
         "says for what share of messages the policy is as published: of the others one that "
         "asks to reject asks to quarantine, and one to quarantine nothing."},
    {"spf-engine", .type = TYPE_WORD, CONF_MEMBER(spf_engine), .fallback = "own",
     .words = spf_engine_words,
     .about =
         "Who evaluates SPF. own: Sluice alone, which answers all of RFC 7208's test suite. both: "
         "libspf2 is asked as well, and where it says something else that is logged "
         "(event=spf-engine), while our result stands. libspf2: its result stands. Ours is always "
         "worked out first; libspf2 runs in a process of its own, without files and network, and "
         "sees only the answers of the DNS that ours needed. It is not asked where it is known to "
         "be wrong: see \"SPF engines\" in sluice-milter(8)."},
    {"verify-incoming", .type = TYPE_BOOLEAN, CONF_MEMBER(verify_incoming), .fallback = "yes",
     .about = "Whether mail from outside is verified by DKIM, SPF and DMARC. It gets an "
              "Authentication-Results header, and those that pretend to be ours are removed."},
    {"received-spf", .type = TYPE_BOOLEAN, CONF_MEMBER(received_spf), .fallback = "no",
     .about = "Whether it gets a Received-SPF header too."},
    {"trusted-arc", .type = TYPE_DOMAIN, .list = true, CONF_MEMBER(trusted_arc), .fallback = "",
     .about =
         "Forwarders and mailing lists whose ARC seal (RFC 8617) is believed: where one of them "
         "was the last to seal the message and the whole chain verifies, or cannot be verified "
         "since DNS fails, a failure of DMARC is only logged."},

    {"classify-rules", .heading = "Classifying", .type = TYPE_FILES, .list = true,
     CONF_MEMBER(classify_rules), .fallback = "",
     .about =
         "Files with rules of your own that say why a delivery failed. They are tried before "
         "the rules that are built in, in their order; sluicectl classify --check tests them."},

#include "lib/conf/feedback.def"

    {"log", .heading = "The log", .type = TYPE_LOG, CONF_MEMBER(log), .fallback = "syslog",
     .about =
         "Where log lines go: syslog (or syslog:/socket, where that is not /dev/log), stderr or "
         "file:/path. A file is opened anew at SIGHUP."},
    {"log-format", .type = TYPE_WORD, CONF_MEMBER(log_json), .fallback = "text",
     .words = log_format_words, .about = "text: key=value. json: one object a line."},
    {"log-facility", .type = TYPE_WORD, CONF_MEMBER(log_facility), .fallback = "mail",
     .words = log_facility_words,
     .about = "The syslog facility; with mail the lines stand beside the MTA's own."},

    {"user", .heading = "The process", .type = TYPE_ACCOUNT, CONF_MEMBER(user), .fallback = "",
     .about = "The user to become once the sockets are bound and the keys are read. Empty: no "
              "change."},
    {"group", .type = TYPE_ACCOUNT, CONF_MEMBER(group), .fallback = "",
     .about = "The group to become. Empty: the user's own."},
    {"drain-timeout", .type = TYPE_DURATION, CONF_MEMBER(drain_timeout_ms), .fallback = "30s",
     .most = 600 * MS_PER_SEC,
     .about = "How long a daemon that is asked to stop may take to finish the messages in hand."},

    {"notify-from", .heading = "Telling people", .type = TYPE_STRING, CONF_MEMBER(notify_from),
     .fallback = "", .about = "The From address of notices. Empty: postmaster at hostname."},
    {"notify-sendmail", .type = TYPE_NAMES, .list = true, CONF_MEMBER(notify_sendmail),
     .fallback = "\"/usr/sbin/sendmail\"",
     .about = "The program that sends notices: sendmail(1), and arguments before its own."},
    {"notify-processes", .type = TYPE_INTEGER, CONF_MEMBER(notify_processes), .fallback = "4",
     .least = 1, .most = 100, .about = "How many commands and mailers run at once."},
    {"notify-timeout", .type = TYPE_DURATION, CONF_MEMBER(notify_timeout_ms), .fallback = "30s",
     .least = 100, .most = 600 * MS_PER_SEC,
     .about = "How long a command or mailer may take before it is ended."},

    {"policy-listen", .heading = "sluice-policyd", .type = TYPE_LISTEN, CONF_ARRAY(policy_listen),
     .fallback = "unix:" SLUICE_RUNSTATEDIR "/policy.sock",
     .about = "Where the policy daemon listens: unix:/path or inet:HOST:PORT, where HOST is an "
              "address ([::1] for IPv6) or * for all."},
    {"policy-socket-mode", .type = TYPE_MODE, CONF_MEMBER(policy_socket_mode), .fallback = "0660",
     .about = "The mode of its unix sockets. Postfix' smtpd connects as user postfix."},
    {"policy-socket-group", .type = TYPE_ACCOUNT, CONF_MEMBER(policy_socket_group), .fallback = "",
     .about = "Their group, such as postfix. Empty: the daemon's own."},
    {"policy-max-connections", .type = TYPE_INTEGER, CONF_MEMBER(policy_max_connections),
     .fallback = "5000", .least = 1, .most = 1000000,
     .about = "How many connections it serves at once; each smtpd process holds one."},
    {"policy-idle-timeout", .type = TYPE_DURATION, CONF_MEMBER(policy_idle_timeout_ms),
     .fallback = "1000s", .least = MS_PER_SEC, .most = SEC_PER_DAY * MS_PER_SEC,
     .about = "When a silent connection is closed. It must be longer than Postfix keeps one "
              "itself (smtpd_policy_service_max_idle, 300s, and "
              "smtpd_policy_service_max_ttl, 1000s): a connection closed under Postfix' hands "
              "costs a warning in its log and a second attempt."},
    {"policy-max-request", .type = TYPE_SIZE, CONF_MEMBER(policy_max_request), .fallback = "64K",
     .least = 1024, .most = 1048576,
     .about = "The longest request that is read; a longer one closes the connection."},

    {"milter-listen", .heading = "sluice-milter", .type = TYPE_LISTEN, CONF_ARRAY(milter_listen),
     .fallback = "unix:" SLUICE_RUNSTATEDIR "/milter.sock",
     .about = "Where the milter listens, in the form of policy-listen; exactly one place."},
    {"milter-socket-mode", .type = TYPE_MODE, CONF_MEMBER(milter_socket_mode), .fallback = "0660",
     .about = "The mode of its unix socket."},
    {"milter-socket-group", .type = TYPE_ACCOUNT, CONF_MEMBER(milter_socket_group), .fallback = "",
     .about = "Its group. Empty: the daemon's own."},
    {"sign-failure", .type = TYPE_WORD, CONF_MEMBER(sign_failure), .fallback = "send",
     .words = sign_failure_words,
     .about = "What becomes of a message that should be signed and cannot be: send it unsigned "
              "and say so, or defer it."},
    {"sign-canonicalization", .type = TYPE_WORD, CONF_MEMBER(sign_canonicalization),
     .fallback = "relaxed/relaxed", .words = canonicalization_words,
     .about = "Which changes to white space on the way a signature survives, in the headers and in "
              "the body: those that mean nothing (relaxed), or none (simple)."},
    {"sign-expire", .type = TYPE_DURATION, CONF_MEMBER(sign_expire_ms), .fallback = "0",
     .most = 366 * SEC_PER_DAY * MS_PER_SEC,
     .about = "How long a signature is good for (x=), such as 7d: longer than mail may wait in "
              "queues. 0: it does not expire."},
    {"sign-headers", .type = TYPE_FIELD, .list = true, CONF_MEMBER(sign_headers),
     .fallback = SIGNED_FIELDS,
     .about = "The header fields that a signature covers where they are; List-* is all that begin "
              "so. From, List-Unsubscribe and List-Unsubscribe-Post are always covered, and what "
              "oversign-headers names."},
    {"oversign-headers", .type = TYPE_FIELD, .list = true, CONF_MEMBER(oversign_headers),
     .fallback = OVERSIGNED_FIELDS,
     .about = "Those that are named once more than they occur, so that nobody can add one on the "
              "way (RFC 6376 section 8.15). Date and Message-ID only where both are there: MTAs "
              "add them late."},
    {"sign-keys", .type = TYPE_PATH, CONF_MEMBER(sign_keys), .fallback = "",
     .about = "A folder of signing keys, as DOMAIN/SELECTOR.pem, beside those of the sign "
              "sections; a folder *.DOMAIN is for the domains below it. SELECTOR.publish and "
              "SELECTOR.retire are keys in those states (see sign). Empty: none."},
    {"sign-key-table", .type = TYPE_DATASET, CONF_MEMBER(sign_key_table), .fallback = "",
     .about =
         "OpenDKIM's KeyTable, as it is: a file with lines \"NAME DOMAIN:SELECTOR:KEY\"; or "
         "csl:NAME=DOMAIN:SELECTOR:KEY,... in its place. A DOMAIN % is that of the From address. "
         "KEY is a path from the root, or beginning with ./ or ../ (see sign-base-directory), in "
         "which % stands for the domain; or the private key itself, as PEM or base64 DER. Of "
         "several lines with one name the first counts. Empty: none."},
    {"sign-signing-table", .type = TYPE_DATASET, CONF_MEMBER(sign_signing_table), .fallback = "",
     .about =
         "OpenDKIM's SigningTable, as it is: a file with lines \"PATTERN NAME\" that say which "
         "keys of sign-key-table sign for which From addresses; with refile: before the path, "
         "* in a pattern stands for any characters; or csl:PATTERN=NAME,... in its place. Empty: "
         "none."},
    {"sign-base-directory", .type = TYPE_PATH, CONF_MEMBER(sign_base_directory), .fallback = "",
     .about = "OpenDKIM's BaseDirectory: where the paths of those two tables, and in the KeyTable, "
              "start that do not start at the root. Empty: where the program was started; what "
              "a KeyTable names that is not there is looked for beside the table."},
    {"sign-all-matches", .type = TYPE_BOOLEAN, CONF_MEMBER(sign_all_matches), .fallback = "no",
     .about = "Whether all lines of the SigningTable that match add a signature, or only the first "
              "one: OpenDKIM's MultipleSignatures."},

#include "lib/conf/schema_content.def"

#include "lib/conf/limiting.def"
#include "lib/conf/signing.def"
#include "lib/conf/judging.def"
#include "lib/conf/notify.def"
};
const size_t schema_option_count = COUNT_OF(schema_options);

const struct conf_option *schema_option(enum section_kind section, const char *name)
{
    for (size_t i = 0; i < schema_option_count; i++)
        if (schema_options[i].section == section && strcmp(schema_options[i].name, name) == 0)
            return &schema_options[i];
    return NULL;
}

enum section_kind schema_section(enum section_kind parent, const char *name)
{
    enum section_kind kind;

    for (kind = SECTION_ROOT + 1; kind < SECTION_COUNT; kind++)
        if (schema_sections[kind].parent == parent && strcmp(schema_sections[kind].name, name) == 0)
            break;
    return kind;
}

const char *schema_nearest(enum section_kind section, const char *name)
{
    const char *names[SECTION_COUNT + COUNT_OF(schema_options)];
    size_t count = 0;

    for (size_t i = 0; i < schema_option_count; i++)
        if (schema_options[i].section == section)
            names[count++] = schema_options[i].name;
    for (enum section_kind kind = SECTION_ROOT + 1; kind < SECTION_COUNT; kind++)
        if (schema_sections[kind].parent == section)
            names[count++] = schema_sections[kind].name;
    return words_nearest(name, names, count);
}

const struct conf_option *schema_elsewhere(enum section_kind section, const char *name)
{
    for (size_t i = 0; i < schema_option_count; i++)
        if (schema_options[i].section != section && strcmp(schema_options[i].name, name) == 0)
            return &schema_options[i];
    return NULL;
}
