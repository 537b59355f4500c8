/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/scanner.h"

#include "lib/base/count.h"
#include "lib/base/strings.h"
#include "lib/base/text.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#define HOST_MOST 253

static const char *skip_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

static bool begins_with(const char *value, const char *word)
{
    return strncasecmp(skip_space(value), word, strlen(word)) == 0;
}

/* --- trust ---------------------------------------------------------------------------- */

static bool is_trusted_client(const struct conf *conf, const struct ip_address *client)
{
    for (size_t i = 0; i < conf->ntrusted_scanner_clients; i++)
        if (ip_network_contains(&conf->trusted_scanner_clients[i], client))
            return true;
    return false;
}

/* "mx1.example.com" from the beginning of the value. */
static bool is_trusted_name(const struct conf *conf, const char *value)
{
    char name[HOST_MOST + 1];
    size_t length;

    value = skip_space(value);
    length = strcspn(value, " \t\r\n,;");
    if (length == 0 || length > HOST_MOST)
        return false;
    memcpy(name, value, length);
    name[length] = '\0';
    return strings_have_case(&conf->trusted_scanners, name);
}

/* "SpamAssassin 4.0.0 (2022-12-14) on mx1.example.com" */
static const char *name_of_spamassassin(const char *value)
{
    const char *on = NULL;

    for (const char *at = value; (at = strstr(at, "on")) != NULL; at += 2)
        if (at > value && isspace((unsigned char)at[-1]) && isspace((unsigned char)at[2]))
            on = at + 2;
    return on != NULL ? on : "";
}

static const char *name_of_rspamd(const char *value)
{
    return value;
}

/* All fields of that name name a scanner of ours, and there is one at least. */
static bool all_trusted(const struct conf *conf, const struct message *message, const char *field,
                        const char *(*name_of)(const char *value))
{
    bool any = false;

    for (size_t i = 0; i < message->nheaders; i++) {
        if (!text_equal_case(message->headers[i].name, field))
            continue;
        if (!is_trusted_name(conf, name_of(message->headers[i].value)))
            return false;
        any = true;
    }
    return any;
}

/* --- verdicts ------------------------------------------------------------------------- */

static void take_number(const char *at, char number_r[SCANNER_NUMBER_ROOM])
{
    size_t length;

    at = skip_space(at);
    length = strspn(at, "+-.0123456789");
    if (length < SCANNER_NUMBER_ROOM)
        (void)snprintf(number_r, SCANNER_NUMBER_ROOM, "%.*s", (int)length, at);
}

/* "score=9.3" */
static void take_named(const char *value, const char *name, char number_r[SCANNER_NUMBER_ROOM])
{
    const char *at = strstr(value, name);

    if (at != NULL)
        take_number(at + strlen(name), number_r);
}

/* Names of symbols from a list, without what stands behind them in brackets. */
static void add_symbols(const char *list, const char *ends, char symbols_r[SCANNER_SYMBOLS_ROOM])
{
    size_t length = strlen(symbols_r);

    while (*(list = list + strspn(list, " \t\r\n,;")) != '\0') {
        size_t name = strspn(list, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                   "0123456789_");

        if (name == 0 || list[name] == '=' || length + name + 2 > SCANNER_SYMBOLS_ROOM)
            return;
        if (length > 0)
            symbols_r[length++] = ',';
        memcpy(symbols_r + length, list, name);
        length += name;
        symbols_r[length] = '\0';
        list += name;
        list += strcspn(list, ends);
    }
}

/* "Yes, score=9.3 required=5.0 tests=BAYES_99,HTML_MESSAGE autolearn=no" */
static void read_status(const char *value, struct scanner_verdict *verdict)
{
    const char *tests = strstr(value, "tests=");

    take_named(value, "score=", verdict->score);
    take_named(value, "required=", verdict->required);
    if (tests != NULL)
        add_symbols(tests + strlen("tests="), ", \t\r\n", verdict->symbols);
}

/* "default: True [18.31 / 15.00]; BAYES_SPAM(5.10)[100.00%]; ..." */
static void read_result(const char *value, struct scanner_verdict *verdict)
{
    const char *bracket = strchr(value, '['), *slash, *symbols;

    if (bracket == NULL)
        return;
    take_number(bracket + 1, verdict->score);
    slash = strchr(bracket, '/');
    if (slash != NULL)
        take_number(slash + 1, verdict->required);
    symbols = strchr(bracket, ';');
    if (symbols != NULL)
        add_symbols(symbols, ";", verdict->symbols);
}

static void read_nothing(const char *value, struct scanner_verdict *verdict)
{
    (void)value;
    (void)verdict;
}

static bool says_yes(const char *value)
{
    return begins_with(value, "yes");
}

static bool says_true(const char *value)
{
    const char *colon = strchr(value, ':');

    return colon != NULL && begins_with(colon + 1, "true");
}

/* Rspamd's actions that mean spam; greylisting and a rate limit do not. */
static bool says_action(const char *value)
{
    return begins_with(value, "add header") || begins_with(value, "add_header") ||
           begins_with(value, "rewrite subject") || begins_with(value, "rewrite_subject") ||
           begins_with(value, "quarantine") || begins_with(value, "reject");
}

enum family { SPAMASSASSIN, RSPAMD };

static const struct {
    const char *name;
    enum family family;
    bool (*says)(const char *value);
    void (*read)(const char *value, struct scanner_verdict *verdict);
} fields[] = {
    {"X-Spam-Status", SPAMASSASSIN, says_yes, read_status},
    {"X-Spam-Flag", SPAMASSASSIN, says_yes, read_nothing},
    {"X-Spamd-Result", RSPAMD, says_true, read_result},
    {"X-Rspamd-Action", RSPAMD, says_action, read_nothing},
    {"X-Spam-Action", RSPAMD, says_action, read_nothing},
    {"X-Spam", RSPAMD, says_yes, read_nothing},
};

static const struct {
    const char *scanner, *naming;
    const char *(*name_of)(const char *value);
} families[] = {
    [SPAMASSASSIN] = {"SpamAssassin", "X-Spam-Checker-Version", name_of_spamassassin},
    [RSPAMD] = {"Rspamd", "X-Rspamd-Server", name_of_rspamd},
};

/* The last field of a name is the one that was added last. */
static const struct header *last_header(const struct message *message, const char *name)
{
    for (size_t i = message->nheaders; i-- > 0;)
        if (text_equal_case(message->headers[i].name, name))
            return &message->headers[i];
    return NULL;
}

/* Whether the family's fields say spam; what else they say is told with it. */
static bool read_family(const struct message *message, enum family family,
                        struct scanner_verdict *verdict_r)
{
    *verdict_r = (struct scanner_verdict){.scanner = families[family].scanner};
    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct header *header =
            fields[i].family == family ? last_header(message, fields[i].name) : NULL;

        if (header == NULL)
            continue;
        fields[i].read(header->value, verdict_r);
        if (verdict_r->header == NULL && fields[i].says(header->value))
            verdict_r->header = fields[i].name;
    }
    return verdict_r->header != NULL;
}

bool scanner_says_spam(const struct conf *conf, const struct message *message,
                       struct scanner_verdict *verdict_r)
{
    bool trusted_client;

    if (conf->ntrusted_scanner_clients == 0 && conf->trusted_scanners.count == 0)
        return false;
    trusted_client = is_trusted_client(conf, &message->client);
    for (size_t i = 0; i < COUNT_OF(families); i++)
        if ((trusted_client ||
             all_trusted(conf, message, families[i].naming, families[i].name_of)) &&
            read_family(message, (enum family)i, verdict_r))
            return true;
    return false;
}
