/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/dkim_canon.h"

#include <assert.h>
#include <string.h>

/* --- header fields -------------------------------------------------------------------- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_space(char c)
{
    return is_blank(c) || c == '\r' || c == '\n';
}

static void add_simple(const char *name, const char *value, struct text *text)
{
    text_add_string(text, name);
    text_add_char(text, ':');
    for (const char *c = value; *c != '\0'; c++) {
        if (*c == '\n' && (c == value || c[-1] != '\r'))
            text_add_char(text, '\r');
        text_add_char(text, *c);
    }
}

static void add_relaxed(const char *name, const char *value, struct text *text)
{
    size_t begin = text->length;
    bool space = false;

    text_add_string(text, name);
    while (text->length > begin && is_blank(text->bytes[text->length - 1]))
        text_cut(text, text->length - 1);
    if (text->length > begin)
        (void)text_lower(text->bytes + begin);
    text_add_char(text, ':');
    begin = text->length;
    for (; *value != '\0'; value++) {
        if (is_space(*value)) {
            space = true;
            continue;
        }
        if (space && text->length > begin)
            text_add_char(text, ' ');
        space = false;
        text_add_char(text, *value);
    }
}

void dkim_canon_field(enum dkim_canon canon, const char *name, const char *value, struct text *text)
{
    if (canon == DKIM_SIMPLE)
        add_simple(name, value, text);
    else
        add_relaxed(name, value, text);
}

/* --- the body ------------------------------------------------------------------------- */

size_t dkim_body_want(struct dkim_body *body, const EVP_MD *digest, uint64_t limit)
{
    struct dkim_body_hash *hash;

    for (size_t i = 0; i < body->nhashes; i++)
        if (body->hashes[i].digest == digest && body->hashes[i].limit == limit)
            return i;
    assert(body->nhashes < DKIM_BODY_HASHES_MAX);
    hash = &body->hashes[body->nhashes];
    *hash = (struct dkim_body_hash){EVP_MD_CTX_new(), digest, limit};
    if (hash->context != NULL && EVP_DigestInit_ex(hash->context, digest, NULL) != 1) {
        EVP_MD_CTX_free(hash->context);
        hash->context = NULL;
    }
    return body->nhashes++;
}

static void flush(struct dkim_body *body)
{
    for (size_t i = 0; i < body->nhashes; i++) {
        struct dkim_body_hash *hash = &body->hashes[i];
        uint64_t left = hash->limit > body->octets ? hash->limit - body->octets : 0;
        size_t length = body->used < left ? body->used : (size_t)left;

        if (hash->context != NULL && length > 0)
            (void)EVP_DigestUpdate(hash->context, body->buffer, length);
    }
    body->octets += body->used;
    body->used = 0;
}

static void put(struct dkim_body *body, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t room = sizeof(body->buffer) - body->used;
        size_t piece = length < room ? length : room;

        memcpy(body->buffer + body->used, bytes, piece);
        body->used += piece;
        bytes += piece;
        length -= piece;
        if (body->used == sizeof(body->buffer))
            flush(body);
    }
}

/* What stood before it counts now. */
static void put_content(struct dkim_body *body, const char *bytes, size_t length)
{
    for (; body->line_ends > 0; body->line_ends--)
        put(body, "\r\n", 2);
    if (body->space)
        put(body, " ", 1);
    body->space = false;
    put(body, bytes, length);
}

/* Octets from there on that are content in any place: most mail is that, so this loop is short. */
static size_t content_length(enum dkim_canon canon, const char *bytes, const char *end)
{
    static const bool stops[256] = {[' '] = true, ['\t'] = true, ['\r'] = true};
    const char *c = bytes;

    if (canon == DKIM_SIMPLE) {
        c = memchr(bytes, '\r', (size_t)(end - bytes));
        return (size_t)((c != NULL ? c : end) - bytes);
    }
    while (c < end && !stops[(unsigned char)*c]) {
        c++;
        /* one space between words stays as it is */
        if (end - c > 1 && *c == ' ' && !stops[(unsigned char)c[1]])
            c++;
    }
    return (size_t)(c - bytes);
}

/* Whether the octet ended the line whose CR came before it. */
static bool ends_line(struct dkim_body *body, char c)
{
    body->after_return = false;
    if (c != '\n') {
        put_content(body, "\r", 1);
        return false;
    }
    body->space = false;
    body->line_ends++;
    return true;
}

void dkim_body_add(struct dkim_body *body, const void *bytes, size_t length)
{
    const char *c = bytes;
    const char *end = c + length;

    while (body->nhashes > 0 && c < end) {
        size_t content;

        if (body->after_return && ends_line(body, *c)) {
            c++;
            continue;
        }
        content = content_length(body->canon, c, end);
        if (content > 0)
            put_content(body, c, content);
        c += content;
        for (; c < end && body->canon == DKIM_RELAXED && is_blank(*c); c++)
            body->space = true;
        if (c < end && *c == '\r') {
            body->after_return = true;
            c++;
        }
    }
}

void dkim_body_end(struct dkim_body *body)
{
    if (body->after_return)
        put_content(body, "\r", 1);
    body->after_return = false;
    if (body->canon == DKIM_SIMPLE || body->octets + body->used > 0)
        put(body, "\r\n", 2);
    flush(body);
}

unsigned dkim_body_hash(struct dkim_body *body, size_t index, unsigned char hash_r[EVP_MAX_MD_SIZE])
{
    EVP_MD_CTX *copy = EVP_MD_CTX_new();
    EVP_MD_CTX *context = body->hashes[index].context;
    unsigned length = 0;

    if (copy == NULL || context == NULL || EVP_MD_CTX_copy_ex(copy, context) != 1 ||
        EVP_DigestFinal_ex(copy, hash_r, &length) != 1)
        length = 0;
    EVP_MD_CTX_free(copy);
    return length;
}

void dkim_body_clear(struct dkim_body *body)
{
    for (size_t i = 0; i < body->nhashes; i++)
        EVP_MD_CTX_free(body->hashes[i].context);
    body->nhashes = 0;
}
