/* SPDX-License-Identifier: BSD-2-Clause */
/* The names under which the store keeps subjects and messages. */
#include "lib/store/subject.h"

#include "lib/base/hash.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#define KIND_MAX 64 /* octets before the colon */
#define DIGEST_SIZE 32

static const char hex_digits[] = "0123456789abcdef";

static void digest(const void *bytes, size_t length, uint8_t digest_r[DIGEST_SIZE])
{
    /* It fails only where a library is broken, and a name that is not one would mix up subjects. */
    if (EVP_Digest(bytes, length, digest_r, NULL, EVP_sha256(), NULL) != 1)
        abort();
}

static char *add_hex(char *at, const uint8_t *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        *at++ = hex_digits[bytes[i] >> 4];
        *at++ = hex_digits[bytes[i] & 0xf];
    }
    return at;
}

void subject_hiding_set(struct subject_hiding *hiding, const char *secret)
{
    uint8_t bytes[DIGEST_SIZE];

    memset(hiding, 0, sizeof(*hiding));
    if (secret == NULL || *secret == '\0')
        return;
    digest(secret, strlen(secret), bytes);
    memcpy(hiding->keys[0], bytes, SUBJECT_KEY_SIZE);
    memcpy(hiding->keys[1], bytes + SUBJECT_KEY_SIZE, SUBJECT_KEY_SIZE);
    hiding->on = true;
}

static bool is_escaped(char c)
{
    return c == '{' || c == '}' || c == '%';
}

/* Returns the end, or NULL when it does not fit. */
static char *add_escaped(char *at, const char *end, const char *string)
{
    for (; *string != '\0'; string++) {
        uint8_t octet = (uint8_t)*string;

        if (end - at < 3)
            return NULL;
        if (is_escaped(*string)) {
            *at++ = '%';
            at = add_hex(at, &octet, 1);
        } else {
            *at++ = *string;
        }
    }
    return at;
}

static size_t kind_length(const char *subject)
{
    const char *colon = memchr(subject, ':', strnlen(subject, KIND_MAX));

    return colon != NULL ? (size_t)(colon - subject) + 1 : 0;
}

static char *add_hidden(const struct subject_hiding *hiding, char *at, const char *string)
{
    size_t length = strlen(string);

    *at++ = '~';
    for (size_t half = 0; half < 2; half++) {
        uint64_t word = hash_keyed(hiding->keys[half], string, length);

        for (int shift = 60; shift >= 0; shift -= 4)
            *at++ = hex_digits[word >> shift & 0xf];
    }
    return at;
}

static char *add_digest(char *at, const char *string)
{
    uint8_t bytes[DIGEST_SIZE];

    digest(string, strlen(string), bytes);
    *at++ = '#';
    return add_hex(at, bytes, sizeof(bytes));
}

static size_t write_name(const struct subject_hiding *hiding, size_t kind, const char *subject,
                         char name_r[SUBJECT_NAME_SIZE])
{
    char prefix[KIND_MAX + 1];
    char *rest = NULL;
    char *at;

    memcpy(prefix, subject, kind);
    prefix[kind] = '\0';
    /* Escaped it is three times as long at most: a digest always fits behind it. */
    at = add_escaped(name_r, name_r + SUBJECT_NAME_SIZE, prefix);
    if (hiding->on)
        rest = add_hidden(hiding, at, subject + kind);
    else
        rest = add_escaped(at, name_r + SUBJECT_NAME_SIZE - 1, subject + kind);
    if (rest == NULL)
        rest = add_digest(at, subject + kind);
    *rest = '\0';
    return (size_t)(rest - name_r);
}

size_t subject_name(const struct subject_hiding *hiding, const char *subject,
                    char name_r[SUBJECT_NAME_SIZE])
{
    return write_name(hiding, kind_length(subject), subject, name_r);
}

size_t subject_message(const char *identity, char name_r[SUBJECT_NAME_SIZE])
{
    static const struct subject_hiding plain = {0};

    return write_name(&plain, 0, identity, name_r);
}
