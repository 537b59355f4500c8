/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/auth/keys.h"

#include "lib/base/mem.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

char *keys_folder(void)
{
    char path[] = "/tmp/sluice-keys-XXXXXX";

    assert_non_null(mkdtemp(path));
    return mem_copy(path);
}

void keys_remove_folder(char **folder)
{
    DIR *entries = opendir(*folder);
    const struct dirent *entry;

    while (entries != NULL && (entry = readdir(entries)) != NULL)
        (void)unlinkat(dirfd(entries), entry->d_name, 0);
    if (entries != NULL)
        closedir(entries);
    (void)rmdir(*folder);
    free(*folder);
    *folder = NULL;
}

EVP_PKEY *keys_make_rsa(unsigned bits)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_RSA, NULL);

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(context, (int)bits), 1);
    assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

EVP_PKEY *keys_make_ed25519(void)
{
    EVP_PKEY *key = NULL;
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(EVP_PKEY_ED25519, NULL);

    assert_int_equal(EVP_PKEY_keygen_init(context), 1);
    assert_int_equal(EVP_PKEY_keygen(context, &key), 1);
    EVP_PKEY_CTX_free(context);
    return key;
}

char *keys_write_text(const char *folder, const char *name, const char *text, mode_t mode)
{
    char *path = mem_print("%s/%s", folder, name);
    int descriptor = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(descriptor >= 0);
    assert_int_equal(write(descriptor, text, strlen(text)), strlen(text));
    assert_int_equal(fchmod(descriptor, mode), 0);
    close(descriptor);
    return path;
}

char *keys_write(const char *folder, const char *name, EVP_PKEY *key, const char *preface,
                 mode_t mode)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *pem, *text, *path;
    long length;

    assert_int_equal(PEM_write_bio_PrivateKey(memory, key, NULL, NULL, 0, NULL, NULL), 1);
    length = BIO_get_mem_data(memory, &pem);
    text = mem_print("%s%.*s", preface, (int)length, pem);
    path = keys_write_text(folder, name, text, mode);
    free(text);
    BIO_free(memory);
    return path;
}

char *keys_record(EVP_PKEY *key)
{
    const bool rsa = EVP_PKEY_base_id(key) == EVP_PKEY_RSA;
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(key, &der);
    /* RFC 8463 section 4: the 32 octets of the key, which end the DER, without the rest of it */
    const int skip = rsa ? 0 : length - 32;
    char *encoded = mem_new((size_t)length * 4 / 3 + 8, 1), *record;

    assert_true(length > 0);
    (void)EVP_EncodeBlock((unsigned char *)encoded, der + skip, length - skip);
    record = mem_print("v=DKIM1; k=%s; p=%s", rsa ? "rsa" : "ed25519", encoded);
    free(encoded);
    OPENSSL_free(der);
    return record;
}
