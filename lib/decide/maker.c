/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/decide/maker.h"

#include "lib/base/count.h"
#include "lib/base/ip.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <string.h>

#define PROGRAM_MAX 60 /* octets of a program's name */

/* The name alone of "Mozilla/5.0 (X11; Linux) ...". */
static const char *program_of(const struct message *message, size_t *length_r)
{
    static const char *const fields[] = {"User-Agent", "X-Mailer"};

    for (size_t i = 0; i < COUNT_OF(fields); i++) {
        const struct header *header = message_header(message, fields[i], 0);
        const char *value;

        if (header == NULL)
            continue;
        value = header->value + strspn(header->value, " \t\r\n");
        *length_r = strcspn(value, "(\"\r\n");
        while (*length_r > 0 && value[*length_r - 1] == ' ')
            --*length_r;
        if (*length_r > 0 && *length_r <= PROGRAM_MAX)
            return value;
    }
    return NULL;
}

char *maker_words(const struct message *message)
{
    struct text words = TEXT_EMPTY;
    size_t length;
    const char *program = program_of(message, &length);
    const char *user = message->user[0] != '\0' ? message->user : message->sender.text;
    char client[IP_TEXT_MAX];

    if (program != NULL)
        text_add(&words, program, length);
    else
        text_add_string(&words, "the program that makes the message");
    if (user != NULL && user[0] != '\0')
        text_print(&words, " of %s", user);
    ip_format(&message->client, client);
    if (client[0] != '\0')
        text_print(&words, " at %s", client);
    return text_take(&words);
}

char *maker_domain(const struct message *message)
{
    const struct header *from = message_header(message, "From", 0);
    struct address address = {0};
    char *domain = NULL;

    if (from != NULL && address_list_parse(from->value, &address, 1) > 0 &&
        address.domain != NULL && address.domain[0] != '\0')
        domain = mem_copy(address.domain);
    else if (message->sender.domain != NULL && message->sender.domain[0] != '\0')
        domain = mem_copy(message->sender.domain);
    else
        domain = mem_copy(message->hostname);
    if (from != NULL)
        address_clear(&address);
    return domain;
}
