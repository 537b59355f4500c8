/* SPDX-License-Identifier: BSD-2-Clause */
/* Macros in SPF records: syntax and expansion. */
#include "lib/auth/spf_macro.h"

#include "lib/base/ascii.h"

#include <inttypes.h>
#include <string.h>

#define DELIMITERS ".-+,/_="
#define LETTERS "slodiphcrtv"
#define LETTERS_OF_EXPLANATIONS "crt"
#define PARTS_MAX 1000 /* more right-hand parts than any name has; larger numbers mean the same */

/* One macro-expand or one literal character. */
struct token {
    const char *start;
    size_t length;
    char letter; /* of %{...}, lower case; '%', '_' or '-' for the short ones; 0: a literal */
    bool escape; /* the letter was upper case */
    bool reverse;
    unsigned parts; /* 0: all */
    const char *delimiters; /* with their number; 0: "." */
    size_t ndelimiters;
};

/* Reads the inside of "%{...}"; at is behind the brace. */
static const char *read_braces(const char *at, const char *end, struct token *token)
{
    bool parts_given = false;

    if (at == end || !ascii_is_one_of(ascii_lower(*at), LETTERS))
        return "no such macro letter";
    token->letter = ascii_lower(*at);
    token->escape = token->letter != *at;
    for (at++; at < end && ascii_is_digit(*at); at++) {
        parts_given = true;
        if (token->parts < PARTS_MAX)
            token->parts = token->parts * 10 + (unsigned)(*at - '0');
    }
    if (parts_given && token->parts == 0)
        return "a macro takes at least one part";
    if (at < end && ascii_lower(*at) == 'r') {
        token->reverse = true;
        at++;
    }
    token->delimiters = at;
    while (at < end && ascii_is_one_of(*at, DELIMITERS))
        at++;
    token->ndelimiters = (size_t)(at - token->delimiters);
    if (at == end || *at != '}')
        return "a macro that is not closed, or has what no macro has";
    token->length = (size_t)(at + 1 - token->start);
    return NULL;
}

/* Reads what stands at start, which is before end. */
static const char *read_token(const char *start, const char *end, struct token *token_r)
{
    *token_r = (struct token){.start = start, .length = 1};
    if (*start != '%')
        return NULL;
    if (start + 1 == end || !ascii_is_one_of(start[1], "{%_-"))
        return "a percent sign that begins no macro";
    if (start[1] == '{')
        return read_braces(start + 2, end, token_r);
    token_r->letter = start[1];
    token_r->length = 2;
    return NULL;
}

static const char *literal_problem(char c, enum spf_macro_place place)
{
    unsigned char octet = (unsigned char)c;

    if (octet >= 0x80)
        return "a character that is not ASCII";
    if (octet < 0x20 || octet == 0x7f)
        return "a control character";
    if (octet == ' ' && place != SPF_MACRO_EXPLANATION)
        return "a space";
    return NULL;
}

/* RFC 7208 section 7.1: letters, digits and hyphens, no hyphen at the ends, not digits alone. */
static bool is_top_label(const char *label, size_t length)
{
    bool more_than_digits = false;

    if (length == 0 || label[0] == '-' || label[length - 1] == '-')
        return false;
    for (size_t i = 0; i < length; i++) {
        if (!ascii_is_alpha(label[i]) && !ascii_is_digit(label[i]) && label[i] != '-')
            return false;
        more_than_digits = more_than_digits || !ascii_is_digit(label[i]);
    }
    return more_than_digits;
}

/* Whether the literals at the end of a domain-spec are domain-end: "." toplabel [ "." ]. */
static bool is_domain_end(const char *literals, const char *end)
{
    const char *dot;

    if (end > literals && end[-1] == '.')
        end--;
    dot = end;
    while (dot > literals && dot[-1] != '.')
        dot--;
    return dot > literals && is_top_label(dot, (size_t)(end - dot));
}

const char *spf_macro_problem(const char *text, size_t length, enum spf_macro_place place)
{
    const char *end = text + length;
    const char *literals = text; /* since the last macro */
    const char *problem;
    struct token token;

    for (const char *at = text; at < end; at += token.length) {
        problem = read_token(at, end, &token);
        if (problem == NULL && token.letter == 0)
            problem = literal_problem(*at, place);
        if (problem != NULL)
            return problem;
        if (place == SPF_MACRO_DOMAIN && ascii_is_one_of(token.letter, LETTERS_OF_EXPLANATIONS))
            return "a macro letter that only explanations may have";
        if (token.letter != 0)
            literals = at + token.length;
    }
    if (place != SPF_MACRO_DOMAIN)
        return NULL;
    if (length == 0)
        return "no domain";
    if (literals < end && !is_domain_end(literals, end))
        return "a domain that ends in no top-level domain";
    return NULL;
}

bool spf_macro_needs_validated(const char *text)
{
    const char *end = text + strlen(text);
    struct token token;

    for (const char *at = text; at < end; at += token.length) {
        if (read_token(at, end, &token) != NULL)
            return false;
        if (token.letter == 'p')
            return true;
    }
    return false;
}

/* Section 7.3: an IPv6 address is its nibbles with dots, in the case that the RFC's tests write. */
static void add_dotted(const struct ip_address *address, struct text *value)
{
    char plain[IP_TEXT_MAX];

    if (address->family == 4) {
        ip_format(address, plain);
        text_add_string(value, plain);
        return;
    }
    for (size_t i = 0; i < sizeof(address->bytes); i++)
        text_print(value, "%s%X.%X", i > 0 ? "." : "", (unsigned)(address->bytes[i] >> 4),
                   (unsigned)(address->bytes[i] & 15));
}

static void add_letter(char letter, const struct spf_macro_values *values, struct text *value)
{
    char plain[IP_TEXT_MAX];

    switch (letter) {
    case 's':
        text_add_string(value, values->sender);
        break;
    case 'l':
        text_add_string(value, values->local);
        break;
    case 'o':
        text_add_string(value, values->sender_domain);
        break;
    case 'd':
        text_add_string(value, values->domain);
        break;
    case 'i':
        add_dotted(values->client, value);
        break;
    case 'p':
        text_add_string(value, values->validated);
        break;
    case 'v':
        text_add_string(value, values->client->family == 4 ? "in-addr" : "ip6");
        break;
    case 'h':
        text_add_string(value, values->helo);
        break;
    case 'c':
        ip_format(values->client, plain);
        text_add_string(value, plain);
        break;
    case 'r':
        text_add_string(value, values->receiver);
        break;
    case 't':
        text_print(value, "%" PRId64, values->now_sec);
        break;
    default:
        break;
    }
}

static bool is_delimiter(const struct token *token, char c)
{
    if (token->ndelimiters == 0)
        return c == '.';
    return memchr(token->delimiters, c, token->ndelimiters) != NULL;
}

/* Where the part ends that begins at start. */
static size_t part_end(const struct token *token, const struct text *value, size_t start)
{
    while (start < value->length && !is_delimiter(token, value->bytes[start]))
        start++;
    return start;
}

static size_t count_parts(const struct token *token, const struct text *value)
{
    size_t count = 1;

    for (size_t i = 0; i < value->length; i++)
        count += is_delimiter(token, value->bytes[i]);
    return count;
}

/* Adds a part and, but for the last, the dot behind it. */
static void add_part(const struct text *value, size_t start, size_t end, bool last,
                     struct text *parts)
{
    if (end > start)
        text_add(parts, value->bytes + start, end - start);
    if (!last)
        text_add_char(parts, '.');
}

/* Splits, reverses, keeps the right-hand parts, and joins with dots: section 7.3. */
static void transform(const struct token *token, const struct text *value, struct text *parts)
{
    size_t count = count_parts(token, value);
    size_t skip = token->parts > 0 && token->parts < count ? count - token->parts : 0;
    size_t end = value->length;
    size_t start = 0;

    for (size_t i = 0; i < count; i++) {
        if (token->reverse) {
            start = end;
            while (start > 0 && !is_delimiter(token, value->bytes[start - 1]))
                start--;
        } else {
            end = part_end(token, value, start);
        }
        if (i >= skip)
            add_part(value, start, end, i + 1 == count, parts);
        if (token->reverse)
            end = start > 0 ? start - 1 : 0;
        else
            start = end + 1;
    }
}

/* An upper-case letter escapes what is not unreserved in URLs (RFC 3986 section 2.3). */
static void add_escaped(const struct text *value, struct text *expanded)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < value->length; i++) {
        unsigned char octet = (unsigned char)value->bytes[i];
        char escaped[3] = {'%', digits[octet >> 4], digits[octet & 15]};

        if (ascii_is_alpha(value->bytes[i]) || ascii_is_digit(value->bytes[i]) ||
            ascii_is_one_of(value->bytes[i], "-._~"))
            text_add_char(expanded, value->bytes[i]);
        else
            text_add(expanded, escaped, sizeof(escaped));
    }
}

static void add_macro(const struct token *token, const struct spf_macro_values *values,
                      struct text *expanded)
{
    struct text value = TEXT_EMPTY;
    struct text parts = TEXT_EMPTY;
    bool split = token->reverse || token->parts > 0 || token->ndelimiters > 0;

    add_letter(token->letter, values, &value);
    if (split)
        transform(token, &value, &parts);
    if (token->escape)
        add_escaped(split ? &parts : &value, expanded);
    else
        text_add_string(expanded, text_string(split ? &parts : &value));
    text_free(&value);
    text_free(&parts);
}

void spf_macro_expand(const char *text, const struct spf_macro_values *values, size_t enough,
                      struct text *expanded)
{
    const char *end = text + strlen(text);
    struct token token;

    for (const char *at = text; at < end && expanded->length < enough; at += token.length) {
        if (read_token(at, end, &token) != NULL)
            return;
        if (token.letter == 0)
            text_add_char(expanded, *at);
        else if (token.letter == '%')
            text_add_char(expanded, '%');
        else if (token.letter == '_')
            text_add_char(expanded, ' ');
        else if (token.letter == '-')
            text_add_string(expanded, "%20");
        else
            add_macro(&token, values, expanded);
    }
}
