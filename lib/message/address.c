/* SPDX-License-Identifier: BSD-2-Clause */
/* The envelope's addresses. */
#include "lib/message/address.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/message/parts.h"

#include <stdlib.h>
#include <string.h>

/* Reads Dot-string up to what cannot be part of it.  NULL: not a Dot-string. */
static const char *read_dot_string(const char *at, const char *end, struct parts *parts)
{
    bool dot = true;

    for (; at < end && (*at == '.' || parts_is_atext(*at)); at++) {
        if (*at == '.' && dot)
            return NULL;
        dot = *at == '.';
        parts->local[parts->local_length++] = *at;
    }
    return dot ? NULL : at;
}

/* Reads Quoted-string; at is behind the opening quote.  NULL: it has no end. */
static const char *read_quoted_string(const char *at, const char *end, struct parts *parts)
{
    for (; at < end && *at != '"'; at++) {
        if (*at == '\\') {
            at++;
            /* quoted-pairSMTP is for ASCII */
            if (at == end || (unsigned char)*at >= 0x80)
                return NULL;
        }
        parts->local[parts->local_length++] = *at;
    }
    return at < end ? at + 1 : NULL;
}

static bool is_postmaster(const struct parts *parts)
{
    return text_equal_case(parts->local, "postmaster");
}

/* Mailbox of RFC 5321 section 4.1.2, or a bare local part. */
static enum address_problem parse_mailbox(const char *at, const char *end, bool bare,
                                          struct parts *parts)
{
    if (at < end && *at == '"')
        at = read_quoted_string(at + 1, end, parts);
    else
        at = read_dot_string(at, end, parts);
    if (at == NULL || parts->local_length > ADDRESS_LOCAL_MAX)
        return ADDRESS_BAD_LOCAL;
    parts->local[parts->local_length] = '\0';
    if (at == end)
        return bare || is_postmaster(parts) ? ADDRESS_FINE : ADDRESS_NO_DOMAIN;
    if (*at != '@')
        return ADDRESS_BAD_LOCAL;
    return parts_read_domain(at + 1, (size_t)(end - at - 1), parts);
}

/* The same in Postfix' internal form, where nothing is quoted: the local part is all before the
 * '@'. */
static enum address_problem parse_unquoted(const char *at, const char *end, bool bare,
                                           struct parts *parts)
{
    const char *sign = memchr(at, '@', (size_t)(end - at));
    size_t length = (size_t)((sign != NULL ? sign : end) - at);

    if (length == 0 || length > ADDRESS_LOCAL_MAX)
        return ADDRESS_BAD_LOCAL;
    memcpy(parts->local, at, length);
    parts->local[length] = '\0';
    parts->local_length = length;
    if (sign == NULL)
        return bare || is_postmaster(parts) ? ADDRESS_FINE : ADDRESS_NO_DOMAIN;
    return parts_read_domain(sign + 1, (size_t)(end - sign - 1), parts);
}

/* A-d-l of RFC 5321 section 4.1.2: every part of a route that is dropped has to be one. */
static enum address_problem skip_route(const char **at, const char *end)
{
    const char *colon = *at;
    const char *start;
    struct parts dropped;

    /* Only a colon outside of brackets ends a route. */
    for (bool inside = false; colon < end && (inside || *colon != ':'); colon++)
        inside = *colon == '[' || (inside && *colon != ']');
    if (colon == end)
        return ADDRESS_BAD_LOCAL;
    for (start = *at; start < colon;) {
        const char *comma = memchr(start, ',', (size_t)(colon - start));
        const char *stop = comma != NULL ? comma : colon;

        if (*start != '@' ||
            parts_read_domain(start + 1, (size_t)(stop - start - 1), &dropped) != ADDRESS_FINE)
            return ADDRESS_BAD_DOMAIN;
        start = stop + 1;
        if (comma != NULL && start == colon)
            return ADDRESS_BAD_DOMAIN;
    }
    *at = colon + 1;
    return ADDRESS_FINE;
}

static void escape(const char *string, size_t length, struct text *text)
{
    size_t at = 0;

    while (at < length) {
        uint32_t code;
        size_t octets = utf8_next(string + at, length - at, &code);

        if (octets == 0 || utf8_is_control(code)) {
            text_print(text, "\\x%02x", (unsigned char)string[at]);
            octets = octets > 0 ? octets : 1;
            for (size_t i = 1; i < octets; i++)
                text_print(text, "\\x%02x", (unsigned char)string[at + i]);
        } else {
            text_add(text, string + at, octets);
        }
        at += octets;
    }
}

/* An address that is none: its text as it came, and nothing else. */
static void keep_text(const char *string, size_t length, struct address *address_r)
{
    struct text text = TEXT_EMPTY;
    bool cut = length > ADDRESS_MAX;

    escape(string, cut ? ADDRESS_MAX : length, &text);
    if (cut)
        text_add_string(&text, "...");
    *address_r = (struct address){0};
    address_r->text = text_take(&text);
    /* The empty parts live in the same block as the text, as parts do that are not empty. */
    address_r->local = address_r->text + strlen(address_r->text);
    address_r->domain = address_r->local;
}

typedef enum address_problem mailbox_parser(const char *at, const char *end, bool bare,
                                            struct parts *parts);

static enum address_problem parse(const char *string, bool bare, mailbox_parser *parser,
                                  struct address *address_r)
{
    enum address_problem problem = ADDRESS_FINE;
    size_t length = strlen(string);
    const char *at = string;
    const char *end;
    struct parts parts;

    if (length >= 2 && at[0] == '<' && at[length - 1] == '>') {
        at++;
        length -= 2;
    }
    if (length == 0) {
        keep_text("", 0, address_r);
        return ADDRESS_FINE;
    }
    if (length > ADDRESS_MAX) {
        keep_text(at, length, address_r);
        return ADDRESS_TOO_LONG;
    }
    string = at;
    end = at + length;
    parts.local_length = 0;
    parts.domain[0] = '\0';
    parts.is_literal = false;
    if (!utf8_is_text(at, length))
        problem = ADDRESS_BAD_ENCODING;
    if (problem == ADDRESS_FINE && *at == '@')
        problem = skip_route(&at, end);
    if (problem == ADDRESS_FINE)
        problem = parser(at, end, bare, &parts);
    if (problem == ADDRESS_FINE)
        parts_to_address(&parts, address_r);
    else
        keep_text(string, length, address_r);
    return problem;
}

enum address_problem address_parse(const char *string, bool bare, struct address *address_r)
{
    return parse(string, bare, parse_mailbox, address_r);
}

enum address_problem address_parse_unquoted(const char *string, bool bare,
                                            struct address *address_r)
{
    enum address_problem problem = parse(string, bare, parse_mailbox, address_r);

    if (problem != ADDRESS_BAD_LOCAL)
        return problem;
    address_clear(address_r);
    return parse(string, bare, parse_unquoted, address_r);
}

void address_clear(struct address *address)
{
    free(address->text);
    *address = (struct address){0};
}

bool address_is_null(const struct address *address)
{
    return address->text != NULL && address->text[0] == '\0';
}

const char *address_problem_text(enum address_problem problem)
{
    static const char *const texts[] = {
        [ADDRESS_FINE] = "there is nothing wrong with the address",
        [ADDRESS_BAD_LOCAL] =
            "the part before the @ is empty, is longer than 64 characters, or has "
            "characters that are not allowed there",
        [ADDRESS_NO_DOMAIN] = "there is no @ and no domain behind it",
        [ADDRESS_BAD_DOMAIN] =
            "the domain has an empty part (two dots, or a dot at its end), a part "
            "that is too long, or a character that no domain has",
        [ADDRESS_BAD_IDN] = "the domain has a character that is not allowed in domain names",
        [ADDRESS_BAD_LITERAL] = "what is between the brackets is not an IP address",
        [ADDRESS_TOO_LONG] = "the address is too long",
        [ADDRESS_BAD_ENCODING] = "the address has a control character or is not valid UTF-8",
    };

    _Static_assert(COUNT_OF(texts) == ADDRESS_BAD_ENCODING + 1, "one text each");
    return texts[problem];
}

char *address_domain(const char *domain)
{
    struct parts parts;
    size_t length = strlen(domain);

    /* The root's dot is fine in a name that is not an address. */
    if (length > 1 && domain[length - 1] == '.')
        length--;
    if (parts_read_domain(domain, length, &parts) != ADDRESS_FINE)
        return NULL;
    return mem_copy(parts.domain);
}

/* Mailing lists' own addresses are not subaddresses although '-' may delimit them (as in Postfix).
 */
static bool is_list_role(const char *local, size_t length)
{
    static const char owner[] = "owner-";
    static const char request[] = "-request";
    size_t request_length = sizeof(request) - 1;

    return strncmp(local, owner, sizeof(owner) - 1) == 0 ||
           (length > request_length &&
            memcmp(local + length - request_length, request, request_length) == 0);
}

char *address_counted(const struct address *address, const char *delimiters)
{
    struct parts parts = {.is_literal = address->is_literal};
    struct address counted;
    size_t cut;

    if (address->local[0] == '\0')
        return text_lower(mem_copy(address->text));
    parts.local_length = strlen(address->local);
    memcpy(parts.local, address->local, parts.local_length + 1);
    memcpy(parts.domain, address->domain, strlen(address->domain) + 1);
    (void)text_lower(parts.local);
    cut = strcspn(parts.local, delimiters);
    if (cut > 0 && cut < parts.local_length &&
        !(strchr(delimiters, '-') != NULL && is_list_role(parts.local, parts.local_length))) {
        parts.local[cut] = '\0';
        parts.local_length = cut;
    }
    parts_to_address(&parts, &counted);
    return counted.text;
}
