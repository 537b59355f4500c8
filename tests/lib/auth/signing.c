/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/auth/signing.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static char *encode(const unsigned char *bytes, size_t length)
{
    char *text = mem_new(length * 2 + 8, 1);

    (void)EVP_EncodeBlock((unsigned char *)text, bytes, (int)length);
    return text;
}

char *signing_public_key(EVP_PKEY *key)
{
    unsigned char raw[32], *der = NULL;
    size_t length = sizeof(raw);
    char *text;
    int der_length;

    if (EVP_PKEY_base_id(key) == EVP_PKEY_ED25519) {
        assert_int_equal(EVP_PKEY_get_raw_public_key(key, raw, &length), 1);
        return encode(raw, length);
    }
    der_length = i2d_PUBKEY(key, &der);
    assert_true(der_length > 0);
    text = encode(der, (size_t)der_length);
    OPENSSL_free(der);
    return text;
}

char *signing_hash(const char *body, const EVP_MD *digest)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    unsigned length;

    assert_int_equal(EVP_Digest(body, strlen(body), hash, &length, digest, NULL), 1);
    return encode(hash, length);
}

char *signing_sign(EVP_PKEY *key, const EVP_MD *digest, const char *text)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    unsigned char hash[EVP_MAX_MD_SIZE], signature[512];
    const unsigned char *input = (const unsigned char *)text;
    unsigned hash_length = 0;
    size_t length = sizeof(signature), input_length = strlen(text);

    if (EVP_PKEY_base_id(key) == EVP_PKEY_ED25519) {
        assert_int_equal(EVP_Digest(text, strlen(text), hash, &hash_length, EVP_sha256(), NULL), 1);
        input = hash;
        input_length = hash_length;
        digest = NULL;
    }
    assert_int_equal(EVP_DigestSignInit(context, NULL, digest, NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, signature, &length, input, input_length), 1);
    EVP_MD_CTX_free(context);
    return encode(signature, length);
}

char *signing_fill(const char *text, const char *with)
{
    struct text filled = TEXT_EMPTY;

    for (; *text != '\0'; text++)
        if (*text == '#')
            text_add_string(&filled, with);
        else
            text_add_char(&filled, *text);
    text_add(&filled, "", 0);
    return text_take(&filled);
}
