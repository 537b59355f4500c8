/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/key_cache.h"

#include "lib/base/map.h"
#include "lib/base/mem.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_CHUNK 4096

const bool key_cache_works = true;

struct kept_key {
    EVP_PKEY *private_key;
    size_t keepers;
};

static pthread_rwlock_t lock = PTHREAD_RWLOCK_INITIALIZER;
static struct map *kept_keys; /* by the text's SHA-256: the map is no place for secrets */
static atomic_uint_fast64_t parses;

static pthread_once_t fetched = PTHREAD_ONCE_INIT;
static EVP_MD *sha256; /* looking it up by its name takes longer than the digest of a key */

static void fetch_sha256(void)
{
    sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static void fingerprint(const void *pem, size_t length,
                        unsigned char digest_r[SHA256_DIGEST_LENGTH])
{
    (void)pthread_once(&fetched, fetch_sha256);
    (void)EVP_Digest(pem, length, digest_r, NULL, sha256, NULL);
}

void key_cache_keep(const char *pem, EVP_PKEY *private_key)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct kept_key *kept;

    fingerprint(pem, strlen(pem), digest);
    pthread_rwlock_wrlock(&lock);
    if (kept_keys == NULL)
        kept_keys = map_new();
    kept = map_peek(kept_keys, digest, sizeof(digest));
    if (kept == NULL) {
        kept = mem_new(1, sizeof(*kept));
        EVP_PKEY_up_ref(private_key);
        kept->private_key = private_key;
        (void)map_put(kept_keys, digest, sizeof(digest), kept);
    }
    kept->keepers++;
    pthread_rwlock_unlock(&lock);
}

void key_cache_forget(const char *pem)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    struct kept_key *kept;

    fingerprint(pem, strlen(pem), digest);
    pthread_rwlock_wrlock(&lock);
    kept = kept_keys != NULL ? map_peek(kept_keys, digest, sizeof(digest)) : NULL;
    if (kept != NULL && --kept->keepers == 0) {
        (void)map_remove(kept_keys, digest, sizeof(digest));
        EVP_PKEY_free(kept->private_key);
        free(kept);
    }
    if (kept_keys != NULL && map_count(kept_keys) == 0)
        map_free(&kept_keys, NULL);
    pthread_rwlock_unlock(&lock);
}

uint64_t key_cache_parses(void)
{
    return atomic_load(&parses);
}

/* The kept key for what the BIO holds, with a reference for the caller, or NULL. */
static EVP_PKEY *find_kept(BIO *bio)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    EVP_PKEY *private_key = NULL;
    struct kept_key *kept;
    char *bytes = NULL;
    long length;

    if (BIO_method_type(bio) != BIO_TYPE_MEM)
        return NULL;
    length = BIO_get_mem_data(bio, &bytes);
    if (length <= 0)
        return NULL;
    fingerprint(bytes, (size_t)length, digest);
    pthread_rwlock_rdlock(&lock);
    kept = kept_keys != NULL ? map_peek(kept_keys, digest, sizeof(digest)) : NULL;
    if (kept != NULL) {
        private_key = kept->private_key;
        EVP_PKEY_up_ref(private_key);
    }
    pthread_rwlock_unlock(&lock);
    return private_key;
}

/* Takes the place of OpenSSL's function of this name, in this whole process, libraries included:
 * the dynamic linker looks into the program first.  It reads the BIO to its end as OpenSSL would.
 */
EVP_PKEY *PEM_read_bio_PrivateKey(BIO *bio, EVP_PKEY **key_r, pem_password_cb *callback,
                                  void *context)
{
    EVP_PKEY *private_key = NULL;
    char rest[DRAIN_CHUNK];

    if (bio != NULL && key_r == NULL && callback == NULL)
        private_key = find_kept(bio);
    if (private_key == NULL) {
        atomic_fetch_add(&parses, 1);
        return PEM_read_bio_PrivateKey_ex(bio, key_r, callback, context, NULL, NULL);
    }
    while (BIO_read(bio, rest, sizeof(rest)) > 0)
        continue;
    OPENSSL_cleanse(rest, sizeof(rest));
    return private_key;
}
