/* SPDX-License-Identifier: BSD-2-Clause */
/* Published keys are parsed once, and strangers' do not pile up. */
#include "lib/auth/public_keys.h"

#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define ED25519_BYTES 32

static void number_key(unsigned char bytes_r[ED25519_BYTES], unsigned number)
{
    memset(bytes_r, 0, ED25519_BYTES);
    memcpy(bytes_r, &number, sizeof(number));
}

static void get_ed25519(unsigned number)
{
    unsigned char bytes[ED25519_BYTES];
    EVP_PKEY *key;

    number_key(bytes, number);
    key = public_keys_get(DKIM_KEY_ED25519, bytes, sizeof(bytes));
    assert_non_null(key);
    EVP_PKEY_free(key);
}

static void test_parsed_once(void **state)
{
    EVP_PKEY *pair = EVP_RSA_gen(1024), *first, *second;
    unsigned char *der = NULL;
    int length = i2d_PUBKEY(pair, &der);
    uint64_t before = public_keys_parses();

    (void)state;
    assert_true(length > 0);
    first = public_keys_get(DKIM_KEY_RSA, der, (size_t)length);
    second = public_keys_get(DKIM_KEY_RSA, der, (size_t)length);
    assert_int_equal(EVP_PKEY_eq(first, pair), 1);
    assert_ptr_equal(first, second);
    assert_int_equal(public_keys_parses(), before + 1);
    EVP_PKEY_free(first);
    EVP_PKEY_free(second);
    EVP_PKEY_free(pair);
    OPENSSL_free(der);
}

/* The same octets as another type are another key, and what is none is not kept. */
static void test_types(void **state)
{
    unsigned char bytes[ED25519_BYTES];
    uint64_t before = public_keys_parses();

    (void)state;
    number_key(bytes, 7);
    get_ed25519(7);
    assert_null(public_keys_get(DKIM_KEY_RSA, bytes, sizeof(bytes)));
    assert_null(public_keys_get(DKIM_KEY_RSA, bytes, sizeof(bytes)));
    assert_null(public_keys_get(DKIM_KEY_ED25519, bytes, sizeof(bytes) - 1));
    assert_null(public_keys_get(DKIM_KEY_ED25519, bytes, 0));
    get_ed25519(7);
    assert_int_equal(public_keys_parses(), before + 5);
}

static void test_bounded(void **state)
{
    uint64_t before;

    (void)state;
    get_ed25519(1000);
    before = public_keys_parses();
    for (unsigned i = 0; i < PUBLIC_KEYS_MAX; i++) {
        get_ed25519(2000 + i);
        get_ed25519(1000); /* one that is in use stays */
    }
    assert_int_equal(public_keys_parses(), before + PUBLIC_KEYS_MAX);
    get_ed25519(2000); /* the oldest had to go */
    assert_int_equal(public_keys_parses(), before + PUBLIC_KEYS_MAX + 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parsed_once),
        cmocka_unit_test(test_types),
        cmocka_unit_test(test_bounded),
    };

    return cmocka_run_group_tests_name("public_keys", tests, NULL, NULL);
}
