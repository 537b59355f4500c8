/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/advice.h"

#include "lib/base/count.h"
#include "lib/base/ip.h"
#include "lib/base/text.h"
#include "lib/decide/outcomes.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define WORD_MAX 256 /* octets of a name that is taken from what a server said */
#define SMTP_PORT "25"
#define LIMIT_LEAST 10000 /* octets: a smaller number in a refusal for size is none */

struct names {
    const struct advice_case *failed;
    const char *domain, *recipient, *user, *sender_domain;
    char host[WORD_MAX], port[8]; /* of the server that failed us; host "" unknown */
};

static const char *known(const char *value, const char *otherwise)
{
    return value != NULL && *value != '\0' ? value : otherwise;
}

/* --- from the log's words --------------------------------------------------------------- */

static void keep(const char *from, size_t length, char *to_r, size_t room)
{
    snprintf(to_r, room, "%.*s", (int)(length < room ? length : room - 1), from);
}

/* Postfix: "mx.example.net[192.0.2.9]:25"; Sendmail: "mx.example.net. [192.0.2.9]". */
static void read_server(const char *server, struct names *names)
{
    size_t length = strcspn(server, "[ :");
    const char *port = strstr(server, "]:");

    while (length > 0 && server[length - 1] == '.')
        length--;
    keep(server, length, names->host, sizeof(names->host));
    if (port != NULL && port[2] >= '1' && port[2] <= '9')
        keep(port + 2, strspn(port + 2, "0123456789"), names->port, sizeof(names->port));
}

/* "relay=none" stands where no connection came about; then the text has the server. */
static void find_server(struct names *names)
{
    static const char *const before[] = {"connect to ", "connection with ", "conversation with ",
                                         "connection to "};
    const char *relay = known(names->failed->relay, "none");
    const char *text = known(names->failed->text, "");

    snprintf(names->port, sizeof(names->port), SMTP_PORT);
    if (strcmp(relay, "none") != 0) {
        read_server(relay, names);
        return;
    }
    for (size_t i = 0; i < COUNT_OF(before) && names->host[0] == '\0'; i++) {
        const char *found = strstr(text, before[i]);

        if (found != NULL)
            read_server(found + strlen(before[i]), names);
    }
}

static const char *find_words(const char *text, const char *words)
{
    for (; *text != '\0'; text++)
        if (strncasecmp(text, words, strlen(words)) == 0)
            return text;
    return NULL;
}

/* The page that a reply sends its reader to. */
static bool find_page(const char *text, char page_r[WORD_MAX])
{
    const char *start = strstr(text, "https://");
    size_t length;

    if (start == NULL)
        start = strstr(text, "http://");
    if (start == NULL)
        return false;
    length = strcspn(start, " \t\"<>()[]");
    while (length > 0 && strchr(".,;:'", start[length - 1]) != NULL)
        length--;
    keep(start, length, page_r, WORD_MAX);
    return true;
}

/* The blocklist that a refusal names: "blocked using zen.spamhaus.org". */
static bool find_list(const char *text, char list_r[WORD_MAX])
{
    static const char *const before[] = {"blocked using ", "listed by ", "listed in ",
                                         "listed at ",     "listed on ", "blocked by ",
                                         "found in "};

    for (size_t i = 0; i < COUNT_OF(before); i++) {
        const char *found = find_words(text, before[i]);
        size_t length;

        if (found == NULL)
            continue;
        found += strlen(before[i]);
        length = strspn(found, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-.");
        while (length > 0 && found[length - 1] == '.')
            length--;
        if (memchr(found, '.', length) == NULL)
            continue;
        keep(found, length, list_r, WORD_MAX);
        return true;
    }
    return false;
}

/* Our address as the other side saw it: the one in its text that is not its own. */
static bool find_our_address(const struct names *names, char address_r[IP_TEXT_MAX])
{
    const char *at = known(names->failed->text, "");
    const char *relay = known(names->failed->relay, "");

    while (*(at += strcspn(at, "0123456789abcdefABCDEF:")) != '\0') {
        size_t length = strspn(at, "0123456789abcdefABCDEF:.");
        char word[IP_TEXT_MAX];
        struct ip_address address;
        size_t end = length;

        while (end > 0 && strchr(".:", at[end - 1]) != NULL)
            end--;
        keep(at, end, word, sizeof(word));
        if (end < sizeof(word) && ip_parse(word, &address) && strstr(relay, word) == NULL) {
            ip_format(&address, address_r);
            return true;
        }
        at += length;
    }
    return false;
}

/* The limit that a refusal for size names, in octets: "exceeds size limit 10485760 of server". */
static int64_t find_limit(const char *text)
{
    static const char *const before[] = {"limit", "maximum", "max"};

    for (size_t i = 0; i < COUNT_OF(before); i++) {
        const char *found = find_words(text, before[i]);
        int64_t number;
        size_t digits;

        if (found == NULL)
            continue;
        found += strcspn(found, "0123456789");
        digits = strspn(found, "0123456789");
        if (text_number(found, digits, &number) && number >= LIMIT_LEAST)
            return number;
    }
    return 0;
}

/* --- advice, by cause ------------------------------------------------------------------- */

static void add_why(const struct names *names, struct text *text)
{
    if (known(names->failed->queue_id, NULL) != NULL)
        text_print(text, "; sluicectl why %s tells the whole story", names->failed->queue_id);
    else if (known(names->failed->domain, NULL) != NULL)
        text_print(text, "; sluicectl why %s shows single messages", names->domain);
}

static void unreachable(const struct names *names, struct text *text)
{
    if (names->host[0] != '\0')
        text_print(text, "see from here whether it answers: nc -vz %s %s", names->host,
                   names->port);
    else
        text_print(text, "see whether its mail servers answer: dig MX %s", names->domain);
    text_print(text,
               "; if other domains fail too, our own firewall or provider keeps port %s shut; else "
               "wait, the MTA tries %s again for days",
               names->port, names->domain);
}

static void greylisting(const struct names *names, struct text *text)
{
    text_add_string(text, "nothing to do: the MTA tries again by itself");
    if (names->failed->retry_after_sec > 0)
        text_print(text, ", %" PRId64 " seconds from now at the earliest",
                   names->failed->retry_after_sec);
    text_print(text,
               "; if every mail to %s waits, send to it from one address and publish SPF for %s",
               names->domain, names->sender_domain);
}

static void throttling(const struct names *names, struct text *text)
{
    text_print(text,
               "send to it more slowly: \"%s slow:\" in transport_maps, a service slow (smtp) in "
               "master.cf, and slow_destination_rate_delay = 1s, "
               "slow_destination_concurrency_limit = 2 in main.cf",
               names->domain);
    add_why(names, text);
}

static void blocks_us(const struct names *names, struct text *text)
{
    const char *said = known(names->failed->text, "");
    char list[WORD_MAX], page[WORD_MAX], address[IP_TEXT_MAX];
    const bool has_list = find_list(said, list), has_page = find_page(said, page);
    const bool has_address = find_our_address(names, address);

    text_print(text, "find and stop who sends spam%s%s, then ask %s to let %s in%s%s",
               has_address ? " through " : "", has_address ? address : "",
               has_list ? list : known(names->host, names->domain), has_address ? address : "us",
               has_page ? ": " : "", has_page ? page : "");
}

static void auth_required(const struct names *names, struct text *text)
{
    text_print(text, "see what SPF, DKIM and DMARC lack: sluicectl check dns %s",
               names->sender_domain);
    if (known(names->failed->queue_id, NULL) != NULL)
        text_print(text, "; the dns.* lines of %s name the record to publish",
                   names->failed->queue_id);
}

static void content(const struct names *names, struct text *text)
{
    const char *user = known(names->failed->user, NULL);

    if (names->failed->earlier) {
        text_print(text,
                   "sluicectl why %s names who sent what it refused: if that was spam, sluicectl "
                   "suspend --reason abuse and that login; else have its links, attachments and "
                   "words changed",
                   names->domain);
        return;
    }
    text_print(text, "ask %s what was sent", names->user);
    if (user != NULL)
        text_print(text, "; if %s did not send it: sluicectl suspend %s --reason abuse", user,
                   user);
    text_add_string(text, "; else change its links, attachments and words");
    add_why(names, text);
}

static void tls(const struct names *names, struct text *text)
{
    if (names->host[0] != '\0')
        text_print(text,
                   "see which side is at fault: openssl s_client -starttls smtp -connect %s:%s "
                   "-servername %s -verify_hostname %s",
                   names->host, names->port, names->host, names->host);
    else
        text_print(text, "see which side is at fault: posttls-finger %s", names->domain);
    text_print(
        text,
        "; if theirs, tell postmaster@%s; to send without the check meanwhile, \"%s may\" in "
        "smtp_tls_policy_maps",
        names->domain, names->domain);
}

static void relay_denied(const struct names *names, struct text *text)
{
    const char *host = known(names->host, "the server");

    text_print(text,
               "compare %s with what dig MX %s says: if it is our relayhost, give it a login "
               "(smtp_sasl_password_maps) or correct relayhost; if it is theirs, tell them that it "
               "does not know the domain %s",
               host, names->domain, names->domain);
}

static void login(const struct names *names, struct text *text)
{
    if (names->host[0] != '\0')
        text_print(text, "correct the password of \"[%s]:%s\" in the file", names->host,
                   names->port);
    else
        text_add_string(text, "correct the relayhost's password in the file");
    text_add_string(
        text, " that smtp_sasl_password_maps names, run postmap on it, then postqueue -f; the "
              "provider may want an application password, or have locked the account");
}

static void dns(const struct names *names, struct text *text)
{
    text_print(text,
               "try dig MX %s: NXDOMAIN: correct the address %s; SERVFAIL or no answer: their name "
               "servers fail, or, if other domains fail too, our resolver (/etc/resolv.conf, and "
               "the copy in the MTA's chroot)",
               names->domain, names->recipient);
}

static void size(const struct names *names, struct text *text)
{
    const int64_t limit = find_limit(known(names->failed->text, ""));

    text_print(text, "ask %s to send a link in place of the attachments", names->user);
    if (names->failed->size > 0)
        text_print(text, "; the message has %" PRId64 " octets", names->failed->size);
    if (limit > 0)
        text_print(text, "; at most %" PRId64 " octets are taken", limit);
}

static void other(const struct names *names, struct text *text)
{
    const char *said = known(names->failed->text, "");
    char page[WORD_MAX];

    if (find_page(said, page))
        text_print(text, "read %s, to which the reply refers", page);
    else
        text_print(text, "read what %s said, and ask postmaster@%s where it is not clear",
                   known(names->host, "the server"), names->domain);
    add_why(names, text);
}

static void unknown(const struct names *names, struct text *text)
{
    const struct outcome_rule *rule = outcome_rule(CAUSE_RECIPIENT_UNKNOWN);

    text_print(text,
               "ask %s to correct the address or to take it off the list; it is refused here until "
               "%" PRId64 " days have passed, or after: sluicectl reset recipient:%s",
               names->user, rule->keep_sec / 86400, names->recipient);
}

static void full(const struct names *names, struct text *text)
{
    text_print(text,
               "ask %s to tell the mailbox's owner by another way; the MTA goes on trying; take %s "
               "off lists if it stays full",
               names->user, names->recipient);
}

static void disabled(const struct names *names, struct text *text)
{
    text_print(text, "ask %s to find the present address of who had %s, and to take it off lists",
               names->user, names->recipient);
}

static void syntax(const struct names *names, struct text *text)
{
    text_print(text, "ask %s to correct the address %s", names->user, names->recipient);
}

static void no_domain(const struct names *names, struct text *text)
{
    text_print(text, "ask %s to correct the address %s: dig MX %s shows that %s takes no mail",
               names->user, names->recipient, names->domain, names->domain);
}

static void (*const makers[CAUSE_COUNT])(const struct names *, struct text *) = {
    [CAUSE_DESTINATION_UNREACHABLE] = unreachable,
    [CAUSE_DESTINATION_GREYLISTING] = greylisting,
    [CAUSE_DESTINATION_THROTTLING] = throttling,
    [CAUSE_DESTINATION_BLOCKS_US] = blocks_us,
    [CAUSE_DESTINATION_AUTH_REQUIRED] = auth_required,
    [CAUSE_DESTINATION_CONTENT] = content,
    [CAUSE_DESTINATION_TLS] = tls,
    [CAUSE_DESTINATION_RELAY_DENIED] = relay_denied,
    [CAUSE_DESTINATION_LOGIN] = login,
    [CAUSE_DESTINATION_DNS] = dns,
    [CAUSE_DESTINATION_SIZE] = size,
    [CAUSE_DESTINATION_OTHER] = other,
    [CAUSE_RECIPIENT_UNKNOWN] = unknown,
    [CAUSE_RECIPIENT_MAILBOX_FULL] = full,
    [CAUSE_RECIPIENT_DISABLED] = disabled,
    [CAUSE_RECIPIENT_REFUSES_SIZE] = size,
    [CAUSE_RECIPIENT_SYNTAX] = syntax,
    [CAUSE_DNS_RECIPIENT_DOMAIN] = no_domain,
    [CAUSE_DNS_RECIPIENT_NO_MAIL] = no_domain,
};

/* A recipient's own, or the destination's. */
static const char *whose(const struct advice_case *failed)
{
    const struct outcome_rule *rule = outcome_rule(failed->cause);

    return rule != NULL && rule->of == OUTCOME_OF_DESTINATION
               ? known(failed->domain, "")
               : known(failed->recipient, known(failed->domain, ""));
}

char *advice_make(const struct advice_case *failed)
{
    const char *sender = known(failed->sender, "");
    const char *at = strrchr(sender, '@');
    struct names names = {
        .failed = failed,
        .domain = known(failed->domain, "the recipient's domain"),
        .recipient = known(failed->recipient, "the recipient's address"),
        .user = known(failed->user, known(failed->sender, "who sent it")),
        .sender_domain = at != NULL ? at + 1 : "the sender's domain",
    };
    struct text text = TEXT_EMPTY;

    find_server(&names);
    if (*whose(failed) != '\0')
        text_print(&text, "%s: ", whose(failed));
    if (makers[failed->cause] != NULL)
        makers[failed->cause](&names, &text);
    else
        text_add_string(&text, cause_get(failed->cause)->remedy);
    return text_take(&text);
}
