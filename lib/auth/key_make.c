/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/key_make.h"

#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ED25519_OCTETS 32
#define FOLDER_MODE 0750

EVP_PKEY *key_make(enum key_algorithm algorithm)
{
    EVP_PKEY_CTX *context =
        EVP_PKEY_CTX_new_id(algorithm == KEY_RSA ? EVP_PKEY_RSA : EVP_PKEY_ED25519, NULL);
    EVP_PKEY *key = NULL;

    if (context == NULL || EVP_PKEY_keygen_init(context) != 1 ||
        (algorithm == KEY_RSA && EVP_PKEY_CTX_set_rsa_keygen_bits(context, KEY_BITS_GOOD) != 1) ||
        EVP_PKEY_keygen(context, &key) != 1)
        key = NULL;
    EVP_PKEY_CTX_free(context);
    return key;
}

/* All folders above path.  Of one that cannot be made the first reason counts: what would be below
 * it fails with another. */
static bool make_folders(const char *path, char **problem_r)
{
    char *folder = mem_copy(path);
    bool made = true;

    for (char *slash = strchr(folder + 1, '/'); made && slash != NULL;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        made = mkdir(folder, FOLDER_MODE) == 0 || errno == EEXIST || access(folder, F_OK) == 0;
        if (!made)
            *problem_r = mem_print("cannot make %s: %s", folder, strerror(errno));
        *slash = '/';
    }
    free(folder);
    return made;
}

static bool write_all(int descriptor, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(descriptor, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        bytes += written;
        length -= (size_t)written;
    }
    return fsync(descriptor) == 0;
}

bool key_write(EVP_PKEY *private_key, const char *path, char **problem_r)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    char *bytes = NULL;
    long length = 0;
    int descriptor = -1;
    bool done = false;

    if (memory == NULL ||
        PEM_write_bio_PrivateKey(memory, private_key, NULL, NULL, 0, NULL, NULL) != 1) {
        *problem_r = mem_copy("libcrypto does not write the key");
        goto done;
    }
    length = BIO_get_mem_data(memory, &bytes);
    if (!make_folders(path, problem_r))
        goto done;
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    done = descriptor >= 0 && write_all(descriptor, bytes, (size_t)length);
    if (!done)
        *problem_r = mem_print("%s: %s", path, strerror(errno));
    if (!done && descriptor >= 0)
        (void)unlink(path);
done:
    if (descriptor >= 0)
        close(descriptor);
    BIO_free(memory);
    return done;
}

char *key_record(EVP_PKEY *private_key)
{
    const bool rsa = EVP_PKEY_base_id(private_key) == EVP_PKEY_RSA;
    unsigned char *octets = NULL;
    size_t length = ED25519_OCTETS;
    char *encoded, *record;

    if (rsa) {
        length = (size_t)i2d_PUBKEY(private_key, &octets);
    } else {
        octets = OPENSSL_malloc(length);
        (void)EVP_PKEY_get_raw_public_key(private_key, octets, &length);
    }
    encoded = mem_new(length * 4 / 3 + 8, 1);
    (void)EVP_EncodeBlock((unsigned char *)encoded, octets, (int)length);
    record =
        mem_print("v=DKIM1; k=%s; p=%s", key_algorithm_name(rsa ? KEY_RSA : KEY_ED25519), encoded);
    free(encoded);
    OPENSSL_free(octets);
    return record;
}
