/* SPDX-License-Identifier: BSD-2-Clause */
/* What signatures say and cover. */
#include "lib/auth/key_cache.h"
#include "lib/auth/sign.h"
#include "lib/base/count.h"
#include "tests/lib/auth/signed.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define THREADS 4
#define SIGNATURES 10

static void check_verifies(struct signer *signer)
{
    static const struct {
        const char *name, *headers, *body;
    } cases[] = {
        {"usual", USUAL, "Hello.\r\n"},
        {"only From", FROM, "Hello.\r\n"},
        {"no body", USUAL, ""},
        {"blank lines only", USUAL, "\r\n\r\n"},
        {"trailing blanks", USUAL, "Hello. \t \r\n\r\n\r\n"},
        {"folded", "Subject: a\n\tb\n  c\n" USUAL, "Hello.\r\n"},
        {"repeated", "To: a@example.net\nCc: x@example.net\nCc: y@example.net\n" USUAL,
         "Hello.\r\n"},
        {"no space after the colon", "From:alice@example.com\nSubject:\n", "Hello.\r\n"},
        {"not ASCII", "Subject: gr\xc3\xbc\xc3\x9f\x65\n" USUAL, "\xff\xfe\r\n"},
        {"names in odd case", "FROM: alice@example.com\nsubject: x\nmessage-id: <1@x>\nDATE: x\n",
         "Hello.\r\n"},
        {"MIME", USUAL "MIME-Version: 1.0\nContent-Type: text/plain;\n\tcharset=utf-8\n",
         "Hello.\r\n"},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = signed_message("alice@example.com", cases[i].headers);
        const char *reason = "";
        char *value = signed_value(signer, message, cases[i].body, &reason);

        if (value == NULL)
            fail_msg("%s: %s", cases[i].name, reason);
        if (!signed_verifies(message, value, cases[i].body))
            fail_msg("%s: does not verify: %s", cases[i].name, value);
        if (signed_verifies(message, value, "Other.\r\n"))
            fail_msg("%s: signed_verifies with another body", cases[i].name);
        free(value);
        message_free(&message);
    }
}

static void test_sign_verifies(void **state)
{
    (void)state;
    signed_with_each_key(check_verifies);
}

/* Receivers see the line end that the MTA adds. */
static void test_sign_ends_last_line(void **state)
{
    struct signer *signer = signed_signer();
    struct message *message = signed_message("alice@example.com", USUAL);
    const char *reason = "";
    char *value = signed_value(signer, message, "Hello.", &reason);

    (void)state;
    assert_non_null(value);
    assert_true(signed_verifies(message, value, "Hello.\r\n"));
    free(value);
    message_free(&message);
    signer_release(&signer);
}

/* What is added to a signed message: the signature breaks where a reader would be fooled. */
static void check_covers(struct signer *signer)
{
    static const struct {
        const char *name, *headers, *field, *value;
        bool breaks;
    } cases[] = {
        {"second From", USUAL, "From", " Mallory <mallory@example.org>", true},
        {"second Subject", USUAL, "Subject", " other", true},
        {"second To", USUAL, "To", " c@example.net", true},
        {"Cc where there was none", USUAL, "Cc", " c@example.net", true},
        {"Reply-To where there was none", USUAL, "Reply-To", " m@example.org", true},
        {"Content-Type where there was none", USUAL, "Content-Type", " text/html", true},
        {"second Date", USUAL, "Date", " x", true},
        {"second Message-ID", USUAL, "Message-ID", " <2@x>", true},
        {"Date and Message-ID where they lack", FROM, "Date", " x", false},
        {"Message-ID where it lacks", FROM "Date: x\n", "Message-ID", " <2@x>", false},
        {"a trace field", USUAL, "Received", " from x by y; z", false},
        {"a list's field", USUAL, "List-Id", " <x.example.org>", false},
        {"Sender", USUAL, "Sender", " list@example.org", false},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = signed_message("alice@example.com", cases[i].headers);
        const char *reason = "";
        char *value = signed_value(signer, message, "Hello.\r\n", &reason);

        assert_non_null(value);
        message_add_header(message, cases[i].field, cases[i].value);
        if (signed_verifies(message, value, "Hello.\r\n") == cases[i].breaks)
            fail_msg("%s", cases[i].name);
        free(value);
        message_free(&message);
    }
}

static void test_sign_covers(void **state)
{
    (void)state;
    signed_with_each_key(check_covers);
}

static void test_sign_value(void **state)
{
    struct signer *signer = signed_signer();
    struct message *message = signed_message("alice@example.com", USUAL);
    const char *reason = "";
    struct signature *signature = signed_make(signer, message, "Hello.\r\n", &reason);
    const char *value = signature_value(signature, 0);

    (void)state;
    assert_string_equal(signature_names(signature), "s1/example.com");
    assert_true(strncmp(value, "v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.com; s=s1;", 58) ==
                0);
    assert_null(strchr(value, '\r'));
    assert_null(strstr(value, " l="));
    for (const char *line = value; (line = strchr(line, '\n')) != NULL; line++)
        assert_int_equal(line[1], '\t');
    signature_free(&signature);
    message_free(&message);
    signer_release(&signer);
}

/* RFC 8463 section 3: one signature each, and each stands by itself. */
static void test_sign_with_several_keys(void **state)
{
    static const char headers[] = "From: a@two.example\nSubject: two\nDate: x\n";
    struct signer *signer = signed_signer();
    struct message *message = signed_message("a@two.example", headers);
    const char *reason = "";
    struct signature *signature = signed_make(signer, message, "Hello.\r\n", &reason);

    (void)state;
    assert_non_null(signature);
    /* the key that all can read is left out */
    assert_string_equal(signature_names(signature), "s1/two.example,e1/two.example");
    assert_non_null(strstr(signature_value(signature, 0), "a=rsa-sha256;"));
    assert_non_null(strstr(signature_value(signature, 1), "a=ed25519-sha256;"));
    assert_null(signature_value(signature, 2));
    for (size_t n = 0; n < 2; n++) {
        assert_true(signed_verifies(message, signature_value(signature, n), "Hello.\r\n"));
        assert_false(signed_verifies(message, signature_value(signature, n), "Other.\r\n"));
    }
    message_add_header(message, "Subject", "three");
    for (size_t n = 0; n < 2; n++)
        assert_false(signed_verifies(message, signature_value(signature, n), "Hello.\r\n"));
    signature_free(&signature);
    message_free(&message);
    signer_release(&signer);
}

static void test_sign_ed25519_alone(void **state)
{
    struct signer *signer = signed_signer();
    struct message *message = signed_message("a@ed25519.example", "From: a@ed25519.example\n");
    const char *reason = "";
    char *value = signed_value(signer, message, "Hello.\r\n", &reason);

    (void)state;
    assert_non_null(value);
    assert_true(signed_verifies(message, value, "Hello.\r\n"));
    free(value);
    message_free(&message);
    signer_release(&signer);
}

/* The number in a tag, or -1. */
static int64_t number_of(const char *value, const char *tag)
{
    const char *found = value;

    while ((found = strstr(found + 1, tag)) != NULL)
        if (strchr(" \t", found[-1]) != NULL)
            return strtoll(found + strlen(tag), NULL, 10);
    return -1;
}

/* Every form with both kinds of keys: what it says, and what it survives. */
static void test_sign_forms(void **state)
{
    static const struct {
        enum conf_canonicalization canon;
        const char *tag;
        bool trailing_blank; /* survives one in the body */
    } cases[] = {
        {CANON_RELAXED_RELAXED, "c=relaxed/relaxed;", true},
        {CANON_RELAXED_SIMPLE, "c=relaxed/simple;", false},
        {CANON_SIMPLE_RELAXED, "c=simple/relaxed;", true},
        {CANON_SIMPLE_SIMPLE, "c=simple/simple;", false},
    };
    static const char headers[] = "From: a@two.example\nSubject:  a  b\nDate: x\n";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = signed_message("a@two.example", headers);
        struct signature *signature;
        struct signer *signer;
        const char *reason = "";

        signed_conf.sign_canonicalization = cases[i].canon;
        signed_conf.sign_expire_ms = 7 * 86400 * INT64_C(1000);
        signer = signed_signer();
        signature = signed_make(signer, message, "Hello.\r\n\r\n", &reason);
        assert_non_null(signature);
        for (size_t n = 0; n < 2; n++) {
            /* MTAs put a space before the value */
            char *value = mem_print(" %s", signature_value(signature, n));

            if (strstr(value, cases[i].tag) == NULL ||
                !signed_verifies(message, value, "Hello.\r\n"))
                fail_msg("%s: %s", cases[i].tag, value);
            if (signed_verifies(message, value, "Hello. \r\n") != cases[i].trailing_blank)
                fail_msg("%s: trailing blank: %s", cases[i].tag, value);
            if (number_of(value, "x=") - number_of(value, "t=") != INT64_C(7) * 86400)
                fail_msg("%s: expiry: %s", cases[i].tag, value);
            free(value);
        }
        signature_free(&signature);
        signer_release(&signer);
        message_free(&message);
    }
    signed_conf.sign_canonicalization = CANON_RELAXED_RELAXED;
    signed_conf.sign_expire_ms = 0;
}

/* A header of more than libopendkim's strings hold at once is signed all the same. */
static void check_long_header(struct signer *signer)
{
    struct message *message = signed_message("alice@example.com", USUAL);
    struct text to = TEXT_EMPTY;
    const char *reason = "";
    char *value;

    for (int i = 0; i < 5000; i++)
        text_print(&to, " recipient%d@example.net,\n", i);
    text_add_string(&to, " last@example.net");
    message_add_header(message, "Cc", text_string(&to));
    value = signed_value(signer, message, "Hello.\r\n", &reason);
    if (value == NULL)
        fail_msg("%s", reason);
    assert_true(signed_verifies(message, value, "Hello.\r\n"));
    free(value);
    text_free(&to);
    message_free(&message);
}

/* libopendkim would take them for blanks, and other verifiers do not. */
static void test_sign_odd_blanks(void **state)
{
    static const struct {
        const char *name, *header, *canon;
    } cases[] = {
        {"tabs", "Subject: a\t \tb\n", "c=relaxed/relaxed;"},
        {"vertical tab", "Subject: a\vb\n", "c=simple/relaxed;"},
        {"form feed", "Subject:\fb\n", "c=simple/relaxed;"},
        {"in a field that is not signed", "X-Other: a\vb\n", "c=relaxed/relaxed;"},
    };
    struct signer *signer = signed_signer();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *headers = mem_print("%s%s", FROM, cases[i].header);
        struct message *message = signed_message("alice@example.com", headers);
        const char *reason = "";
        char *value = signed_value(signer, message, "a\vb\r\n", &reason);

        if (value == NULL || strstr(value, cases[i].canon) == NULL)
            fail_msg("%s: %s", cases[i].name, value != NULL ? value : reason);
        free(value);
        message_free(&message);
        free(headers);
    }
    signer_release(&signer);
}

static void test_sign_long_header(void **state)
{
    (void)state;
    signed_with_each_key(check_long_header);
}

static void *sign_some(void *context)
{
    struct message *message = signed_message("alice@example.com", USUAL);
    size_t verified = 0;

    for (size_t i = 0; i < SIGNATURES; i++) {
        const char *reason = "";
        char *value = signed_value(context, message, "Hello.\r\n", &reason);

        verified += value != NULL && signed_verifies(message, value, "Hello.\r\n");
        free(value);
    }
    message_free(&message);
    return (void *)(uintptr_t)verified;
}

/* Threads share a signer, and with it a key that is parsed once, not for every signature. */
static void test_sign_threads(void **state)
{
    struct signer *signer = signed_signer();
    uint64_t parses = key_cache_parses();
    pthread_t threads[THREADS];

    (void)state;
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, sign_some, signer), 0);
    for (size_t i = 0; i < THREADS; i++) {
        void *verified;

        assert_int_equal(pthread_join(threads[i], &verified), 0);
        assert_int_equal((uintptr_t)verified, SIGNATURES);
    }
    assert_int_equal(key_cache_parses(), parses);
    signer_release(&signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_verifies),
        cmocka_unit_test(test_sign_ends_last_line),
        cmocka_unit_test(test_sign_covers),
        cmocka_unit_test(test_sign_value),
        cmocka_unit_test(test_sign_with_several_keys),
        cmocka_unit_test(test_sign_ed25519_alone),
        cmocka_unit_test(test_sign_forms),
        cmocka_unit_test(test_sign_long_header),
        cmocka_unit_test(test_sign_odd_blanks),
        cmocka_unit_test(test_sign_threads),
    };

    return cmocka_run_group_tests_name("sign", tests, signed_set_up, signed_tear_down);
}
