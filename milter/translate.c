/* SPDX-License-Identifier: BSD-2-Clause */
#include "milter/translate.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* The value of a macro, such as "{auth_authen}" or "i", or NULL; borrowed until the callback ends.
 */
static const char *macro_of(SMFICTX *context, const char *name)
{
    /* libmilter only reads the name, its prototype lacks the const */
    return smfi_getsymval(context, (char *)(uintptr_t)name);
}

static bool equals(const char *value, const char *wanted)
{
    return value != NULL && strcmp(value, wanted) == 0;
}

/* --- the client ----------------------------------------------------------------------- */

static uint16_t client_port(const struct sockaddr *client)
{
    switch (client->sa_family) {
    case AF_INET:
        return ntohs(((const struct sockaddr_in *)client)->sin_port);
    case AF_INET6:
        return ntohs(((const struct sockaddr_in6 *)client)->sin6_port);
    default:
        return 0;
    }
}

/* Postfix shows mail from sendmail(1), and its own bounces, as a client at localhost that has no
 * port, on no port of ours (non_smtpd_milters); Sendmail -bs shows a client that has no address. */
static bool is_local_submission(SMFICTX *context, const struct message *message,
                                const struct sockaddr *client)
{
    const char *port = macro_of(context, "{daemon_port}");

    if (client == NULL || message->client.family == 0)
        return true;
    return client_port(client) == 0 && ip_is_loopback(&message->client) &&
           (port == NULL || equals(port, "0"));
}

static uint16_t parse_port(const char *port)
{
    unsigned long number = port != NULL ? strtoul(port, NULL, 10) : 0;

    return number <= UINT16_MAX ? (uint16_t)number : 0;
}

/* Postfix leaves the macros out where there is no TLS, and so does an MTA that never tells;
 * Sendmail has a macro that says so. */
static bool tells_tls(SMFICTX *context, const struct session *session)
{
    return session->is_postfix || session->message->tls_protocol[0] != '\0' ||
           macro_of(context, "{verify}") != NULL;
}

static int parse_bits(const char *bits)
{
    unsigned long number = bits != NULL ? strtoul(bits, NULL, 10) : 0;

    return number <= TLS_BITS_MAX ? (int)number : 0;
}

void translate_connection(SMFICTX *context, struct session *session, const char *hostname,
                          const struct sockaddr *client)
{
    struct message *message = session->message;
    const char *resolved = macro_of(context, "{client_resolve}");
    const char *version = macro_of(context, "v");
    bool verified = hostname != NULL && hostname[0] != '[' && strcasecmp(hostname, "unknown") != 0;

    message->client = (struct ip_address){0};
    if (client != NULL && !ip_from_sockaddr(client, &message->client))
        message->client = (struct ip_address){0};
    /* Sendmail gives the name of the PTR record even where it does not lead back */
    if (resolved != NULL && !equals(resolved, "OK"))
        verified = false;
    message_set(&message->client_name, verified ? hostname : NULL);
    message->server_port = parse_port(macro_of(context, "{daemon_port}"));
    message->local_submission = is_local_submission(context, message, client);
    session->is_postfix = version != NULL && strncasecmp(version, "Postfix", 7) == 0;
}

/* Postfix tells of certificates that it trusts only, Sendmail of all, and whether it does. */
static void set_certificate(SMFICTX *context, struct message *message)
{
    const char *verified = macro_of(context, "{verify}");
    const bool trusted = verified == NULL || verified[0] == '\0' || equals(verified, "OK");

    message_set_certificate(message, trusted ? macro_of(context, "{cert_subject}") : NULL,
                            macro_of(context, "{cert_issuer}"), NULL);
}

/* --- the envelope --------------------------------------------------------------------- */

static int64_t claimed_size(char *const *arguments)
{
    for (; *arguments != NULL; arguments++) {
        long long size;

        if (strncasecmp(*arguments, "SIZE=", 5) != 0)
            continue;
        errno = 0;
        size = strtoll(*arguments + 5, NULL, 10);
        return errno == 0 && size > 0 ? size : 0;
    }
    return 0;
}

void translate_sender(SMFICTX *context, struct session *session, char *const *arguments)
{
    struct message *message = session->message;

    message_set_user(message, NULL);
    message_set_sender(message, arguments[0]);
    message->size = claimed_size(arguments + 1);
    message_set(&message->auth_method, macro_of(context, "{auth_type}"));
    message_set(&message->tls_protocol, macro_of(context, "{tls_version}"));
    message_set(&message->tls_cipher, macro_of(context, "{cipher}"));
    message->tls_bits = parse_bits(macro_of(context, "{cipher_bits}"));
    set_certificate(context, message);
    message->tls_told = tells_tls(context, session);
    translate_late_macros(context, session);
    /* Postfix' smtpd asks for a queue file after the first recipient; what has one before comes
     * from the queue (sendmail(1), postsuper -r), and a refused recipient would make it stick
     * there. */
    session->by_smtp =
        !message->local_submission && !(session->is_postfix && message->queue_id[0] != '\0');
}

void translate_late_macros(SMFICTX *context, struct session *session)
{
    struct message *message = session->message;
    const char *queue_id = macro_of(context, "i");
    const char *login = macro_of(context, "{auth_authen}");

    if (queue_id != NULL && strcmp(queue_id, message->queue_id) != 0)
        message_set(&message->queue_id, queue_id);
    if (login != NULL && login[0] != '\0' && message->user[0] == '\0')
        message_set_user(message, login);
}

bool translate_is_refused(SMFICTX *context)
{
    return equals(macro_of(context, "{rcpt_mailer}"), "error");
}

/* --- the headers ---------------------------------------------------------------------- */

void translate_header(struct session *session, const char *name, const char *value)
{
    size_t octets = strlen(name) + strlen(":\r\n") + strlen(value);

    if (!(session->protocol & SMFIP_HDR_LEADSPC))
        octets++;
    /* on the wire each line ends with CRLF, here a folded value has bare LF */
    for (const char *c = value; (c = strchr(c, '\n')) != NULL; c++)
        octets += c == value || c[-1] != '\r';
    session->octets += (int64_t)octets;
    message_add_header(session->message, name, value);
    wire_header(&session->message->wire, name, value, !(session->protocol & SMFIP_HDR_LEADSPC));
}

void translate_body(struct session *session, const void *bytes, size_t length)
{
    session->octets += (int64_t)length;
    wire_body(&session->message->wire, bytes, length);
}

void translate_end(struct session *session)
{
    struct message *message = session->message;

    wire_end(&message->wire);
    message->size = session->octets + (int64_t)sizeof("\r\n") - 1;
}
