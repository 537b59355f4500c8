/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/subjects.h"

#include "lib/base/ip.h"
#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>

/* RFC 6177 sites get at least a /64; IPv4 pools are handed out in /24s. */
#define NETWORK_PREFIX_IPV4 24
#define NETWORK_PREFIX_IPV6 64

/* A login counts as its owner: case is folded already, a subaddress ("alice+news@") is cut. */
static bool add_user(const struct conf *conf, const struct message *message, struct text *text)
{
    const char *login = message->user;

    if (login[0] == '\0')
        return false;

    size_t local = strcspn(login, "@");
    size_t keep = conf->recipient_delimiter[0] ? strcspn(login, conf->recipient_delimiter) : local;

    if (keep == 0 || keep > local)
        keep = local;
    text_add(text, login, keep);
    text_add_string(text, login + local);
    return true;
}

static bool add_address(const struct conf *conf, const struct address *address, struct text *text)
{
    if (address->local[0] == '\0')
        return false;

    char *counted = address_counted(address, conf->recipient_delimiter);

    text_add_string(text, counted);
    free(counted);
    return true;
}

static bool add_domain(const struct address *address, struct text *text)
{
    if (address->domain[0] == '\0')
        return false;
    text_add_string(text, address->domain);
    return true;
}

/* Names of hosts are alike whatever their case. */
static bool add_helo(const struct message *message, struct text *text)
{
    if (message->helo[0] == '\0')
        return false;

    char *lower = text_lower(mem_copy(message->helo));

    text_add_string(text, lower);
    free(lower);
    return true;
}

static bool add_client(const struct message *message, bool network, struct text *text)
{
    char name[IP_TEXT_MAX];

    if (message->client.family == 0)
        return false;
    if (network) {
        unsigned prefix = message->client.family == 4 ? NETWORK_PREFIX_IPV4 : NETWORK_PREFIX_IPV6;
        struct ip_network of = ip_network_of(&message->client, prefix);

        ip_network_format(&of, name);
    } else {
        ip_format(&message->client, name);
    }
    text_add_string(text, name);
    return true;
}

bool subjects_name(const struct conf *conf, const struct message *message,
                   enum limit_subject subject, const struct recipient *recipient,
                   struct text *text_r)
{
    text_clear(text_r);
    text_add_string(text_r, limit_subject_name(subject));
    text_add_char(text_r, ':');
    switch (subject) {
    case SUBJECT_USER:
        return add_user(conf, message, text_r);
    case SUBJECT_SENDER:
        return add_address(conf, &message->sender, text_r);
    case SUBJECT_SENDER_DOMAIN:
        return add_domain(&message->sender, text_r);
    case SUBJECT_CLIENT:
        return add_client(message, false, text_r);
    case SUBJECT_CLIENT_NETWORK:
        return add_client(message, true, text_r);
    case SUBJECT_HELO:
        return add_helo(message, text_r);
    case SUBJECT_RECIPIENT:
        return recipient && add_address(conf, &recipient->address, text_r);
    case SUBJECT_RECIPIENT_DOMAIN:
        return recipient && add_domain(&recipient->address, text_r);
    case SUBJECT_HOST:
        text_add_string(text_r, message->hostname);
        return true;
    case SUBJECT_ALL:
        text_add_char(text_r, '*');
        return true;
    case SUBJECT_COUNT:
        break;
    }
    return false;
}

void subjects_words(const char *subject_name, struct text *text_r)
{
    static const char *const words[SUBJECT_COUNT] = {
        [SUBJECT_USER] = "Your account",
        [SUBJECT_SENDER] = "The sender address %s",
        [SUBJECT_SENDER_DOMAIN] = "The domain %s",
        [SUBJECT_CLIENT] = "Your computer (%s)",
        [SUBJECT_CLIENT_NETWORK] = "Your network (%s)",
        [SUBJECT_HELO] = "Your computer (%s)",
        [SUBJECT_RECIPIENT_DOMAIN] = "Mail to %s",
        [SUBJECT_RECIPIENT] = "Mail to %s",
        [SUBJECT_HOST] = "This mail server",
        [SUBJECT_ALL] = "This mail system",
    };

    text_clear(text_r);
    for (int i = 0; i < SUBJECT_COUNT; i++) {
        const char *prefix = limit_subject_name((enum limit_subject)i);
        size_t length = strlen(prefix);

        if (strncmp(subject_name, prefix, length) != 0 || subject_name[length] != ':')
            continue;

        const char *hole = strstr(words[i], "%s");
        size_t before = hole ? (size_t)(hole - words[i]) : strlen(words[i]);

        text_add(text_r, words[i], before);
        if (hole) {
            text_add_string(text_r, subject_name + length + 1);
            text_add_string(text_r, hole + 2);
        }
        return;
    }
    text_add_string(text_r, "The sender");
}
