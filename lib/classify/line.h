/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One line of an MTA's log, as typed fields.
 *
 * line_parse() understands what Postfix and Sendmail write, behind a syslog header (RFC 3164, with
 * or without priority, or host; RFC 5424; rsyslog's ISO time; Postfix' own maillog_file) or without any.
 * Every span points into the text that was parsed, which stays the caller's and is not changed.
 * Lines are hostile: any octets, any length up to LINE_MAX_LENGTH (what is behind is not looked
 * at). Thread-safe; nothing is allocated.
 */
#pragma once

#include "lib/classify/span.h"

#include <stdint.h>

#define LINE_MAX_LENGTH ((size_t)16 * 1024) /* octets */

/* What a line tells. */
enum line_kind {
    LINE_FOREIGN, /* no MTA's line */
    LINE_OTHER, /* an MTA's line of no known shape */
    LINE_DELIVERY, /* what became of one recipient: status */
    LINE_ATTEMPT, /* one server, of perhaps several, refused or failed in the dialogue */
    LINE_CONNECT, /* one server could not be connected to */
    LINE_EXPIRED, /* the MTA gave up after days */
    LINE_RELAY_LOGIN, /* the relayhost refused our login */
    LINE_TLS_OUT, /* TLS with a server failed */
    LINE_TLS_IN, /* TLS with a client failed */
    LINE_TLS, /* TLS was agreed on, with either */
    LINE_REJECT, /* our own server refused a client's command */
    LINE_SCREEN, /* postscreen refused a client */
    LINE_LOGIN, /* a client's login failed */
    LINE_RATE, /* a client came too often for our own server */
    LINE_PASSED, /* mail passed, but something was done to it or would have been */
    LINE_QUEUED, /* a message came in: its sender, size, id or client */
    LINE_REMOVED, /* a message left the queue */
    LINE_NOTICE, /* a bounce, delay or success notice was sent */
    LINE_CLIENT, /* a client came, left or misbehaved */
    LINE_LISTED, /* a DNS list knows a client */
    LINE_STATISTICS,
    LINE_ADMIN, /* the MTA or its queue was told to do something */
    LINE_NOTE, /* how the MTA goes about its work */
    LINE_WARNING, /* the MTA's own trouble */
    LINE_KIND_COUNT
};

enum line_mta { LINE_MTA_NONE, LINE_MTA_POSTFIX, LINE_MTA_SENDMAIL };

/* Of LINE_DELIVERY. */
enum line_status {
    LINE_STATUS_NONE,
    LINE_STATUS_SENT, /* also a successful address probe */
    LINE_STATUS_DEFERRED,
    LINE_STATUS_BOUNCED, /* also a failed address probe */
    LINE_STATUS_EXPIRED,
    LINE_STATUS_QUEUED, /* Sendmail handed it to a later run */
};

/* How the time is written. */
enum line_time_form { LINE_TIME_NONE, LINE_TIME_RFC3164, LINE_TIME_ISO };

enum line_field {
    FIELD_TIME,
    FIELD_HOST,
    FIELD_PROGRAM, /* as written: "postfix-out/smtp" */
    FIELD_INSTANCE, /* "postfix-out"; absent with Sendmail */
    FIELD_SERVICE, /* "smtp", "sendmail" */
    FIELD_BODY, /* behind the header */
    FIELD_QUEUE_ID, /* "NOQUEUE" where the MTA says so */
    FIELD_RECIPIENT,
    FIELD_ORIGINAL_RECIPIENT,
    FIELD_SENDER, /* empty for <> */
    FIELD_RELAY, /* as written; then its parts */
    FIELD_RELAY_HOST,
    FIELD_RELAY_IP, /* or a socket's path */
    FIELD_RELAY_PORT,
    FIELD_CLIENT_NAME, /* of who connected to us; "unknown" is one */
    FIELD_CLIENT_IP,
    FIELD_CLIENT_PORT,
    FIELD_DELAY,
    FIELD_DELAYS, /* before the queue manager/in it/connecting/sending */
    FIELD_DSN,
    FIELD_STATUS,
    FIELD_TEXT, /* why: a reply, or the MTA's own words */
    FIELD_STAGE, /* "RCPT", "END-OF-MESSAGE", "performing the EHLO handshake" */
    FIELD_ACTION, /* "reject", "milter-reject", "hold" */
    FIELD_USER, /* login */
    FIELD_MECHANISM, /* SASL's */
    FIELD_HELO,
    FIELD_PROTOCOL,
    FIELD_SIZE,
    FIELD_NRCPT,
    FIELD_MESSAGE_ID,
    FIELD_TLS_LEVEL, /* "may", "dane/requiretls?" */
    FIELD_TLS_TRUST, /* "Trusted" */
    FIELD_TLS_VERSION,
    FIELD_TLS_CIPHER,
    FIELD_TLS_BITS,
    FIELD_NOTICE_ID, /* the notice's own queue id */
    FIELD_LIST, /* a DNS list */
    FIELD_RESULT, /* its answer */
    FIELD_NUMBER, /* "22", "1/60s" */
    FIELD_COUNTED_SERVICE,
    FIELD_COMMANDS, /* "ehlo=1 mail=1 rcpt=0/1" */
    FIELD_MAILER,
    FIELD_RULESET,
    FIELD_ARGUMENT,
    FIELD_COUNT
};

struct line {
    enum line_kind kind;
    enum line_mta mta;
    enum line_status status;
    enum line_time_form time_form;
    unsigned pid; /* 0: not written */
    struct span fields[FIELD_COUNT]; /* absent: start is NULL */
};

/* Parses a line, without its newline.  false: it has no syslog header and is no line of an MTA
 * either; line_r is then all absent.  A line with a header is parsed, whatever it says. */
bool line_parse(const char *text, size_t length, struct line *line_r);

/* The same for what stands behind the header, where the program is known: "postfix/smtp",
 * "sendmail". */
void line_parse_body(const char *program, const char *text, size_t length, struct line *line_r);

/* Cuts the next one off the recipients of a line, of which Sendmail names several in one:
 * "<a@b>,<c@d>", of which the outer brackets may be gone.  false: there is none. */
bool line_next_recipient(struct span *list, struct span *recipient_r);

/* When it was written, in microseconds since the epoch.  RFC 3164's time has neither year nor zone:
 * it is the local time that is nearest before now_us, or up to a day behind it.  false: there is
 * none, or it is impossible. */
bool line_time(const struct line *line, int64_t now_us, int64_t *time_us_r);

const char *line_kind_name(enum line_kind kind); /* "tls-out" */
bool line_kind_parse(struct span name, enum line_kind *kind_r);
