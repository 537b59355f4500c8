/* SPDX-License-Identifier: BSD-2-Clause */
/* The mailboxes of a header's value (RFC 5322 sections 3.2 to 3.4 and 4.4, RFC 6532, RFC 6854). */
#include "lib/base/text.h"
#include "lib/base/utf8.h"
#include "lib/message/address.h"
#include "lib/message/parts.h"

#include <string.h>

/* Words before one of "@<:,;": a display name, a group's name or a local part, we learn which at
 * its end. */
struct words {
    struct text local; /* the words and dots, unquoted; at most ADDRESS_MAX octets */
    bool is_local; /* word *("." word) so far */
    bool is_phrase; /* starts with a word */
    bool dot; /* the last token was a dot, or there was none */
};

struct parser {
    const char *at;
    struct words words;
    struct text domain;
    struct address *addresses;
    size_t count;
    size_t max;
};

/* A line break that folds a header, with the white space behind it; or the value's end. */
static bool skip_line_break(const char **at)
{
    const char *next = *at;

    if (*next == '\r')
        next++;
    if (*next != '\n')
        return false;
    next++;
    if (*next != ' ' && *next != '\t' && *next != '\0')
        return false;
    *at = next;
    return true;
}

/* A comment, nested ones counted and not descended into: their depth is a stranger's. */
static bool skip_comment(const char **at)
{
    size_t depth = 0;

    do {
        switch (**at) {
        case '\0':
            return false;
        case '(':
            depth++;
            break;
        case ')':
            depth--;
            break;
        case '\\':
            if ((*at)[1] == '\0')
                return false;
            (*at)++;
            break;
        default:
            break;
        }
        (*at)++;
    } while (depth > 0);
    return true;
}

/* CFWS.  false: a comment without an end, or a line break that is none. */
static bool skip_space(struct parser *parser)
{
    for (;;) {
        switch (*parser->at) {
        case ' ':
        case '\t':
            parser->at++;
            break;
        case '\r':
        case '\n':
            if (!skip_line_break(&parser->at))
                return false;
            break;
        case '(':
            if (!skip_comment(&parser->at))
                return false;
            break;
        default:
            return true;
        }
    }
}

static void words_add(struct words *words, const char *bytes, size_t length)
{
    if (words->local.length + length > ADDRESS_MAX)
        words->is_local = false;
    else
        text_add(&words->local, bytes, length);
}

/* The inside of a quoted string without its folds and backslashes; at is on the opening quote. */
static bool read_quoted_string(struct parser *parser)
{
    for (parser->at++; *parser->at != '"'; parser->at++) {
        if (*parser->at == '\\')
            parser->at++;
        else if ((*parser->at == '\r' || *parser->at == '\n') && !skip_line_break(&parser->at))
            return false;
        if (*parser->at == '\0')
            return false;
        words_add(&parser->words, parser->at, 1);
    }
    parser->at++;
    return true;
}

static bool read_word(struct parser *parser)
{
    const char *start = parser->at;

    if (!parser->words.dot)
        parser->words.is_local = false;
    parser->words.dot = false;
    if (*parser->at == '"')
        return read_quoted_string(parser);
    while (parts_is_atext(*parser->at))
        parser->at++;
    words_add(&parser->words, start, (size_t)(parser->at - start));
    return true;
}

static bool read_words(struct parser *parser)
{
    struct words *words = &parser->words;

    text_clear(&words->local);
    words->is_local = true;
    words->is_phrase = *parser->at == '"' || parts_is_atext(*parser->at);
    words->dot = true;
    while (*parser->at == '.' || *parser->at == '"' || parts_is_atext(*parser->at)) {
        if (*parser->at != '.') {
            if (!read_word(parser))
                return false;
        } else {
            if (words->dot)
                words->is_local = false;
            words->dot = true;
            words_add(words, ".", 1);
            parser->at++;
        }
        if (!skip_space(parser))
            return false;
    }
    words->is_local = words->is_local && !words->dot;
    return true;
}

/* domain-literal: white space within it has no meaning. */
static bool read_literal(struct parser *parser)
{
    for (; *parser->at != ']'; parser->at++) {
        if (*parser->at == '\r' || *parser->at == '\n') {
            if (!skip_line_break(&parser->at))
                return false;
            parser->at--;
            continue;
        }
        if (*parser->at == '\0' || *parser->at == '\\' || parser->domain.length > ADDRESS_MAX)
            return false;
        if (*parser->at != ' ' && *parser->at != '\t')
            text_add_char(&parser->domain, *parser->at);
    }
    text_add_char(&parser->domain, *parser->at++);
    return skip_space(parser);
}

/* A domain with the white space around it, into parser->domain. */
static bool read_domain(struct parser *parser)
{
    text_clear(&parser->domain);
    if (!skip_space(parser))
        return false;
    if (*parser->at == '[')
        return read_literal(parser);
    for (;;) {
        const char *start = parser->at;
        size_t length;

        while (parts_is_atext(*parser->at))
            parser->at++;
        length = (size_t)(parser->at - start);
        if (length == 0 || parser->domain.length + length > ADDRESS_MAX)
            return false;
        text_add(&parser->domain, start, length);
        if (!skip_space(parser))
            return false;
        if (*parser->at != '.')
            return true;
        text_add_char(&parser->domain, *parser->at++);
        if (!skip_space(parser))
            return false;
    }
}

/* "@" domain behind a local part, and close, where there is one, behind that: the mailbox is
 * complete. */
static bool read_mailbox_end(struct parser *parser, char close)
{
    const struct text *local = &parser->words.local;
    struct parts parts;

    if (!parser->words.is_local || *parser->at != '@')
        return false;
    parser->at++;
    if (!read_domain(parser) || !utf8_is_text(text_string(local), local->length))
        return false;
    if (parts_read_domain(text_string(&parser->domain), parser->domain.length, &parts) !=
        ADDRESS_FINE)
        return false;
    if (close != '\0') {
        if (*parser->at != close)
            return false;
        parser->at++;
    }
    parts.local_length = local->length;
    memcpy(parts.local, text_string(local), local->length + 1);
    parts_to_address(&parts, &parser->addresses[parser->count++]);
    return true;
}

/* obs-route: domains, whatever they are, before a colon. */
static bool skip_route(struct parser *parser)
{
    while (*parser->at == '@' || *parser->at == ',') {
        if (*parser->at++ == '@' && !read_domain(parser))
            return false;
        if (!skip_space(parser))
            return false;
    }
    if (*parser->at != ':')
        return false;
    parser->at++;
    return skip_space(parser);
}

/* angle-addr; at is on the "<". */
static bool read_angle(struct parser *parser)
{
    parser->at++;
    if (!skip_space(parser))
        return false;
    if ((*parser->at == '@' || *parser->at == ',') && !skip_route(parser))
        return false;
    return read_words(parser) && read_mailbox_end(parser, '>');
}

/* One mailbox, or a group's name with its colon (is_group_r). */
static bool read_element(struct parser *parser, bool in_group, bool *is_group_r)
{
    *is_group_r = false;
    if (*parser->at == '<')
        return read_angle(parser);
    if (!read_words(parser))
        return false;
    switch (*parser->at) {
    case '@':
        return read_mailbox_end(parser, '\0');
    case '<':
        return parser->words.is_phrase && read_angle(parser);
    case ':':
        parser->at++;
        *is_group_r = true;
        return parser->words.is_phrase && !in_group;
    default:
        return false;
    }
}

static bool read_list(struct parser *parser)
{
    bool in_group = false;
    bool ended = false; /* a mailbox or a group was just read: a separator has to follow */
    bool is_group;

    while (parser->count < parser->max) {
        if (!skip_space(parser))
            return false;
        switch (*parser->at) {
        case '\0':
            return !in_group;
        case ',':
            ended = false;
            parser->at++;
            break;
        case ';':
            if (!in_group)
                return false;
            in_group = false;
            ended = true;
            parser->at++;
            break;
        default:
            if (ended || !read_element(parser, in_group, &is_group))
                return false;
            in_group = in_group || is_group;
            ended = !is_group;
            break;
        }
    }
    return true;
}

int address_list_parse(const char *value, struct address *addresses_r, size_t max)
{
    struct parser parser = {.at = value, .addresses = addresses_r, .max = max};
    bool parsed;

    for (size_t i = 0; i < max; i++)
        addresses_r[i] = (struct address){0};
    parsed = read_list(&parser);
    text_free(&parser.words.local);
    text_free(&parser.domain);
    return parsed ? (int)parser.count : -1;
}
