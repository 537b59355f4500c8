/* SPDX-License-Identifier: BSD-2-Clause */
/* Domains: label rules, internationalised names, address literals. */
#include "lib/message/domain.h"

#include "lib/base/ip.h"
#include "lib/base/mem.h"

#include <idn2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* Letters, digits, hyphen, and the underscore that real hosts have. */
static bool is_label_octet(char c)
{
    return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

static enum address_problem label_check(const char *label, size_t length)
{
    if (length == 0 || length > DOMAIN_LABEL_MAX)
        return ADDRESS_BAD_DOMAIN;
    if (label[0] == '-' || label[length - 1] == '-')
        return ADDRESS_BAD_DOMAIN;
    for (size_t i = 0; i < length; i++)
        if (!is_label_octet(label[i]))
            return ADDRESS_BAD_DOMAIN;
    return ADDRESS_FINE;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c | 0x20) : c;
}

/* Checks a name of ASCII labels and copies it in lower case. */
static enum address_problem ascii_normal(const char *bytes, size_t length,
                                         char domain_r[DOMAIN_ROOM])
{
    size_t start = 0;

    for (size_t i = 0; i <= length; i++) {
        if (i < length && bytes[i] != '.')
            continue;
        if (label_check(bytes + start, i - start) != ADDRESS_FINE)
            return ADDRESS_BAD_DOMAIN;
        start = i + 1;
    }
    if (length > DOMAIN_MAX)
        return ADDRESS_TOO_LONG;
    for (size_t i = 0; i < length; i++)
        domain_r[i] = lower(bytes[i]);
    domain_r[length] = '\0';
    return ADDRESS_FINE;
}

static enum address_problem idn_problem(int code)
{
    static const struct {
        int code;
        enum address_problem problem;
    } table[] = {
        {IDN2_ENCODING_ERROR, ADDRESS_BAD_ENCODING},
        {IDN2_TOO_BIG_DOMAIN, ADDRESS_TOO_LONG},
        {IDN2_PUNYCODE_BIG_OUTPUT, ADDRESS_BAD_DOMAIN},
        {IDN2_TOO_BIG_LABEL, ADDRESS_BAD_DOMAIN},
    };

    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
        if (table[i].code == code)
            return table[i].problem;
    return ADDRESS_BAD_IDN;
}

static enum address_problem idn_normal(const char *bytes, size_t length, char domain_r[DOMAIN_ROOM])
{
    enum address_problem problem;
    char *input = NULL;
    char *output = NULL;
    int code;

    if (length > ADDRESS_MAX)
        return ADDRESS_TOO_LONG;
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)bytes[i] < 0x80 && bytes[i] != '.' && !is_label_octet(bytes[i]))
            return ADDRESS_BAD_DOMAIN;
    input = mem_copy_n(bytes, length);
    code = idn2_to_ascii_8z(input, &output, IDN2_NONTRANSITIONAL | IDN2_NFC_INPUT);
    if (code != IDN2_OK) {
        problem = idn_problem(code);
        goto done;
    }
    /* UTS #46 maps characters to others that no host name has ('/', '@', a space, nothing at all):
     * what comes out is looked at as if it had been written so. */
    problem = ascii_normal(output, strlen(output), domain_r);
    if (problem == ADDRESS_BAD_DOMAIN &&
        strspn(output, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != strlen(output))
        problem = ADDRESS_BAD_IDN;
done:
    idn2_free(output);
    free(input);
    return problem;
}

/* RFC 5321 section 4.1.3: an IPv4 address has no tag, an IPv6 address has "IPv6:". */
static bool literal_address(const char *inside, char text_r[IP_TEXT_MAX])
{
    static const char tag[] = "IPv6:";
    struct ip_address address;
    bool tagged = true;

    for (size_t i = 0; i < sizeof(tag) - 1 && tagged; i++)
        tagged = lower(inside[i]) == lower(tag[i]);
    if (tagged) {
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
    if (label_check(inside, tag_length) != ADDRESS_FINE || memchr(inside, '_', tag_length) != NULL)
        return false;
    if (tag_length == 4 && lower(inside[0]) == 'i' && lower(inside[1]) == 'p' &&
        lower(inside[2]) == 'v' && inside[3] == '6')
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

static enum address_problem literal_normal(const char *bytes, size_t length,
                                           char domain_r[DOMAIN_ROOM])
{
    char inside[DOMAIN_ROOM];
    char text[IP_TEXT_MAX];

    if (length < 3 || bytes[length - 1] != ']')
        return ADDRESS_BAD_LITERAL;
    if (length >= DOMAIN_ROOM)
        return ADDRESS_TOO_LONG;
    memcpy(inside, bytes + 1, length - 2);
    inside[length - 2] = '\0';
    if (literal_address(inside, text)) {
        (void)snprintf(domain_r, DOMAIN_ROOM, "[%s%s]", strchr(text, ':') != NULL ? "IPv6:" : "",
                       text);
        return ADDRESS_FINE;
    }
    if (!literal_general(inside))
        return ADDRESS_BAD_LITERAL;
    for (char *c = inside; *c != ':'; c++)
        *c = lower(*c);
    domain_r[0] = '[';
    memcpy(domain_r + 1, inside, length - 2);
    memcpy(domain_r + length - 1, "]", 2);
    return ADDRESS_FINE;
}

enum address_problem domain_normal(const char *bytes, size_t length, char domain_r[DOMAIN_ROOM],
                                   bool *is_literal_r)
{
    enum address_problem problem;
    char domain[DOMAIN_ROOM];
    bool is_literal = length > 0 && bytes[0] == '[';
    bool ascii = true;

    for (size_t i = 0; i < length; i++)
        ascii = ascii && (unsigned char)bytes[i] < 0x80;
    if (is_literal)
        problem = literal_normal(bytes, length, domain);
    else if (ascii)
        problem = ascii_normal(bytes, length, domain);
    else
        problem = idn_normal(bytes, length, domain);
    if (problem != ADDRESS_FINE)
        return problem;
    memcpy(domain_r, domain, strlen(domain) + 1);
    *is_literal_r = is_literal;
    return ADDRESS_FINE;
}

char *address_domain(const char *domain)
{
    char normal[DOMAIN_ROOM];
    size_t length = strlen(domain);
    bool is_literal;

    /* The root's dot is fine in a name that is not an address. */
    if (length > 1 && domain[length - 1] == '.')
        length--;
    if (domain_normal(domain, length, normal, &is_literal) != ADDRESS_FINE)
        return NULL;
    return mem_copy(normal);
}
