/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/auth/key_make.h"
#include "lib/auth/key.h"
#include "lib/auth/key_cache.h"
#include "lib/base/count.h"
#include "tests/lib/auth/keys.h"

#include "lib/base/mem.h"

#include <openssl/bio.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static EVP_PKEY *rsa;
static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = keys_folder();
    rsa = keys_make_rsa(1024);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa);
    keys_remove_folder(&folder);
    return 0;
}

/* problem: a part of what is said about the file, NULL when it is good. */
static void check_read(const char *name, const char *path, const char *problem)
{
    struct key key = {0};
    char *said = NULL;
    enum key_trouble trouble = key_read(path, &key, &said);
    bool read = trouble == KEY_FINE;

    if (read != (problem == NULL) || (said != NULL && strstr(said, problem) == NULL))
        fail_msg("%s: %s", name, said != NULL ? said : "was read");
    if (trouble == KEY_NOT_PERMITTED)
        fail_msg("%s: not permitted", name);
    if ((trouble == KEY_EXPOSED) != (said != NULL && strstr(said, "(mode ") != NULL) ||
        (trouble == KEY_TOO_SHORT) != (said != NULL && strstr(said, " bits") != NULL) ||
        (trouble == KEY_NOT_OPENED) != (said != NULL && strstr(said, "opened") != NULL))
        fail_msg("%s: trouble %d", name, (int)trouble);
    if (read && (key.bits != 1024 || strncmp(key.pem, "-----BEGIN", 10) != 0))
        fail_msg("%s: %u bits, %.10s", name, key.bits, key.pem);
    free(said);
    key_clear(&key);
}

static void test_key_modes(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
        const char *problem;
    } cases[] = {
        {"owner only", 0400, NULL},
        {"owner writes", 0600, NULL},
        {"group reads", 0640, NULL},
        {"group writes", 0660, "by its group"},
        {"everybody reads", 0644, "by everybody (mode 0644)"},
        {"everybody writes", 0602, "by everybody"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *path = keys_write(folder, "key.pem", rsa, "", cases[i].mode);

        check_read(cases[i].name, path, cases[i].problem);
        free(path);
    }
}

static void test_key_contents(void **state)
{
    static const char encrypted[] = "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIIB\n"
                                    "-----END ENCRYPTED PRIVATE KEY-----\n";
    EVP_PKEY *small = keys_make_rsa(768), *ec = EVP_EC_gen("P-256");
    char *long_text = mem_new(KEY_FILE_MAX + 2, 1);
    char *paths[] = {
        keys_write(folder, "preface.pem", rsa, "A comment\nbefore it\n", 0600),
        keys_write(folder, "small.pem", small, "", 0600),
        keys_write(folder, "ec.pem", ec, "", 0600),
        keys_write_text(folder, "encrypted.pem", encrypted, 0600),
        keys_write_text(folder, "empty.pem", "", 0600),
        keys_write_text(folder, "long.pem", memset(long_text, 'x', KEY_FILE_MAX + 1), 0600),
        mem_print("%s/absent.pem", folder),
        mem_copy(folder),
        mem_copy("/dev/null"),
    };
    static const char *const problems[] = {
        NULL,           "768 bits",     "neither an RSA key", "no private key",  "no private key",
        "larger than ", "No such file", "no regular file",    "no regular file",
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(paths); i++) {
        check_read(paths[i], paths[i], problems[i]);
        free(paths[i]);
    }
    free(long_text);
    EVP_PKEY_free(small);
    EVP_PKEY_free(ec);
}

/* DER, its base64, and PEM on one line, which OpenDKIM's tables allow. */
static void test_key_forms(void **state)
{
    unsigned char *der = NULL;
    const int length = i2d_PrivateKey(rsa, &der);
    char *base64 = mem_new((size_t)length * 2, 1), *path = mem_print("%s/key.der", folder);
    FILE *file = fopen(path, "w");
    size_t packed;

    (void)state;
    assert_int_equal(fwrite(der, 1, (size_t)length, file), (size_t)length);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(path, 0600), 0);
    check_read("DER", path, NULL);
    packed = (size_t)EVP_EncodeBlock((unsigned char *)base64, der, length);
    const struct {
        const char *name;
        char *text;
        const char *problem;
    } cases[] = {
        {"base64", mem_copy(base64), NULL},
        {"base64 with a line end", mem_print("%s\r\n", base64), NULL},
        {"base64 in lines", mem_print("%.64s\n%.64s\n%s", base64, base64 + 64, base64 + 128), NULL},
        {"base64 without padding", mem_copy_n(base64, strcspn(base64, "=")), NULL},
        {"PEM on a line",
         mem_print("-----BEGIN PRIVATE KEY-----%s-----END PRIVATE KEY-----", base64), NULL},
        {"base64 cut", mem_copy_n(base64, packed / 2), "no private key"},
        {"PEM without its end", mem_print("-----BEGIN PRIVATE KEY-----%s", base64),
         "no private key"},
        {"begin alone", mem_copy("-----BEGIN "), "no private key"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *written = keys_write_text(folder, "key.b64", cases[i].text, 0600);

        check_read(cases[i].name, written, cases[i].problem);
        free(written);
        free(cases[i].text);
    }
    OPENSSL_free(der);
    free(base64);
    free(path);
}

/* What a PEM file may hold beside or in place of the usual form. */
static void test_key_pem(void **state)
{
    BIO *memory = BIO_new(BIO_s_mem());
    char *pem, *text, *path;
    long length;
    const struct {
        const char *name, *preface, *problem;
    } cases[] = {
        {"RSA PRIVATE KEY", "", NULL},
        {"behind another block", "-----BEGIN X509 CRL-----\nAAAA\n-----END X509 CRL-----\n", NULL},
        {"behind a broken key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
         "no private key"},
    };

    (void)state;
    assert_int_equal(PEM_write_bio_PrivateKey_traditional(memory, rsa, NULL, NULL, 0, NULL, NULL),
                     1);
    length = BIO_get_mem_data(memory, &pem);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        text = mem_print("%s%.*s", cases[i].preface, (int)length, pem);
        path = keys_write_text(folder, "key.pem", text, 0600);
        check_read(cases[i].name, path, cases[i].problem);
        free(path);
        free(text);
    }
    BIO_free(memory);
    /* with a passphrase, in both forms */
    for (int traditional = 0; traditional < 2; traditional++) {
        memory = BIO_new(BIO_s_mem());
        assert_int_equal(
            (traditional ? PEM_write_bio_PrivateKey_traditional : PEM_write_bio_PrivateKey)(
                memory, rsa, EVP_aes_128_cbc(), (const unsigned char *)"secret", 6, NULL, NULL),
            1);
        length = BIO_get_mem_data(memory, &pem);
        text = mem_copy_n(pem, (size_t)length);
        path = keys_write_text(folder, "key.pem", text, 0600);
        check_read("passphrase", path, "no private key");
        free(path);
        free(text);
        BIO_free(memory);
    }
}

static void test_key_algorithms(void **state)
{
    static const struct {
        unsigned rsa_bits; /* 0: Ed25519 */
        const char *name;
        bool weak;
    } cases[] = {
        {1024, "rsa", true}, {2047, "rsa", true}, {2048, "rsa", false}, {0, "ed25519", false}};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        EVP_PKEY *made =
            cases[i].rsa_bits > 0 ? keys_make_rsa(cases[i].rsa_bits) : keys_make_ed25519();
        char *path = keys_write(folder, "key.pem", made, "", 0600), *problem = NULL;
        struct key key = {0};

        assert_int_equal(key_read(path, &key, &problem), KEY_FINE);
        assert_string_equal(key_algorithm_name(key.algorithm), cases[i].name);
        assert_int_equal(key_is_weak(&key), cases[i].weak);
        key_clear(&key);
        free(path);
        EVP_PKEY_free(made);
    }
}

/* What is made can be read, and its record is the public half of it. */
static void test_key_make(void **state)
{
    static const enum key_algorithm algorithms[] = {KEY_RSA, KEY_ED25519};

    (void)state;
    for (size_t i = 0; i < COUNT_OF(algorithms); i++) {
        EVP_PKEY *made = key_make(algorithms[i]);
        char *path = mem_print("%s/made/a%zu.pem", folder, i), *problem = NULL;
        char *want, *record;
        struct key key = {0};
        struct stat status;

        assert_non_null(made);
        assert_true(key_write(made, path, &problem));
        assert_int_equal(stat(path, &status), 0);
        assert_int_equal(status.st_mode & 07777, 0600);
        assert_int_equal(key_read(path, &key, &problem), KEY_FINE);
        assert_int_equal(key.algorithm, algorithms[i]);
        assert_false(key_is_weak(&key));
        want = keys_record(key.private_key);
        record = key_record(made);
        assert_string_equal(record, want);
        assert_false(key_write(made, path, &problem));
        assert_non_null(strstr(problem, "File exists"));
        free(problem);
        assert_false(key_write(made, "/proc/nowhere/example.com/s.pem", &problem));
        assert_non_null(strstr(problem, "cannot make /proc/nowhere: "));
        assert_int_equal(unlink(path), 0);
        free(problem);
        free(want);
        free(record);
        free(path);
        key_clear(&key);
        EVP_PKEY_free(made);
    }
    char *made_folder = mem_print("%s/made", folder);

    assert_int_equal(rmdir(made_folder), 0);
    free(made_folder);
}

static EVP_PKEY *parse(const char *pem)
{
    BIO *memory = BIO_new_mem_buf(pem, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL);
    char c;

    assert_int_equal(BIO_read(memory, &c, 1) > 0, 0);
    BIO_free(memory);
    return key;
}

static void test_key_cache(void **state)
{
    struct key first = {0}, second = {0};
    char *path = keys_write(folder, "key.pem", rsa, "", 0600), *problem = NULL, *pem;
    uint64_t parses;
    EVP_PKEY *got;

    (void)state;
    if (!key_cache_works)
        skip();
    assert_int_equal(key_read(path, &first, &problem), KEY_FINE);
    key_share(&first, &second);
    pem = mem_copy(first.pem);
    parses = key_cache_parses();
    got = parse(pem);
    assert_ptr_equal(got, first.private_key);
    EVP_PKEY_free(got);
    key_clear(&first);
    got = parse(pem); /* the other holder still keeps it */
    assert_ptr_equal(got, second.private_key);
    assert_int_equal(key_cache_parses(), parses);
    EVP_PKEY_free(got);
    key_clear(&second);
    got = parse(pem); /* nobody does: OpenSSL's own */
    assert_non_null(got);
    assert_int_equal(key_cache_parses(), parses + 1);
    EVP_PKEY_free(got);
    free(pem);
    free(path);
}

/* What is not for the cache goes to OpenSSL as it is. */
static void test_key_cache_passes_on(void **state)
{
    struct key key = {0};
    char *path = keys_write(folder, "key.pem", rsa, "", 0600), *problem = NULL;
    EVP_PKEY *got = NULL;
    BIO *memory;

    (void)state;
    assert_int_equal(key_read(path, &key, &problem), KEY_FINE);
    memory = BIO_new_mem_buf(key.pem, -1);
    assert_non_null(PEM_read_bio_PrivateKey(memory, &got, NULL, NULL));
    assert_non_null(got);
    assert_ptr_not_equal(got, key.private_key);
    EVP_PKEY_free(got);
    BIO_free(memory);
    memory = BIO_new_mem_buf("no key", -1);
    assert_null(PEM_read_bio_PrivateKey(memory, NULL, NULL, NULL));
    BIO_free(memory);
    key_clear(&key);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_modes),      cmocka_unit_test(test_key_contents),
        cmocka_unit_test(test_key_forms),      cmocka_unit_test(test_key_pem),
        cmocka_unit_test(test_key_algorithms), cmocka_unit_test(test_key_make),
        cmocka_unit_test(test_key_cache),      cmocka_unit_test(test_key_cache_passes_on),
    };

    return cmocka_run_group_tests_name("key", tests, set_up, tear_down);
}
