/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/html.h"

#include "lib/base/count.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

#define ENTITY_MAX 12 /* octets of "&#x10ffff;" and of the names that matter */

/* A text that is cut when it is full. */
struct kept {
    char *bytes;
    size_t length, room;
};

static void keep(struct kept *kept, char c)
{
    if (kept->length + 1 < kept->room)
        kept->bytes[kept->length++] = c;
    kept->bytes[kept->length] = '\0';
}

/* --- entities ------------------------------------------------------------------------- */

static void keep_code(struct kept *kept, uint32_t code)
{
    if (code == 0 || code > 0x10ffff)
        return;
    if (code < 0x80) {
        keep(kept, (char)code);
    } else if (code < 0x800) {
        keep(kept, (char)(0xc0 | code >> 6));
        keep(kept, (char)(0x80 | (code & 0x3f)));
    } else {
        if (code < 0x10000) {
            keep(kept, (char)(0xe0 | code >> 12));
        } else {
            keep(kept, (char)(0xf0 | code >> 18));
            keep(kept, (char)(0x80 | (code >> 12 & 0x3f)));
        }
        keep(kept, (char)(0x80 | (code >> 6 & 0x3f)));
        keep(kept, (char)(0x80 | (code & 0x3f)));
    }
}

/* "&#38;" or "&#x26;", the semicolon may be missing.  Returns the octets; 0: it is none. */
static size_t numeric_entity(const char *at, size_t length, uint32_t *code_r)
{
    size_t i = 2;
    bool is_hex = length > 3 && (at[2] | 0x20) == 'x';
    uint32_t code = 0;

    if (length < 4 || at[1] != '#')
        return 0;
    i += is_hex;
    for (size_t first = i; i < length && i - first < 8; i++) {
        unsigned char c = (unsigned char)at[i];

        if (is_hex ? !isxdigit(c) : !isdigit(c))
            break;
        code = code * (is_hex ? 16 : 10) +
               (isdigit(c) ? (uint32_t)(c - '0') : (uint32_t)((c | 0x20) - 'a' + 10));
    }
    *code_r = code;
    return i < length && at[i] == ';' ? i + 1 : i;
}

static size_t named_entity(const char *at, size_t length, uint32_t *code_r)
{
    static const struct {
        const char *name;
        uint32_t code;
    } known[] = {{"&amp;", '&'},    {"&lt;", '<'},   {"&gt;", '>'},
                 {"&quot;", '"'},   {"&nbsp;", ' '}, {"&apos;", '\''},
                 {"&period;", '.'}, {"&sol;", '/'},  {"&colon;", ':'}};

    for (size_t i = 0; i < COUNT_OF(known); i++) {
        size_t own = strlen(known[i].name);

        if (length >= own && strncasecmp(at, known[i].name, own) == 0) {
            *code_r = known[i].code;
            return own;
        }
    }
    return 0;
}

static void keep_text(struct kept *kept, const char *at, size_t length)
{
    while (length > 0 && kept->length + 1 < kept->room) {
        uint32_t code = 0;
        size_t used = 0;

        if (*at == '&') {
            size_t most = length < ENTITY_MAX ? length : ENTITY_MAX;

            used = named_entity(at, most, &code);
            if (used == 0)
                used = numeric_entity(at, most, &code);
        }
        if (used > 0) {
            keep_code(kept, code);
        } else {
            used = 1;
            keep(kept, *at != '\0' ? *at : ' ');
        }
        at += used;
        length -= used;
    }
}

/* --- tags ----------------------------------------------------------------------------- */

/* The octets of a tag up to its '>', which may stand in a quoted value. */
static size_t tag_length(const char *at, size_t length)
{
    char quote = '\0';

    for (size_t i = 1; i < length; i++) {
        if (quote != '\0')
            quote = at[i] == quote ? '\0' : quote;
        else if ((at[i] == '"' || at[i] == '\'') && at[i - 1] == '=')
            quote = at[i];
        else if (at[i] == '>')
            return i + 1;
    }
    return length;
}

static bool is_tag(const char *tag, size_t length, const char *name)
{
    size_t own = strlen(name);

    return length > own + 1 && strncasecmp(tag + 1, name, own) == 0 &&
           !isalnum((unsigned char)tag[own + 1]);
}

static bool is_space(char c)
{
    return strchr(" \t\r\n\f", c) != NULL && c != '\0';
}

/* The value of an attribute; NULL: it has none. */
static const char *attribute(const char *tag, size_t length, const char *name, size_t *length_r)
{
    size_t own = strlen(name);

    for (size_t i = 1; i + own < length; i++) {
        size_t at = i + own, end;
        char quote;

        if (!(is_space(tag[i - 1]) || strchr("\"'/", tag[i - 1]) != NULL) ||
            strncasecmp(tag + i, name, own) != 0)
            continue;
        while (at < length && is_space(tag[at]))
            at++;
        if (at == length || tag[at] != '=')
            continue;
        for (at++; at < length && is_space(tag[at]); at++)
            ;
        if (at == length)
            return NULL;
        quote = tag[at] == '"' || tag[at] == '\'' ? tag[at++] : '\0';
        for (end = at; end < length; end++)
            if (quote != '\0' ? tag[end] == quote : is_space(tag[end]) || tag[end] == '>')
                break;
        *length_r = end - at;
        return tag + at;
    }
    return NULL;
}

/* What is not shown: a comment, a style, a script.  Returns its octets, 0: it is none. */
static size_t hidden_length(const char *at, size_t length)
{
    static const struct {
        const char *begins, *ends;
    } hidden[] = {{"<!--", "-->"}, {"<style", "</style"}, {"<script", "</script"}};

    for (size_t i = 0; i < COUNT_OF(hidden); i++) {
        size_t own = strlen(hidden[i].begins), ends = strlen(hidden[i].ends);

        if (length < own || strncasecmp(at, hidden[i].begins, own) != 0)
            continue;
        for (size_t j = own; j + ends <= length; j++)
            if (at[j] == hidden[i].ends[0] && strncasecmp(at + j, hidden[i].ends, ends) == 0)
                return j + ends;
        return length;
    }
    return 0;
}

/* --- links ---------------------------------------------------------------------------- */

struct reader {
    void (*link)(void *context, const char *url, const char *text);
    void *context;
    bool open;
    struct kept base, url, text;
};

/* An address without a scheme and a host, which <base> has: not "//host", "mailto:" or "#here". */
static bool is_relative(const char *url)
{
    const size_t length = strcspn(url, ":/\\?#");

    if (url[0] == '#' || url[0] == '\0' || url[length] == ':')
        return false;
    return length > 0 || url[0] == '?' || (url[1] != '/' && url[1] != '\\');
}

static void close_link(struct reader *reader)
{
    const char *url = reader->base.length > 0 && is_relative(reader->url.bytes) ? reader->base.bytes
                                                                                : reader->url.bytes;

    if (reader->open)
        reader->link(reader->context, url, reader->text.bytes);
    reader->open = false;
}

/* The first one counts (HTML, section 4.2.3). */
static void read_base(struct reader *reader, const char *tag, size_t length)
{
    size_t value_length = 0;
    const char *value = attribute(tag, length, "href", &value_length);

    if (value != NULL && reader->base.length == 0)
        keep_text(&reader->base, value, value_length);
}

static void read_tag(struct reader *reader, const char *tag, size_t length)
{
    const char *value;
    size_t value_length = 0;

    if (is_tag(tag, length, "base"))
        read_base(reader, tag, length);
    if (is_tag(tag, length, "/a"))
        close_link(reader);
    if (!is_tag(tag, length, "a") && !is_tag(tag, length, "area"))
        return;
    close_link(reader);
    value = attribute(tag, length, "href", &value_length);
    if (value == NULL)
        return;
    reader->url.length = reader->text.length = 0;
    reader->url.bytes[0] = reader->text.bytes[0] = '\0';
    keep_text(&reader->url, value, value_length);
    reader->open = true;
    if (is_tag(tag, length, "area"))
        close_link(reader);
}

void html_links(const char *html, size_t length,
                void (*link)(void *context, const char *url, const char *text), void *context)
{
    char base[HTML_URL_MAX] = "", url[HTML_URL_MAX], text[HTML_TEXT_MAX];
    struct reader reader = {.link = link,
                            .context = context,
                            .base = {base, 0, sizeof(base)},
                            .url = {url, 0, sizeof(url)},
                            .text = {text, 0, sizeof(text)}};
    const char *at = html, *end = html + length;

    while (at < end) {
        const char *tag = memchr(at, '<', (size_t)(end - at));
        size_t left, used;

        if (tag == NULL)
            tag = end;
        if (reader.open)
            keep_text(&reader.text, at, (size_t)(tag - at));
        left = (size_t)(end - tag);
        if (left == 0)
            break;
        used = hidden_length(tag, left);
        if (used == 0) {
            used = tag_length(tag, left);
            read_tag(&reader, tag, used);
        }
        at = tag + used;
    }
    close_link(&reader);
}
