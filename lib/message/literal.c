/* SPDX-License-Identifier: BSD-2-Clause */
/* Address literals. */
#include "lib/message/literal.h"

#include "lib/base/domain.h"
#include "lib/base/ip.h"
#include "lib/base/text.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

/* RFC 5321 section 4.1.3: an IPv4 address has no tag, an IPv6 address has "IPv6:". */
static bool literal_address(const char *inside, char text_r[IP_TEXT_MAX])
{
    static const char tag[] = "IPv6:";
    struct ip_address address;

    if (strncasecmp(inside, tag, sizeof(tag) - 1) == 0) {
        if (strspn(inside + sizeof(tag) - 1, "0123456789abcdefABCDEF:.") !=
            strlen(inside + sizeof(tag) - 1))
            return false;
    } else if (strspn(inside, "0123456789.") != strlen(inside)) {
        return false;
    }
    if (!ip_parse(inside, &address))
        return false;
    ip_format(&address, text_r);
    return true;
}

/* A General-address-literal: a tag of letters, digits and hyphens, a colon, and dcontent.  Which
 * tags there are is IANA's to say (IPv6 alone so far); which one a server takes is that server's.
 */
static bool literal_general(const char *inside)
{
    const char *colon = strchr(inside, ':');
    size_t tag_length;

    if (colon == NULL || colon[1] == '\0')
        return false;
    tag_length = (size_t)(colon - inside);
    if (!domain_is_label(inside, tag_length) || memchr(inside, '_', tag_length) != NULL ||
        strncasecmp(inside, "IPv6:", 5) == 0)
        return false;
    /* "2001:db8::1" would be a tag with content, too: it is an IPv6 address whose tag was
     * forgotten. */
    if (strspn(inside, "0123456789abcdefABCDEF:.") == strlen(inside))
        return false;
    /* dcontent has '@', too; refused, so that an address as text has one way to be taken apart. */
    for (const char *c = colon + 1; *c != '\0'; c++)
        if (*c < 33 || *c > 126 || strchr("[]\\@", *c) != NULL)
            return false;
    return true;
}

enum address_problem literal_normal(const char *bytes, size_t length, char literal_r[LITERAL_ROOM])
{
    char inside[LITERAL_ROOM];
    char text[IP_TEXT_MAX];
    char *colon;

    if (length < 3 || bytes[0] != '[' || bytes[length - 1] != ']')
        return ADDRESS_BAD_LITERAL;
    if (length >= LITERAL_ROOM)
        return ADDRESS_TOO_LONG;
    memcpy(inside, bytes + 1, length - 2);
    inside[length - 2] = '\0';
    if (literal_address(inside, text)) {
        (void)snprintf(literal_r, LITERAL_ROOM, "[%s%s]", strchr(text, ':') != NULL ? "IPv6:" : "",
                       text);
        return ADDRESS_FINE;
    }
    if (!literal_general(inside))
        return ADDRESS_BAD_LITERAL;
    colon = strchr(inside, ':');
    *colon = '\0';
    (void)text_lower(inside);
    *colon = ':';
    literal_r[0] = '[';
    memcpy(literal_r + 1, inside, length - 2);
    memcpy(literal_r + length - 1, "]", 2);
    return ADDRESS_FINE;
}
