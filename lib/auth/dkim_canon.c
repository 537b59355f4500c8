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

static void put(struct dkim_body *body, char c)
{
    if (body->used == sizeof(body->buffer))
        flush(body);
    body->buffer[body->used++] = c;
}

/* What stood before it counts now. */
static void put_content(struct dkim_body *body, char c)
{
    for (; body->line_ends > 0; body->line_ends--) {
        put(body, '\r');
        put(body, '\n');
    }
    if (body->space)
        put(body, ' ');
    body->space = false;
    put(body, c);
}

void dkim_body_add(struct dkim_body *body, const void *bytes, size_t length)
{
    const char *c = bytes;
    const char *end = c + length;

    for (; body->nhashes > 0 && c < end; c++) {
        if (body->after_return && *c == '\n') {
            body->after_return = false;
            body->space = false;
            body->line_ends++;
            continue;
        }
        if (body->after_return)
            put_content(body, '\r');
        body->after_return = *c == '\r';
        if (body->after_return)
            continue;
        if (body->canon == DKIM_RELAXED && is_blank(*c))
            body->space = true;
        else
            put_content(body, *c);
    }
}

void dkim_body_end(struct dkim_body *body)
{
    if (body->after_return)
        put_content(body, '\r');
    body->after_return = false;
    if (body->canon == DKIM_SIMPLE || body->octets + body->used > 0) {
        put(body, '\r');
        put(body, '\n');
    }
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
