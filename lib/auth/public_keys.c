/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/public_keys.h"

#include "lib/base/map.h"

#include <openssl/evp.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define ED25519_BYTES 32
#define NAME_BYTES (1 + SHA256_DIGEST_LENGTH) /* the type, and a hash: names have one length */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct map *kept;
static atomic_uint_fast64_t parses;

/* RSA keys are published as SubjectPublicKeyInfo, and now and then as the bare RSAPublicKey that
 * the RFC names (erratum 3017). */
static EVP_PKEY *parse_rsa(const unsigned char *bytes, size_t length)
{
    const unsigned char *at = bytes;
    EVP_PKEY *key = d2i_PUBKEY(NULL, &at, (long)length);

    if (key == NULL) {
        at = bytes;
        key = d2i_PublicKey(EVP_PKEY_RSA, NULL, &at, (long)length);
    }
    if (key != NULL && EVP_PKEY_base_id(key) != EVP_PKEY_RSA) {
        EVP_PKEY_free(key);
        key = NULL;
    }
    return key;
}

static EVP_PKEY *parse(enum dkim_key_type type, const unsigned char *bytes, size_t length)
{
    atomic_fetch_add(&parses, 1);
    if (type == DKIM_KEY_RSA)
        return parse_rsa(bytes, length);
    if (length != ED25519_BYTES)
        return NULL;
    return EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, length);
}

static EVP_PKEY *find(const unsigned char name[NAME_BYTES])
{
    EVP_PKEY *key;

    pthread_mutex_lock(&lock);
    key = kept != NULL ? map_get(kept, name, NAME_BYTES) : NULL;
    if (key != NULL)
        EVP_PKEY_up_ref(key);
    pthread_mutex_unlock(&lock);
    return key;
}

static void drop_oldest(void)
{
    unsigned char name[NAME_BYTES];
    const void *oldest;
    size_t length;

    (void)map_oldest(kept, &oldest, &length);
    memcpy(name, oldest, NAME_BYTES);
    EVP_PKEY_free(map_remove(kept, name, NAME_BYTES));
}

static void keep(const unsigned char name[NAME_BYTES], EVP_PKEY *key)
{
    pthread_mutex_lock(&lock);
    if (kept == NULL)
        kept = map_new();
    if (map_peek(kept, name, NAME_BYTES) == NULL) {
        if (map_count(kept) == PUBLIC_KEYS_MAX)
            drop_oldest();
        EVP_PKEY_up_ref(key);
        (void)map_put(kept, name, NAME_BYTES, key);
    }
    pthread_mutex_unlock(&lock);
}

EVP_PKEY *public_keys_get(enum dkim_key_type type, const unsigned char *bytes, size_t length)
{
    unsigned char name[NAME_BYTES] = {(unsigned char)type};
    EVP_PKEY *key;

    (void)SHA256(bytes, length, name + 1);
    key = find(name);
    if (key != NULL)
        return key;
    key = parse(type, bytes, length);
    if (key != NULL)
        keep(name, key);
    return key;
}

uint64_t public_keys_parses(void)
{
    return atomic_load(&parses);
}
