/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A message on its way through Sluice: what the MTA said of it, what we found out, what we make of
 * it.
 *
 * The programs fill the envelope and headers; lib/decide fills facts, then findings, then the
 * verdict. A struct message belongs to one thread at a time.  Every setter copies.
 */
#pragma once

#include "lib/base/ip.h"
#include "lib/message/address.h"
#include "lib/message/facts.h"
#include "lib/message/finding.h"
#include "lib/message/wire.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MESSAGE_RECIPIENTS_MAX 50000 /* kept per message; the rest is counted only */
#define MESSAGE_HEADERS_MAX 10000 /* fields kept */
#define MESSAGE_HEADER_BYTES_MAX (4 * 1024 * 1024) /* of all fields together */
/* Beyond these, for the fields that say whose a message is and what was proven of it: */
#define MESSAGE_HEADERS_SPARE 1000
#define MESSAGE_HEADER_BYTES_SPARE (1024 * 1024)
#define TLS_BITS_MAX 65536

enum direction { DIRECTION_IN, DIRECTION_OUT };

/* How far the SMTP transaction is. */
enum stage { STAGE_MAIL, STAGE_RCPT, STAGE_DATA, STAGE_END_OF_MESSAGE };

/* Who asks: enum cause_found's bits FOUND_POLICY and FOUND_MILTER, by number. */
enum message_program { PROGRAM_POLICY = 1, PROGRAM_MILTER = 2 };

struct recipient {
    struct address address;
    enum address_problem problem;
    bool local; /* in local-domains */
    struct mail_domain_fact domain; /* asked for where the checks need it */
};

struct header {
    char *name;
    char *value; /* as it came: folded with LF or CRLF, leading space kept */
};

struct message {
    /* The transaction */
    enum message_program program;
    enum stage stage;
    enum direction direction;
    bool local_submission; /* sendmail(1), cron: not by SMTP; a recipient must not be refused */
    char *hostname; /* ours: part of the identity */
    char *queue_id; /* "" while unknown */
    char *instance; /* Postfix' instance=, or "" */
    int64_t started_us; /* steady clock, for ms= */
    int64_t sent_us; /* wall clock, for mail of the past; 0: now */

    /* The client */
    struct ip_address client;
    char *client_name; /* verified name, or "" */
    char *helo;
    char *user; /* SASL login, lower case; "" when not authenticated */
    char *auth_method;
    bool tls_told; /* the MTA says whether there is TLS */
    char *tls_protocol, *tls_cipher; /* "" without TLS */
    char *tls_certificate; /* whose the client showed, as far as the MTA tells; or "" */
    int tls_bits; /* of the cipher's key, at most TLS_BITS_MAX; 0: unknown */
    uint16_t server_port; /* 0: unknown */

    /* The envelope */
    struct address sender;
    enum address_problem sender_problem;
    struct recipient *recipients;
    size_t nrecipients; /* kept */
    size_t nrecipients_total; /* seen, refused ones not counted */
    size_t nlocal_unseen; /* in local-domains, of those that are not kept */
    int64_t size; /* bytes; the client's claim until STAGE_END_OF_MESSAGE; 0 unknown */

    /* The headers (milter only) */
    struct header *headers;
    size_t nheaders;
    size_t header_bytes;
    bool headers_cut; /* there were more than we keep */
    bool identity_cut; /* ... and one of those was From, Authentication-Results or the like */
    struct wire wire; /* of headers and body */

    /* What we know and think */
    struct facts facts;
    struct findings findings;
    struct verdict verdict;
};

/* A new message; hostname is copied. */
struct message *message_new(enum message_program program, const char *hostname);
void message_free(struct message **message);

/* Back to the state before MAIL FROM: the client stays, everything of the transaction goes (RSET,
 * the next MAIL). */
void message_reset(struct message *message);

/* Setters.  login is lower-cased; NULL is "". */
void message_set_user(struct message *message, const char *login);
/* What names a client's certificate for good: subject and issuer where the MTA trusts them, else a
 * fingerprint; each "" or NULL where it is not told. */
void message_set_certificate(struct message *message, const char *subject, const char *issuer,
                             const char *fingerprint);
void message_set_sender(struct message *message, const char *reverse_path);
void message_set(char **member, const char *value); /* any plain string member */

/* Adds a recipient, and drops the last one again when it was refused. */
struct recipient *message_add_recipient(struct message *message, const char *forward_path);
void message_drop_recipient(struct message *message);

/* Adds a header field.  Beyond the caps headers_cut is set, and only From, Authentication-Results
 * and the like are kept, as long as there is room to spare; identity_cut says when there is none.
 */
void message_add_header(struct message *message, const char *name, const char *value);
/* The n-th header of that name (0 is the first), or NULL. */
const struct header *message_header(const struct message *message, const char *name, size_t n);

/* The identity that a message is counted by, "hostname/queue-id", else "hostname/instance"; "" when
 * there is neither.  The caller frees it. */
char *message_identity(const struct message *message);

/* Sixteen hexadecimal digits that policy daemon and milter both derive from the identity (trace=).
 */
void message_trace(const struct message *message, char trace_r[17]);
