/* SPDX-License-Identifier: BSD-2-Clause */
#include "ctl/endpoint.h"

#include "lib/base/count.h"
#include "lib/base/endpoint.h"
#include "lib/base/mem.h"
#include "lib/causes/causes.h"
#include "lib/daemon/socket.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define MS_US INT64_C(1000)
#define REPLY_LINES_MAX 100
#define QUOTE_MAX 200

/* RFC 8314 sections 3 and 7.3; RFC 6409.  The first one of a port is what the port is for. */
static const struct endpoint_kind kinds[] = {
    {.scheme = "smtp", .port = 25},
    {.scheme = "submission", .port = 587, .login = true},
    {.scheme = "submissions", .port = 465, .wrapped = true, .login = true},
    {.scheme = "smtps", .port = 465, .wrapped = true, .login = true},
    {.scheme = "imap", .port = 143, .imap = true, .login = true},
    {.scheme = "imaps", .port = 993, .wrapped = true, .imap = true, .login = true},
};
#define KINDS COUNT_OF(kinds)

/* --- what to look at --------------------------------------------------------------------- */

static const struct endpoint_kind *kind_of_scheme(const char *words, size_t length)
{
    for (size_t i = 0; i < KINDS; i++)
        if (strlen(kinds[i].scheme) == length && strncasecmp(kinds[i].scheme, words, length) == 0)
            return &kinds[i];
    return NULL;
}

static const struct endpoint_kind *kind_of_port(uint16_t port)
{
    for (size_t i = 0; i < KINDS; i++)
        if (kinds[i].port == port)
            return &kinds[i];
    return &kinds[0];
}

bool endpoint_read(const char *words, struct endpoint *endpoint_r)
{
    const char *rest = strstr(words, "://");
    struct endpoint endpoint = {.kind = NULL};

    if (rest != NULL) {
        endpoint.kind = kind_of_scheme(words, (size_t)(rest - words));
        if (endpoint.kind == NULL)
            return false;
        words = rest + strlen("://");
    }
    if (!endpoint_parse(words, strlen(words), endpoint.kind != NULL ? endpoint.kind->port : 25,
                        &endpoint.host, &endpoint.port))
        return false;
    if (endpoint.kind == NULL)
        endpoint.kind = kind_of_port(endpoint.port);
    if (!ip_parse(endpoint.host, &endpoint.address))
        endpoint.address = (struct ip_address){.family = 0};
    endpoint.title = mem_print(endpoint.address.family == 6 ? "%s://[%s]:%u" : "%s://%s:%u",
                               endpoint.kind->scheme, endpoint.host, (unsigned)endpoint.port);
    *endpoint_r = endpoint;
    return true;
}

void endpoint_clear(struct endpoint *endpoint)
{
    free(endpoint->host);
    free(endpoint->title);
    memset(endpoint, 0, sizeof(*endpoint));
}

const char *endpoint_name(const struct endpoint *endpoint, const struct endpoint_manner *manner)
{
    return manner->name != NULL ? manner->name : endpoint->host;
}

/* --- findings ---------------------------------------------------------------------------- */

struct finding *endpoint_finding(struct findings *findings, int cause,
                                 const struct endpoint *endpoint, const struct ip_address *address,
                                 const char *problem)
{
    struct finding *finding = findings_add(findings, cause_get((enum cause_id)cause));
    char text[IP_TEXT_MAX];

    finding_field(finding, "endpoint", "%s", endpoint->title);
    if (address != NULL) {
        ip_format(address, text);
        finding_field(finding, "ip", "%s", text);
    }
    finding_field(finding, "problem", "%s", problem);
    return finding;
}

char *endpoint_quote(const char *words)
{
    char *quoted = mem_copy_n(words, strnlen(words, QUOTE_MAX));

    for (char *c = quoted; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || (unsigned char)*c > '~')
            *c = '?';
    return quoted;
}

/* Where a client stands before it. */
struct visit {
    const struct endpoint *endpoint;
    const struct ip_address *address;
    const struct endpoint_manner *manner;
    struct findings *findings;
    struct text *said;
    struct talk talk;
    struct text answer; /* the last one, in lines */
    bool secure;
};

static struct finding *find(struct visit *visit, enum cause_id cause, const char *problem)
{
    return endpoint_finding(visit->findings, (int)cause, visit->endpoint, visit->address, problem);
}

static void find_unconnected(struct visit *visit)
{
    const char *problem = talk_problem(&visit->talk);
    struct finding *finding = find(visit, CAUSE_CONFIG_ENDPOINT_DOWN, problem);
    const unsigned port = visit->endpoint->port;
    char ip[IP_TEXT_MAX];

    ip_format(visit->address, ip);
    if (strcmp(problem, "timed out") == 0)
        finding_hint(finding,
                     "see whether %s (%s) is up, and let port %u through every firewall on the "
                     "way%s",
                     visit->endpoint->host, ip, port,
                     port == 25 ? "; many providers block outgoing port 25: ask for it, or use a "
                                  "relayhost on 587"
                                : "");
    else
        finding_hint(finding,
                     "start the server that is to listen at %s port %u (there: ss -ltn), or "
                     "correct the host or the port; a firewall may refuse in its place",
                     ip, port);
}

/* It took the connection, and then did not talk as such a server does. */
static void find_silent(struct visit *visit, const char *problem)
{
    struct finding *finding = find(visit, CAUSE_CONFIG_ENDPOINT_DOWN, problem);

    finding_hint(finding,
                 "something takes connections at %s port %u and does not serve %s: look at the "
                 "server's log, and at what stands between it and its clients",
                 visit->endpoint->host, (unsigned)visit->endpoint->port,
                 visit->endpoint->kind->imap ? "IMAP" : "SMTP");
}

static void find_unwelcome(struct visit *visit, const char *stage)
{
    char *quoted = endpoint_quote(text_string(&visit->answer));
    char *problem = mem_print("%s: %s", stage, quoted);
    struct finding *finding = find(visit, CAUSE_CONFIG_ENDPOINT_DOWN, problem);

    finding_hint(finding, "%s does not serve this client, and says why: %s", visit->endpoint->title,
                 quoted);
    free(problem);
    free(quoted);
}

/* --- the conversation -------------------------------------------------------------------- */

/* "250-..." goes on, "250 ..." ends; IMAP ends with our tag, and its greeting is one line. */
static bool ends(const struct visit *visit, const char *line, bool greeting)
{
    if (visit->endpoint->kind->imap)
        return greeting || strncmp(line, "s ", 2) == 0;
    return strlen(line) < 4 || line[3] != '-';
}

static bool is_good(const struct visit *visit, const char *line)
{
    if (visit->endpoint->kind->imap)
        return strncasecmp(line, "s OK", 4) == 0 || strncasecmp(line, "* OK", 4) == 0 ||
               strncasecmp(line, "* PREAUTH", 9) == 0;
    return line[0] == '2';
}

enum answered { ANSWERED_WELL, ANSWERED_BADLY, ANSWERED_NOT };

/* command NULL: the greeting. */
static enum answered ask(struct visit *visit, const char *command)
{
    char line[TALK_LINE_MAX];

    text_clear(&visit->answer);
    if (command != NULL && !talk_send(&visit->talk, command, strlen(command)))
        return ANSWERED_NOT;
    for (int i = 0; i < REPLY_LINES_MAX; i++) {
        if (!talk_line(&visit->talk, line))
            return ANSWERED_NOT;
        text_print(&visit->answer, "%s%s", i > 0 ? "\n" : "", line);
        if (ends(visit, line, command == NULL))
            return is_good(visit, line) ? ANSWERED_WELL : ANSWERED_BADLY;
    }
    return ANSWERED_BADLY;
}

/* What follows a word of the last answer: "250-AUTH PLAIN LOGIN", "* CAPABILITY IMAP4rev1
 * AUTH=PLAIN".  NULL: the word is not there. */
static const char *offer(const struct visit *visit, const char *word)
{
    const char *at = text_string(&visit->answer);
    const size_t length = strlen(word);
    const bool imap = visit->endpoint->kind->imap;

    while (at != NULL && *at != '\0') {
        const char *start = imap ? at : at + strnlen(at, 4);

        if (strncasecmp(start, word, length) == 0 && strchr(" =\n", start[length]) != NULL)
            return start + length;
        at = strpbrk(at, imap ? " \n" : "\n");
        at = at != NULL ? at + 1 : NULL;
    }
    return NULL;
}

/* Asks what it can do. */
static bool ask_offers(struct visit *visit)
{
    char *command = visit->endpoint->kind->imap ? mem_copy("s CAPABILITY\r\n")
                                                : mem_print("EHLO %s\r\n", visit->manner->helo);
    const enum answered answered = ask(visit, command);

    free(command);
    if (answered == ANSWERED_NOT)
        find_silent(visit, talk_problem(&visit->talk));
    else if (answered == ANSWERED_BADLY)
        find_unwelcome(visit, visit->endpoint->kind->imap ? "CAPABILITY" : "EHLO");
    return answered == ANSWERED_WELL;
}

static void find_no_tls(struct visit *visit, const char *problem, const char *what)
{
    const struct endpoint *endpoint = visit->endpoint;
    struct finding *finding = find(visit, CAUSE_CONFIG_ENDPOINT_TLS, problem);

    finding_hint(finding, "%s at %s port %u: %s", what, endpoint->host, (unsigned)endpoint->port,
                 endpoint->kind->wrapped
                     ? "465 and 993 are TLS from the start (Postfix: smtpd_tls_wrappermode = yes)"
                     : "25, 587 and 143 are STARTTLS (Postfix: smtpd_tls_security_level = may or "
                       "encrypt, smtpd_tls_wrappermode = no)");
}

static bool secure(struct visit *visit)
{
    visit->secure = endpoint_secure(&visit->talk, visit->endpoint, visit->address, visit->manner,
                                    visit->findings, visit->said);
    return visit->secure;
}

/* A server that waits for the client to begin is one with TLS from the start. */
static bool greet(struct visit *visit)
{
    const int64_t end_us = visit->talk.deadline_us;
    enum answered answered;

    visit->talk.deadline_us -= visit->manner->timeout_ms * MS_US / 2;
    answered = ask(visit, NULL);
    visit->talk.deadline_us = end_us;
    if (answered == ANSWERED_BADLY)
        find_unwelcome(visit, "greeting");
    if (answered != ANSWERED_NOT)
        return answered == ANSWERED_WELL;
    if (!visit->secure && strcmp(talk_problem(&visit->talk), "timed out") == 0 && secure(visit))
        find_no_tls(visit, "it speaks TLS from the start, where STARTTLS is expected",
                    "turn off TLS from the start");
    else
        find_silent(visit, visit->secure ? "it does not greet" : talk_problem(&visit->talk));
    return false;
}

static bool start_tls(struct visit *visit)
{
    const bool imap = visit->endpoint->kind->imap;
    char *quoted, *problem;

    if (!ask_offers(visit))
        return false;
    if (offer(visit, "STARTTLS") == NULL) {
        find_no_tls(visit, "it does not offer STARTTLS", "turn on STARTTLS");
        return false;
    }
    if (ask(visit, imap ? "s STARTTLS\r\n" : "STARTTLS\r\n") == ANSWERED_WELL) {
        if (secure(visit))
            return true;
        problem = mem_print("TLS fails after STARTTLS: %s", talk_problem(&visit->talk));
    } else {
        quoted = endpoint_quote(text_string(&visit->answer));
        problem = mem_print("it offers STARTTLS and then refuses it: %s", quoted);
        free(quoted);
    }
    find_no_tls(visit, problem, "look at the server's log for what its TLS lacks");
    free(problem);
    return false;
}

/* TLS from the start.  A server in the clear answers with its greeting, which TLS takes for a wrong
 * version. */
static bool begin_wrapped(struct visit *visit)
{
    unsigned long error;
    char *problem;

    if (secure(visit))
        return true;
    error = ERR_peek_last_error();
    if (ERR_GET_REASON(error) == SSL_R_WRONG_VERSION_NUMBER ||
        ERR_GET_REASON(error) == SSL_R_UNEXPECTED_MESSAGE ||
        ERR_GET_REASON(error) == SSL_R_HTTP_REQUEST)
        problem = mem_copy("it speaks without TLS, where TLS from the start is expected");
    else
        problem = mem_print("TLS fails: %s", talk_problem(&visit->talk));
    find_no_tls(visit, problem, "turn on TLS from the start");
    free(problem);
    return false;
}

static void judge_login(struct visit *visit)
{
    const char *mechanisms;
    char *quoted;

    if (!visit->endpoint->kind->login || !ask_offers(visit))
        return;
    mechanisms = offer(visit, "AUTH");
    if (mechanisms == NULL && visit->endpoint->kind->imap && offer(visit, "LOGINDISABLED") == NULL)
        return; /* there is the LOGIN command */
    if (mechanisms == NULL) {
        struct finding *finding =
            find(visit, CAUSE_CONFIG_ENDPOINT_AUTH, "it offers no login with TLS");

        finding_hint(finding,
                     "turn on logins at %s port %u (Postfix: smtpd_sasl_auth_enable = yes there), "
                     "and see that the SASL service runs and its socket can be reached",
                     visit->endpoint->host, (unsigned)visit->endpoint->port);
        return;
    }
    if (visit->endpoint->kind->imap)
        return;
    quoted = endpoint_quote(mechanisms);
    quoted[strcspn(quoted, "?")] = '\0'; /* the line's end */
    text_print(visit->said, ", AUTH%s", quoted);
    free(quoted);
}

static void converse(struct visit *visit)
{
    const struct endpoint_kind *kind = visit->endpoint->kind;

    if (kind->wrapped ? begin_wrapped(visit) && greet(visit) : greet(visit) && start_tls(visit))
        judge_login(visit);
    (void)talk_send(&visit->talk, kind->imap ? "s LOGOUT\r\n" : "QUIT\r\n", kind->imap ? 10 : 6);
}

void endpoint_look(const struct endpoint *endpoint, const struct ip_address *address,
                   const struct endpoint_manner *manner, struct findings *findings,
                   struct text *said)
{
    struct visit visit = {.endpoint = endpoint,
                          .address = address,
                          .manner = manner,
                          .findings = findings,
                          .said = said,
                          .answer = TEXT_EMPTY};
    char ip[IP_TEXT_MAX];
    struct conf_listen where = {.host = ip, .port = endpoint->port};
    struct sockaddr_storage room;
    socklen_t length;

    ip_format(address, ip);
    length = socket_address(&where, &room);
    if (!talk_connect(&visit.talk, &room, length, manner->timeout_ms))
        find_unconnected(&visit);
    else
        converse(&visit);
    if (visit.said->length == 0)
        text_add_string(visit.said, visit.secure ? "TLS" : "no TLS");
    talk_close(&visit.talk);
    text_free(&visit.answer);
}
