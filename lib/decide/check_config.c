/* SPDX-License-Identifier: BSD-2-Clause */
/* config.*: how the client connects: port, encryption, HELO name. */
#include "lib/base/count.h"
#include "lib/base/domain.h"
#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/causes/causes.h"
#include "lib/decide/check_functions.h"
#include "lib/message/literal.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PORT_SMTP 25
#define PORT_SUBMISSION 587
#define PORT_SUBMISSIONS 465
#define KEY_BITS_LEAST 128
/* Postfix' method of a login that a proxy tells of, which can not tell of TLS. */
#define BY_PROXY "XCLIENT"

static bool is_submission_port(const struct message *message)
{
    return message->server_port == PORT_SUBMISSION || message->server_port == PORT_SUBMISSIONS;
}

/* Mail programs and web mail on the machine itself need no network, so nobody listens. */
static bool is_on_this_host(const struct message *message)
{
    return message->local_submission || message->client.family == 0 ||
           ip_is_loopback(&message->client);
}

static void add_client(struct finding *finding, const struct message *message)
{
    char client[IP_TEXT_MAX];

    ip_format(&message->client, client);
    if (message->user[0] != '\0')
        finding_field(finding, "user", "%s", message->user);
    finding_field(finding, "client", "%s", client);
    if (message->server_port != 0)
        finding_field(finding, "port", "%u", (unsigned)message->server_port);
}

/* --- config.port ------------------------------------------------------------------------ */

static void submission_on_25(struct message *message)
{
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_CONFIG_PORT));

    add_client(finding, message);
    finding_field(finding, "problem", "%s", "a login on port 25");
    finding_sentence(finding,
                     "You logged in as %s on port 25, which is for mail servers. Please set your "
                     "mail program's outgoing server to port 587 (STARTTLS) or 465 (TLS).",
                     message->user);
    finding_hint(finding,
                 "set the outgoing port of %s's mail program to 587 (STARTTLS) or 465 (TLS); in "
                 "master.cf offer smtpd_sasl_auth_enable on submission and smtps only",
                 message->user);
}

static void relay_on_submission(struct message *message)
{
    struct finding *finding = findings_add(&message->findings, cause_get(CAUSE_CONFIG_PORT));
    char client[IP_TEXT_MAX];

    ip_format(&message->client, client);
    add_client(finding, message);
    finding_field(finding, "problem", "mail without a login on port %u",
                  (unsigned)message->server_port);
    finding_sentence(finding,
                     "Port %u is for people who log in. Please log in, or send to port 25.",
                     (unsigned)message->server_port);
    finding_hint(finding,
                 "have %s log in on port %u, or send to port 25 if it is a mail server; in "
                 "master.cf let port %u take only logins (smtpd_client_restrictions = "
                 "permit_sasl_authenticated, reject)",
                 client, (unsigned)message->server_port, (unsigned)message->server_port);
}

void check_port(const struct conf *conf, struct message *message)
{
    (void)conf;
    if (message->local_submission)
        return;
    if (message->user[0] != '\0' && message->server_port == PORT_SMTP)
        submission_on_25(message);
    else if (message->user[0] == '\0' && is_submission_port(message))
        relay_on_submission(message);
}

/* --- config.plaintext ------------------------------------------------------------------- */

void check_plaintext(const struct conf *conf, struct message *message)
{
    const bool login = message->user[0] != '\0';
    struct finding *finding;
    char client[IP_TEXT_MAX];

    (void)conf;
    if (!message->tls_told || message->tls_protocol[0] != '\0' || is_on_this_host(message) ||
        !(login || is_submission_port(message)))
        return;
    ip_format(&message->client, client);
    finding = findings_add(&message->findings, cause_get(CAUSE_CONFIG_PLAINTEXT));
    add_client(finding, message);
    if (login && message->auth_method[0] != '\0')
        finding_field(finding, "method", "%s", message->auth_method);
    if (login)
        finding_hint(finding,
                     "turn on STARTTLS (587) or TLS (465) in the mail program of %s at %s, then "
                     "change its password, which went over the network in the clear; in main.cf "
                     "set smtpd_tls_auth_only = yes%s",
                     message->user, client,
                     strcmp(message->auth_method, BY_PROXY) == 0
                         ? "; if a proxy before us (XCLIENT) has encrypted the login: cause "
                           "config.plaintext { action = log }"
                         : "");
    else
        finding_hint(finding,
                     "turn on STARTTLS in the mail program at %s; in master.cf set "
                     "smtpd_tls_security_level = encrypt for port %u",
                     client, (unsigned)message->server_port);
}

/* --- config.weak-tls -------------------------------------------------------------------- */

/* As OpenSSL names them; Sendmail's macro has the same words. */
static bool is_old_protocol(const char *protocol)
{
    static const char *const old[] = {"SSLv2",   "SSLv3",   "TLSv1",
                                      "TLSv1.0", "TLSv1.1", "TLSv1/SSLv3"};

    for (size_t i = 0; i < COUNT_OF(old); i++)
        if (strcasecmp(old[i], protocol) == 0)
            return true;
    return false;
}

/* Words of a cipher's name that say it is broken (RFC 7465, RFC 8429, RFC 9325 section 4.1). */
static const char *weakness(const struct message *message)
{
    static const struct {
        const char *word, *why;
    } weak[] = {
        {"RC4", "RC4 is broken"},        {"3DES", "3DES is broken"},
        {"DES-", "DES is broken"},       {"RC2", "RC2 is broken"},
        {"NULL", "it does not encrypt"}, {"EXP", "it was weakened for export"},
        {"MD5", "MD5 is broken"},
    };

    if (is_old_protocol(message->tls_protocol))
        return "it is older than TLSv1.2";
    for (size_t i = 0; i < COUNT_OF(weak); i++)
        if (strstr(message->tls_cipher, weak[i].word) != NULL)
            return weak[i].why;
    if (message->tls_bits > 0 && message->tls_bits < KEY_BITS_LEAST)
        return "its key is shorter than 128 bits";
    return NULL;
}

void check_weak_tls(const struct conf *conf, struct message *message)
{
    const char *why = message->tls_protocol[0] != '\0' ? weakness(message) : NULL;
    struct finding *finding;
    char client[IP_TEXT_MAX];
    char *what;

    (void)conf;
    if (why == NULL)
        return;
    ip_format(&message->client, client);
    what = mem_print("%s%s%s", message->tls_protocol,
                     message->tls_cipher[0] != '\0' ? " with " : "", message->tls_cipher);
    finding = findings_add(&message->findings, cause_get(CAUSE_CONFIG_WEAK_TLS));
    add_client(finding, message);
    finding_field(finding, "tls", "%s", message->tls_protocol);
    finding_field(finding, "cipher", "%s", message->tls_cipher);
    if (message->tls_bits > 0)
        finding_field(finding, "bits", "%d", message->tls_bits);
    finding_field(finding, "problem", "%s", why);
    finding_sentence(finding, "Your mail program uses outdated encryption (%s). Please update it.",
                     what);
    finding_hint(finding,
                 "update the %s %s, which negotiated %s: %s; when nobody needs it any more, set "
                 "smtpd_tls_protocols = >=TLSv1.2 and smtpd_tls_ciphers = high, and "
                 "smtpd_tls_mandatory_protocols and smtpd_tls_mandatory_ciphers alike",
                 message->user[0] != '\0' ? "mail program of" : "machine",
                 message->user[0] != '\0' ? message->user : client, what, why);
    free(what);
}

/* --- config.helo ------------------------------------------------------------------------ */

/* The address of a literal, or of a bare address, which is none. */
static bool address_of(const char *helo, struct ip_address *address_r)
{
    const size_t length = strlen(helo);
    char inside[IP_TEXT_MAX + sizeof("IPv6:")];

    if (helo[0] != '[')
        return ip_parse(helo, address_r);
    if (length < 3 || helo[length - 1] != ']' || length - 2 >= sizeof(inside))
        return false;
    memcpy(inside, helo + 1, length - 2);
    inside[length - 2] = '\0';
    return ip_parse(strncasecmp(inside, "IPv6:", 5) == 0 ? inside + 5 : inside, address_r);
}

/* RFC 5321 section 2.3.5: a full name of letters, digits and hyphens.  People's devices, which log
 * in, know no more than their first label. */
static const char *name_problem(const char *helo, bool login)
{
    char *normal = domain_copy(helo);
    const char *problem = NULL;

    if (normal == NULL || strchr(normal, '_') != NULL)
        problem = "it is not a host name";
    else if (!login && strchr(normal, '.') == NULL)
        problem = "it is not a full host name";
    else if (!login && (strcmp(normal, "localhost.localdomain") == 0))
        problem = "it is the name of no machine in particular";
    free(normal);
    return problem;
}

static const char *syntax_problem(const struct message *message)
{
    const char *helo = message->helo;
    char literal[LITERAL_ROOM];
    struct ip_address address;

    if (helo[0] == '[')
        return literal_normal(helo, strlen(helo), literal) == ADDRESS_FINE
                   ? NULL
                   : "it is not an address literal";
    if (ip_parse(helo, &address))
        return "an address stands in brackets";
    return name_problem(helo, message->user[0] != '\0');
}

/* Who is not one of us and says that it is. */
static const char *ours_problem(const struct conf *conf, const struct message *message)
{
    struct ip_address address;
    char *name;
    bool ours;

    if (conf_is_internal(conf, &message->client))
        return NULL;
    for (size_t i = 0; i < conf->noutgoing_addresses; i++)
        if (memcmp(&conf->outgoing_addresses[i], &message->client, sizeof(message->client)) == 0)
            return NULL;
    if (address_of(message->helo, &address)) {
        for (size_t i = 0; i < conf->noutgoing_addresses; i++)
            if (memcmp(&conf->outgoing_addresses[i], &address, sizeof(address)) == 0)
                return "it is our own address";
        return ip_is_loopback(&address) ? "it is the address of every machine itself" : NULL;
    }
    name = domain_copy(message->helo);
    ours = name != NULL && strcasecmp(name, conf->hostname) == 0;
    if (!ours && name != NULL && message->direction == DIRECTION_IN)
        ours = strings_have_case(&conf->local_domains, name);
    free(name);
    return ours ? "it is our own name" : NULL;
}

void check_helo(const struct conf *conf, struct message *message)
{
    struct finding *finding;
    const char *problem;
    char client[IP_TEXT_MAX];

    if (message->helo[0] == '\0' || is_on_this_host(message))
        return;
    problem = ours_problem(conf, message);
    if (problem == NULL)
        problem = syntax_problem(message);
    if (problem == NULL)
        return;
    ip_format(&message->client, client);
    finding = findings_add(&message->findings, cause_get(CAUSE_CONFIG_HELO));
    add_client(finding, message);
    finding_field(finding, "helo", "%s", message->helo);
    finding_field(finding, "problem", "%s", problem);
    finding_sentence(finding, "The sending computer introduced itself as %s, but %s.",
                     message->helo, problem);
    finding_hint(finding,
                 "give the machine at %s its own full name in HELO (Postfix: myhostname or "
                 "smtp_helo_name) in place of \"%s\"",
                 client, message->helo);
}
