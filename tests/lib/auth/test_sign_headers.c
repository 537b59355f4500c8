/* SPDX-License-Identifier: BSD-2-Clause */
/* Which header fields signatures cover as the configuration says. */
#include "lib/base/count.h"
#include "tests/lib/auth/signed.h"
#include "tests/support/conf_text.h"

#include "lib/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BODY "Hello.\r\n"
#define USUAL_TWO                                                                                  \
    "From: a@two.example\nTo: b@example.net\nSubject: x\nX-App: 1\nList-Unsubscribe: <mailto:u>\n" \
    "List-Unsubscribe-Post: List-Unsubscribe=One-Click\nSender: s@two.example\n"

/* A configuration with an RSA and an Ed25519 key for two.example; options: of the root, or in each
 * section. */
static struct conf *load(const char *options, const char *in_sections)
{
    char *text = mem_print("%s\nsign two.example { selector = s1 key = \"%s\" %s }\n"
                           "sign two.example { selector = e1 key = \"%s\" %s }\n",
                           options, signed_key_path, in_sections, signed_ed25519_path, in_sections);
    struct conf *conf = conf_of(text);

    free(text);
    return conf;
}

/* Whether both signatures of the usual message stand what is done to it: a field that is changed,
 * or, where it has none of that name, added. */
static bool stands(const struct conf *conf, const char *case_name, const char *field)
{
    char *problem = NULL;
    struct signer *signer = signer_new(conf, NULL, &problem);
    struct message *message = signed_message("", USUAL_TWO);
    const char *reason = "";
    struct signature *signature = signature_begin(signer, conf, message, &reason);
    bool stand[2];

    assert_non_null(signature);
    (void)signature_body(signature, BODY, strlen(BODY));
    assert_true(signature_end(signature, &reason));
    for (size_t n = 0; n < 2; n++)
        if (!signed_verifies(message, signature_value(signature, n), BODY))
            fail_msg("%s: %s", case_name, signature_value(signature, n));
    for (size_t i = 0; i < message->nheaders; i++)
        if (strcmp(message->headers[i].name, field) == 0)
            message->headers[i].value[1] ^= 1;
    if (message_header(message, field, 0) == NULL || *field == '+')
        message_add_header(message, field + (*field == '+'), " added");
    for (size_t n = 0; n < 2; n++)
        stand[n] = signed_verifies(message, signature_value(signature, n), BODY);
    if (stand[0] != stand[1])
        fail_msg("%s: RSA and Ed25519 differ", case_name);
    signature_free(&signature);
    message_free(&message);
    signer_release(&signer);
    return stand[0];
}

static void test_sign_headers(void **state)
{
    static const struct {
        const char *name, *options, *field;
        bool stands;
    } cases[] = {
        {"Subject is signed", "", "Subject", false},
        {"an unknown field is not", "", "X-App", true},
        {"what is chosen", "sign-headers = {X-App}", "X-App", false},
        {"what is not chosen", "sign-headers = {X-App} oversign-headers = {}", "Subject", true},
        {"a pattern", "sign-headers = {\"X-*\"}", "X-App", false},
        {"a pattern in another case", "sign-headers = {\"x-*\"}", "X-App", false},
        {"From always", "sign-headers = {} oversign-headers = {}", "From", false},
        {"one-click always", "sign-headers = {} oversign-headers = {}", "List-Unsubscribe-Post",
         false},
        {"oversigned is signed", "sign-headers = {} oversign-headers = {To}", "To", false},
        {"a second one of those", "sign-headers = {} oversign-headers = {To}", "+To", false},
        {"a second one of the signed", "sign-headers = {To} oversign-headers = {}", "+To", false},
        {"one where there was none", "oversign-headers = {Cc}", "Cc", false},
        {"signed alone does not forbid one", "sign-headers = {Cc} oversign-headers = {}", "Cc",
         true},
        {"no Date yet", "", "Date", true},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct conf *conf = load(cases[i].options, "");

        if (stands(conf, cases[i].name, cases[i].field) != cases[i].stands)
            fail_msg("%s", cases[i].name);
        conf_release(&conf);
    }
}

/* A section's own words go before those of all. */
static void test_sign_sections(void **state)
{
    static const struct {
        const char *name, *options, *section, *field;
        bool stands;
    } cases[] = {
        {"headers", "sign-headers = {Subject}", "headers = {X-App}", "X-App", false},
        {"not those of all", "sign-headers = {Sender} oversign-headers = {}", "headers = {X-App}",
         "Sender", true},
        {"oversigned", "oversign-headers = {}", "oversign-headers = {Reply-To}", "Reply-To", false},
        {"others as for all", "sign-headers = {X-App}", "expire = 3d", "X-App", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct conf *conf = load(cases[i].options, cases[i].section);

        if (stands(conf, cases[i].name, cases[i].field) != cases[i].stands)
            fail_msg("%s", cases[i].name);
        conf_release(&conf);
    }
}

static void check_form(const char *section, const char *canonicalization, bool expires)
{
    struct conf *conf = load("sign-canonicalization = \"simple/relaxed\" sign-expire = 0", section);
    char *problem = NULL;
    struct signer *signer = signer_new(conf, NULL, &problem);
    struct message *message = signed_message("", USUAL_TWO);
    const char *reason = "";
    struct signature *signature = signature_begin(signer, conf, message, &reason);

    assert_non_null(signature);
    assert_true(signature_end(signature, &reason));
    for (size_t n = 0; n < 2; n++) {
        const char *value = signature_value(signature, n);

        if (strstr(value, canonicalization) == NULL || (strstr(value, " x=") != NULL) != expires)
            fail_msg("%s: %s", section, value);
    }
    signature_free(&signature);
    message_free(&message);
    signer_release(&signer);
    conf_release(&conf);
}

static void test_sign_form_of_section(void **state)
{
    (void)state;
    check_form("", "c=simple/relaxed;", false);
    check_form("canonicalization = \"relaxed/simple\"", "c=relaxed/simple;", false);
    check_form("expire = 3d", "c=simple/relaxed;", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_headers),
        cmocka_unit_test(test_sign_sections),
        cmocka_unit_test(test_sign_form_of_section),
    };

    return cmocka_run_group_tests_name("sign_headers", tests, signed_set_up, signed_tear_down);
}
