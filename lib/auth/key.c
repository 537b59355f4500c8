/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/key.h"

#include "lib/auth/base64.h"
#include "lib/auth/key_cache.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Whoever can read the key can sign as us, whoever can change it can make us sign with theirs. */
static char *check_file(int descriptor, enum key_trouble *trouble_r)
{
    struct stat status;

    *trouble_r = KEY_NOT_USABLE;
    if (fstat(descriptor, &status) != 0)
        return mem_print("cannot be looked at: %s", strerror(errno));
    if (!S_ISREG(status.st_mode))
        return mem_copy("is no regular file");
    if (status.st_size > KEY_FILE_MAX)
        return mem_print("is larger than %d octets", KEY_FILE_MAX);
    *trouble_r = KEY_EXPOSED;
    if (status.st_mode & (S_IROTH | S_IWOTH))
        return mem_print("can be read or changed by everybody (mode %04o)",
                         (unsigned)status.st_mode & 07777);
    if (status.st_mode & S_IWGRP)
        return mem_print("can be changed by its group (mode %04o)",
                         (unsigned)status.st_mode & 07777);
    *trouble_r = KEY_FINE;
    return NULL;
}

/* A key with a passphrase must not make the daemon ask for it on a terminal. */
static int no_passphrase(char *buffer, int size, int writing, void *context)
{
    (void)buffer;
    (void)size;
    (void)writing;
    (void)context;
    return -1;
}

static char *take_text(BIO *memory)
{
    char *bytes;
    const long length = BIO_get_mem_data(memory, &bytes);

    return mem_copy_n(bytes, (size_t)length);
}

/* The PEM text in the form that libopendkim recognizes: the file's may begin with a comment. */
static char *write_pem(EVP_PKEY *private_key)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    char *pem = NULL;

    if (memory != NULL &&
        PEM_write_bio_PrivateKey(memory, private_key, NULL, NULL, 0, NULL, NULL) == 1)
        pem = take_text(memory);
    BIO_free(memory);
    return pem;
}

static char *wrap(const char *name, const unsigned char *bytes, long length)
{
    BIO *memory = BIO_new(BIO_s_secmem());
    char *pem = NULL;

    if (memory != NULL && PEM_write_bio(memory, name, "", bytes, length) > 0)
        pem = take_text(memory);
    BIO_free(memory);
    return pem;
}

static char *check_key(struct key *key, enum key_trouble *trouble_r)
{
    int type = EVP_PKEY_base_id(key->private_key);

    *trouble_r = KEY_NOT_USABLE;
    if (type != EVP_PKEY_RSA && type != EVP_PKEY_ED25519)
        return mem_copy("holds neither an RSA key nor an Ed25519 key");
    key->algorithm = type == EVP_PKEY_RSA ? KEY_RSA : KEY_ED25519;
    *trouble_r = KEY_TOO_SHORT;
    if (key->algorithm == KEY_RSA && key->bits < KEY_BITS_MIN)
        return mem_print("holds an RSA key of %u bits, which no receiver accepts (RFC 8301)",
                         key->bits);
    *trouble_r = KEY_FINE;
    return NULL;
}

/* --- its forms ------------------------------------------------------------------------ */

static void free_wiped(void *secret, size_t length)
{
    OPENSSL_cleanse(secret, length);
    free(secret);
}

static EVP_PKEY *read_der(const unsigned char *bytes, size_t length)
{
    const unsigned char *at = bytes;

    return length <= KEY_FILE_MAX ? d2i_AutoPrivateKey(NULL, &at, (long)length) : NULL;
}

/* Where the text between the lines of a PEM file's begin and end is, or all of it. */
static const char *unwrap(const char *text, const char *end, const char **end_r)
{
    static const char begin[] = "-----BEGIN ", line[] = "-----";
    const char *start = strstr(text, begin);
    const char *after = start != NULL ? strstr(start + strlen(begin), line) : NULL;
    const char *finish = after != NULL ? strstr(after + strlen(line), line) : NULL;

    *end_r = finish != NULL ? finish : end;
    return finish != NULL ? after + strlen(line) : text;
}

/* Base64 of DER, with or without the lines around it. */
static EVP_PKEY *read_base64(const char *text, size_t length)
{
    const char *end, *at = unwrap(text, text + length, &end);
    char *packed = mem_new(length + 3, 1);
    size_t npacked = 0, nbytes;
    unsigned char *bytes;
    EVP_PKEY *private_key = NULL;

    for (; at < end; at++)
        if (strchr(" \t\r\n", *at) == NULL)
            packed[npacked++] = *at;
    /* OpenDKIM does without the padding */
    while (npacked % 4 > 1)
        packed[npacked++] = '=';
    bytes = base64_decode(packed, &nbytes);
    if (bytes != NULL) {
        private_key = read_der(bytes, nbytes);
        free_wiped(bytes, nbytes);
    }
    free_wiped(packed, length + 3);
    return private_key;
}

static EVP_PKEY *read_rsa(const unsigned char *bytes, long length)
{
    const unsigned char *at = bytes;

    return d2i_PrivateKey(EVP_PKEY_RSA, NULL, &at, length);
}

/* PKCS #8 with an RSA key in it. */
static EVP_PKEY *read_wrapped_rsa(const unsigned char *bytes, long length)
{
    const unsigned char *at = bytes, *inner;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, length);
    const ASN1_OBJECT *algorithm;
    EVP_PKEY *private_key = NULL;
    int ninner;

    if (info != NULL && PKCS8_pkey_get0(&algorithm, &inner, &ninner, NULL, info) == 1 &&
        OBJ_obj2nid(algorithm) == NID_rsaEncryption)
        private_key = read_rsa(inner, ninner);
    PKCS8_PRIV_KEY_INFO_free(info);
    return private_key;
}

/* The usual file, several times faster than by OpenSSL's search for what it could be: sites have
 * thousands of them. */
static EVP_PKEY *read_usual_pem(const char *text, size_t length, char **pem_r)
{
    static const struct {
        const char *name;
        EVP_PKEY *(*read)(const unsigned char *bytes, long length);
    } kinds[] = {{PEM_STRING_PKCS8INF, read_wrapped_rsa}, {PEM_STRING_RSA, read_rsa}};
    BIO *memory = BIO_new_mem_buf(text, (int)length);
    char *name = NULL, *header = NULL;
    unsigned char *bytes = NULL;
    long nbytes = 0;
    EVP_PKEY *private_key = NULL;

    if (memory != NULL && PEM_read_bio(memory, &name, &header, &bytes, &nbytes) == 1)
        for (size_t i = 0; i < COUNT_OF(kinds) && header[0] == '\0' && private_key == NULL; i++)
            if (strcmp(name, kinds[i].name) == 0)
                private_key = kinds[i].read(bytes, nbytes);
    if (private_key != NULL)
        *pem_r = wrap(name, bytes, nbytes);
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_clear_free(bytes, (size_t)nbytes);
    BIO_free(memory);
    return private_key;
}

static EVP_PKEY *read_pem(const char *text, size_t length)
{
    BIO *memory = BIO_new_mem_buf(text, (int)length);
    EVP_PKEY *private_key = NULL;

    if (memory != NULL)
        private_key = PEM_read_bio_PrivateKey(memory, NULL, no_passphrase, NULL);
    BIO_free(memory);
    return private_key;
}

/* pem_r gets the text in one fixed form where it is known. */
static EVP_PKEY *read_any(const char *text, size_t length, char **pem_r)
{
    EVP_PKEY *private_key = read_usual_pem(text, length, pem_r);

    if (private_key == NULL)
        private_key = read_pem(text, length);
    if (private_key == NULL)
        private_key = read_base64(text, length);
    if (private_key == NULL)
        private_key = read_der((const unsigned char *)text, length);
    return private_key;
}

enum key_trouble key_parse(const char *text, size_t length, struct key *key_r, char **problem_r)
{
    enum key_trouble trouble = KEY_NOT_USABLE;
    struct key key = {0};
    char *problem = NULL;

    if (length > KEY_FILE_MAX) {
        problem = mem_print("is larger than %d octets", KEY_FILE_MAX);
        goto done;
    }
    key.private_key = read_any(text, length, &key.pem);
    if (key.private_key == NULL) {
        problem = mem_copy("holds no private key in PEM form without a passphrase");
        goto done;
    }
    key.bits = (unsigned)EVP_PKEY_bits(key.private_key);
    problem = check_key(&key, &trouble);
    if (trouble == KEY_TOO_SHORT)
        key_r->bits = key.bits;
    if (problem != NULL)
        goto done;
    if (key.pem == NULL)
        key.pem = write_pem(key.private_key);
    if (key.pem == NULL) {
        trouble = KEY_NOT_USABLE;
        problem = mem_copy("holds a key that OpenSSL reads but does not write");
        goto done;
    }
    key_cache_keep(key.pem, key.private_key);
    *key_r = key;
    key = (struct key){0};
done:
    if (key.pem != NULL)
        free_wiped(key.pem, strlen(key.pem));
    EVP_PKEY_free(key.private_key);
    /* OpenSSL's queue of errors belongs to the thread; nobody else will look at ours. */
    ERR_clear_error();
    if (problem != NULL)
        *problem_r = problem;
    return trouble;
}

/* --- its file ------------------------------------------------------------------------- */

/* At most size octets, or -1: errno says why. */
static ssize_t read_all(int descriptor, char *bytes, size_t size)
{
    size_t length = 0;
    ssize_t got = 1;

    while (got != 0 && length < size) {
        got = read(descriptor, bytes + length, size - length);
        if (got < 0 && errno != EINTR)
            return -1;
        length += got > 0 ? (size_t)got : 0;
    }
    return (ssize_t)length;
}

enum key_trouble key_read(const char *path, struct key *key_r, char **problem_r)
{
    enum key_trouble trouble = KEY_NOT_OPENED;
    /* one more than is allowed tells that there is more, and one ends the text */
    char *bytes = mem_new(KEY_FILE_MAX + 2, 1), *problem = NULL;
    ssize_t length = -1;
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (descriptor >= 0) {
        problem = check_file(descriptor, &trouble);
        if (problem != NULL)
            goto done;
        length = read_all(descriptor, bytes, KEY_FILE_MAX + 1);
    }
    if (length < 0) {
        trouble = errno == EACCES || errno == EPERM ? KEY_NOT_PERMITTED : KEY_NOT_OPENED;
        problem = mem_print("cannot be opened: %s", strerror(errno));
        goto done;
    }
    trouble = key_parse(bytes, (size_t)length, key_r, &problem);
done:
    if (descriptor >= 0)
        close(descriptor);
    free_wiped(bytes, KEY_FILE_MAX + 2);
    if (problem != NULL)
        *problem_r = problem;
    return trouble;
}

char *key_remedy(enum key_trouble trouble, const char *path, const char *problem,
                 const char *domain, const char *selector)
{
    if (trouble == KEY_EXPOSED)
        return mem_print("%s %s: chmod 0640 %s, then reload; where others may have read it, make a "
                         "new key under a new selector: sluicectl keygen %s",
                         path, problem, path, domain);
    if (trouble == KEY_TOO_SHORT)
        return mem_print("%s %s: make an RSA key of %d bits under a new selector: sluicectl keygen "
                         "%s; retire %s",
                         path, problem, KEY_BITS_GOOD, domain, selector);
    if (trouble == KEY_NOT_PERMITTED)
        return mem_print("%s %s: let root or the daemon's group read it (chmod 0640 %s), then "
                         "reload",
                         path, problem, path);
    if (trouble == KEY_NOT_OPENED)
        return mem_print("%s %s: put the key of %s there, or make one: sluicectl keygen %s", path,
                         problem, domain, domain);
    return mem_print("%s %s: put a PEM file with an RSA or Ed25519 key without a passphrase there, "
                     "or make one: sluicectl keygen %s",
                     path, problem, domain);
}

void key_share(const struct key *from, struct key *key_r)
{
    EVP_PKEY_up_ref(from->private_key);
    key_cache_keep(from->pem, from->private_key);
    *key_r = (struct key){mem_copy(from->pem), from->private_key, from->algorithm, from->bits};
}

bool key_is_weak(const struct key *key)
{
    return key->private_key != NULL && key->algorithm == KEY_RSA && key->bits < KEY_BITS_GOOD;
}

const char *key_algorithm_name(enum key_algorithm algorithm)
{
    return algorithm == KEY_RSA ? "rsa" : "ed25519";
}

void key_clear(struct key *key)
{
    if (key->pem != NULL) {
        key_cache_forget(key->pem);
        OPENSSL_cleanse(key->pem, strlen(key->pem));
        free(key->pem);
    }
    EVP_PKEY_free(key->private_key);
    *key = (struct key){0};
}
