/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/ed25519.h"

#include "lib/base/mem.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FIELD_NAME "DKIM-Signature"
#define LINE_MAX_LENGTH 72
#define OCTETS 64 /* of a signature */

struct ed25519 {
    EVP_PKEY *private_key;
    struct text tags; /* up to bh= */
    struct text names; /* for h=, folded */
    size_t column;
    enum dkim_canon canon; /* of headers */
    struct text headers; /* in canonical form */
    struct dkim_body body;
    size_t hash;
};

/* --- headers -------------------------------------------------------------------------- */

static void add_name(struct ed25519 *signature, const char *name)
{
    size_t length = strlen(name) + 1;

    if (signature->names.length > 0) {
        text_add_char(&signature->names, ':');
        if (signature->column + length > LINE_MAX_LENGTH) {
            text_add_string(&signature->names, "\n\t ");
            signature->column = 0;
        }
    }
    text_add_string(&signature->names, name);
    signature->column += length;
}

/* From the bottom up, which is the order in which repeated names in h= take fields (RFC 6376
 * §5.4.2). */
static void add_headers(struct ed25519 *signature, const struct message *message,
                        const struct fields *fields)
{
    const char *const *oversigned = fields_oversigned(fields, message);

    for (size_t i = message->nheaders; i > 0; i--) {
        const struct header *header = &message->headers[i - 1];

        if (!fields_is_signed(fields, header->name))
            continue;
        add_name(signature, header->name);
        dkim_canon_field(signature->canon, header->name, header->value, &signature->headers);
        text_add_string(&signature->headers, "\r\n");
    }
    for (; *oversigned != NULL; oversigned++)
        add_name(signature, *oversigned);
}

static const char *canon_name(enum dkim_canon canon)
{
    return canon == DKIM_RELAXED ? "relaxed" : "simple";
}

/* --- the signature -------------------------------------------------------------------- */

struct ed25519 *ed25519_begin(EVP_PKEY *private_key, const char *domain, const char *selector,
                              const char *identity, const struct message *message,
                              const struct ed25519_form *form)
{
    const long long now = (long long)time(NULL);
    struct ed25519 *signature = mem_new(1, sizeof(*signature));

    EVP_PKEY_up_ref(private_key);
    signature->private_key = private_key;
    signature->canon = form->headers;
    signature->body.canon = form->body;
    signature->hash = dkim_body_want(&signature->body, EVP_sha256(), DKIM_BODY_ALL);
    text_print(&signature->tags, "v=1; a=ed25519-sha256; c=%s/%s;\n\td=%s; s=%s; t=%lld;",
               canon_name(form->headers), canon_name(form->body), domain, selector, now);
    if (form->expire_sec > 0)
        text_print(&signature->tags, " x=%lld;", now + (long long)form->expire_sec);
    if (identity != NULL)
        text_print(&signature->tags, "\n\ti=%s;", identity);
    add_headers(signature, message, form->fields);
    return signature;
}

void ed25519_body(struct ed25519 *signature, const void *bytes, size_t length)
{
    dkim_body_add(&signature->body, bytes, length);
}

/* Without the value of b=.  MTAs put a space after the colon, where ours has none. */
static void add_own_field(struct ed25519 *signature, const char *value)
{
    char *spaced = mem_print(" %s", value);

    dkim_canon_field(signature->canon, FIELD_NAME, spaced, &signature->headers);
    free(spaced);
}

static void add_base64(struct text *text, const unsigned char *octets, size_t length)
{
    char encoded[4 * ((EVP_MAX_MD_SIZE + 2) / 3) + 1];

    (void)EVP_EncodeBlock((unsigned char *)encoded, octets, (int)length);
    text_add_string(text, encoded);
}
_Static_assert(OCTETS <= EVP_MAX_MD_SIZE, "a signature does not fit add_base64()");

/* Ed25519 signs the SHA-256 of the headers, not the headers (RFC 8463 §3). */
static bool sign(EVP_PKEY *private_key, const struct text *headers,
                 unsigned char signature_r[OCTETS])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned digest_length = 0;
    size_t length = OCTETS;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool done = context != NULL &&
                EVP_Digest(headers->bytes, headers->length, digest, &digest_length, EVP_sha256(),
                           NULL) == 1 &&
                EVP_DigestSignInit(context, NULL, NULL, NULL, private_key) == 1 &&
                EVP_DigestSign(context, signature_r, &length, digest, digest_length) == 1 &&
                length == OCTETS;

    EVP_MD_CTX_free(context);
    return done;
}

char *ed25519_end(struct ed25519 *signature)
{
    struct text value = TEXT_EMPTY;
    unsigned char octets[EVP_MAX_MD_SIZE];
    unsigned length;

    dkim_body_end(&signature->body);
    length = dkim_body_hash(&signature->body, signature->hash, octets);
    if (length == 0)
        return NULL;
    text_print(&value, "%s\n\tbh=", text_string(&signature->tags));
    add_base64(&value, octets, length);
    text_print(&value, ";\n\th=%s;\n\tb=", text_string(&signature->names));
    add_own_field(signature, text_string(&value));
    if (!sign(signature->private_key, &signature->headers, octets)) {
        text_free(&value);
        return NULL;
    }
    add_base64(&value, octets, OCTETS);
    return text_take(&value);
}

void ed25519_free(struct ed25519 **signature)
{
    if (*signature == NULL)
        return;
    EVP_PKEY_free((*signature)->private_key);
    text_free(&(*signature)->tags);
    text_free(&(*signature)->names);
    text_free(&(*signature)->headers);
    dkim_body_clear(&(*signature)->body);
    free(*signature);
    *signature = NULL;
}
