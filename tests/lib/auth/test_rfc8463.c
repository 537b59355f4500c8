/* SPDX-License-Identifier: BSD-2-Clause */
/* The example of RFC 8463, appendix A, octet by octet: Ed25519 leaves no choice, so that the key,
 * our canonical forms and its message must give its signature. */
#include "ctl/mail.h"
#include "lib/auth/ed25519.h"
#include "lib/auth/verify.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/lib/auth/signing.h"
#include "tests/lib/auth/zone.h"

#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define SIGNED_SEC INT64_C(1528637909)
#define SEED "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="
#define PUBLIC "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="
#define RSA_PUBLIC                                                                                 \
    "MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDkHlOQoBTzWRiGs5V6NpP3idY6Wk08a5qhdR6wy5bdOKb2jLQi"     \
    "Y/J16JYi0Qvx/byYzCNb3W91y3FutACDfzwQ/BC/e/8uBsCR+yz1Lxj+PL6lHvqMKrM3rG4hstT5QjvHO9PzoxZyV"    \
    "YLzBfO2EeC3Ip3G+2kryOTIKT+l/K4w3QIDAQAB"
#define SIGNATURE                                                                                  \
    "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11BusFa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw=="
#define BODY_HASH "2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8="

#define ED25519_FIELD                                                                              \
    " v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n"                                               \
    " d=football.example.com; i=@football.example.com;\r\n"                                        \
    " q=dns/txt; s=brisbane; t=1528637909; h=from : to :\r\n"                                      \
    " subject : date : message-id : from : subject : date;\r\n"                                    \
    " bh=" BODY_HASH ";\r\n"                                                                       \
    " b="
#define MESSAGE                                                                                    \
    "DKIM-Signature:" ED25519_FIELD "/gCrinpcQOoIfuHNQIbq4pgh9kyIK3AQUdt9OdqQehSwhEIug4D11Bus\r\n" \
    " Fa3bT3FY5OsU7ZbnKELq+eXdp1Q1Dw==\r\n"                                                        \
    "DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n"                                    \
    " d=football.example.com; i=@football.example.com;\r\n"                                        \
    " q=dns/txt; s=test; t=1528637909; h=from : to : subject :\r\n"                                \
    " date : message-id : from : subject : date;\r\n"                                              \
    " bh=" BODY_HASH ";\r\n"                                                                       \
    " b=F45dVWDfMbQDGHJFlXUNB2HKfbCeLRyhDXgFpEL8GwpsRe0IeIixNTe3\r\n"                              \
    " DhCVlUrSjV4BwcVcOF6+FF3Zo9Rpo1tFOeS9mPYQTnGdaSGsgeefOsk2Jz\r\n"                              \
    " dA+L10TeYt9BgDfQNZtKdN1WO//KgIqXP7OdEFE4LjFYNcUxZQ4FADY+8=\r\n" HEADERS "\r\n" BODY
#define HEADERS                                                                                    \
    "From: Joe SixPack <joe@football.example.com>\r\n"                                             \
    "To: Suzie Q <suzie@shopping.example.net>\r\n"                                                 \
    "Subject: Is dinner ready?\r\n"                                                                \
    "Date: Fri, 11 Jul 2003 21:00:37 -0700 (PDT)\r\n"                                              \
    "Message-ID: <20030712040037.46341.5F8J@football.example.com>\r\n"
#define BODY "Hi.\r\n\r\nWe lost the game.  Are you hungry yet?\r\n\r\nJoe.\r\n"

static EVP_PKEY *seed_key(void)
{
    unsigned char seed[48];

    assert_int_equal(EVP_DecodeBlock(seed, (const unsigned char *)SEED, sizeof(SEED) - 1), 33);
    return EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, 32);
}

static void add(struct text *text, const struct mail *mail, const char *name)
{
    const struct header *header = message_header(mail->message, name, 0);

    dkim_canon_field(DKIM_RELAXED, header->name, header->value, text);
    text_add_string(text, "\r\n");
}

static void test_octets(void **state)
{
    static const char *const names[] = {"From", "To", "Subject", "Date", "Message-ID"};
    EVP_PKEY *key = seed_key();
    struct text text = TEXT_EMPTY;
    struct mail mail;
    char *public, *signature;

    (void)state;
    mail_parse(MESSAGE, strlen(MESSAGE), &mail);
    for (size_t i = 0; i < COUNT_OF(names); i++)
        add(&text, &mail, names[i]);
    dkim_canon_field(DKIM_RELAXED, "DKIM-Signature", ED25519_FIELD, &text);
    public = signing_public_key(key);
    signature = signing_sign(key, EVP_sha256(), text_string(&text));
    assert_string_equal(public, PUBLIC);
    assert_string_equal(signature, SIGNATURE);
    free(public);
    free(signature);
    text_free(&text);
    mail_free(&mail);
    EVP_PKEY_free(key);
}

static void test_body_hash(void **state)
{
    struct dkim_body body = {.canon = DKIM_RELAXED};
    size_t index = dkim_body_want(&body, EVP_sha256(), DKIM_BODY_ALL);
    unsigned char hash[EVP_MAX_MD_SIZE], encoded[2 * EVP_MAX_MD_SIZE];

    (void)state;
    dkim_body_add(&body, BODY, strlen(BODY));
    dkim_body_end(&body);
    assert_int_equal(dkim_body_hash(&body, index, hash), 32);
    (void)EVP_EncodeBlock(encoded, hash, 32);
    assert_string_equal((char *)encoded, BODY_HASH);
    dkim_body_clear(&body);
}

static bool learn(const struct lookup *lookup, void *context)
{
    return verify_learn_keys(context, lookup);
}

static void check_message(const char *text, int64_t now_sec, size_t count, enum verify_status want)
{
    struct zone *zone = zone_new();
    struct verify *verify;
    struct mail mail;

    zone_add(zone, "brisbane._domainkey.football.example.com", "TXT",
             "v=DKIM1; k=ed25519; p=" PUBLIC);
    zone_add(zone, "test._domainkey.football.example.com", "TXT", "v=DKIM1; k=rsa; p=" RSA_PUBLIC);
    mail_parse(text, strlen(text), &mail);
    verify = verify_new(mail.message, false, now_sec);
    verify_body(verify, mail.body, mail.body_length);
    verify_body_end(verify);
    (void)zone_run(zone, false, learn, verify);
    verify_judge(verify);
    assert_int_equal(verify->count, count);
    for (size_t i = 0; i < count; i++)
        if (verify->signatures[i].status != want)
            fail_msg("signature %zu: %s", i, verify->signatures[i].problem);
    verify_free(&verify);
    mail_free(&mail);
    zone_free(&zone);
}

static void test_verifies(void **state)
{
    char *changed = mem_copy(MESSAGE);

    (void)state;
    check_message(MESSAGE, SIGNED_SEC, 2, VERIFY_PASS);
    *strchr(strstr(changed, "Is dinner"), 'd') = 'D';
    check_message(changed, SIGNED_SEC, 2, VERIFY_FAIL);
    free(changed);
}

/* Our own signature with that key verifies under its record. */
static void test_ours(void **state)
{
    const struct strings all = {.items = (char *[]){(char *)"Subject"}, .count = 1};
    EVP_PKEY *key = seed_key();
    struct fields fields;
    struct ed25519_form form = {DKIM_RELAXED, DKIM_RELAXED, 0, &fields};
    struct ed25519 *signature;
    struct mail mail;
    struct text text = TEXT_EMPTY;
    char *value;

    (void)state;
    fields_make(&all, &all, &fields);
    mail_parse(HEADERS "\r\n" BODY, strlen(HEADERS "\r\n" BODY), &mail);
    signature = ed25519_begin(key, "football.example.com", "brisbane", NULL, mail.message, &form);
    ed25519_body(signature, BODY, strlen(BODY));
    value = ed25519_end(signature);
    ed25519_free(&signature);
    assert_non_null(value);
    assert_non_null(strstr(value, "bh=" BODY_HASH));
    text_add_string(&text, "DKIM-Signature: ");
    for (const char *c = value; *c != '\0'; c++)
        text_add_string(&text, *c == '\n' ? "\r\n" : (char[]){*c, '\0'});
    text_add_string(&text, "\r\n" HEADERS "\r\n" BODY);
    check_message(text_string(&text), (int64_t)time(NULL), 1, VERIFY_PASS);
    text_free(&text);
    free(value);
    fields_clear(&fields);
    mail_free(&mail);
    EVP_PKEY_free(key);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_octets),
        cmocka_unit_test(test_body_hash),
        cmocka_unit_test(test_verifies),
        cmocka_unit_test(test_ours),
    };

    return cmocka_run_group_tests_name("rfc8463", tests, NULL, NULL);
}
