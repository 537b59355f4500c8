/* SPDX-License-Identifier: BSD-2-Clause */
/* Which mail is signed, and why other mail is not. */
#include "lib/auth/sign.h"
#include "lib/auth/verify.h"
#include "lib/base/count.h"
#include "tests/lib/auth/keys.h"
#include "tests/lib/auth/signed.h"

#include "lib/base/mem.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void test_sign_reasons(void **state)
{
    static const char ours[] =
        "DKIM-Signature: v=1; a=rsa-sha256; d=Example.COM; s=s1;\n\th=from; bh=x; b=x\n" USUAL;
    static const struct {
        const char *name, *user, *headers, *want;
    } cases[] = {
        {"login's own", "alice@example.com", USUAL, NULL},
        {"subaddress", "alice@example.com", "From: alice+news@example.com\n", NULL},
        {"domain in capitals", "alice@example.com", "From: alice@EXAMPLE.com\n", NULL},
        {"trusted network", "", USUAL, NULL},
        {"another's address", "bob@example.com", USUAL, SIGN_NOT_ALLOWED},
        {"other domain", "alice@example.com", "From: alice@example.org\n", SIGN_NO_KEY},
        {"subdomain", "alice@example.com", "From: alice@sub.example.com\n", SIGN_NO_KEY},
        {"no From", "alice@example.com", "To: bob@example.net\n", SIGN_NO_FROM},
        {"empty From", "alice@example.com", "From:\n", SIGN_NO_FROM},
        {"broken From", "alice@example.com", "From: <<>\n", SIGN_NO_FROM},
        {"no domain", "alice@example.com", "From: alice\n", SIGN_NO_FROM},
        {"two fields", "alice@example.com", FROM FROM, SIGN_MANY_FROM},
        {"two addresses", "alice@example.com", "From: alice@example.com, bob@example.com\n",
         SIGN_MANY_FROM},
        {"key that all can read", "", "From: alice@open.example\n", SIGN_KEY_UNREADABLE},
        {"key that all can read, another's", "bob@open.example", "From: alice@open.example\n",
         SIGN_NOT_ALLOWED},
        {"signed before", "alice@example.com", ours, SIGN_ALREADY_SIGNED},
        {"empty signature", "alice@example.com", "DKIM-Signature: d=example.com; s=s1\n" USUAL,
         NULL},
        {"another domain's signature", "alice@example.com",
         "DKIM-Signature: v=1; d=example.org; s=s1; h=from; bh=x; b=x\n" USUAL, NULL},
        {"one of two keys has signed before", "a@two.example",
         "DKIM-Signature: v=1; d=two.example; s=e1; h=from; bh=x; b=x\nFrom: a@two.example\n",
         SIGN_ALREADY_SIGNED},
        {"other selector", "alice@example.com",
         "DKIM-Signature: v=1; d=example.com; s=s9; h=from; bh=x; b=x\n" USUAL, NULL},
    };
    struct signer *signer = signed_signer();

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = signed_message(cases[i].user, cases[i].headers);
        const char *reason = NULL;
        char *value = signed_value(signer, message, "Hello.\r\n", &reason);

        if ((value == NULL) != (cases[i].want != NULL) ||
            (value == NULL && strcmp(reason, cases[i].want) != 0))
            fail_msg("%s: %s", cases[i].name, value != NULL ? value : reason);
        free(value);
        message_free(&message);
    }
    signer_release(&signer);
}

static void check_refusal(const char *name, struct signer *signer, struct message *message,
                          const char *want)
{
    const char *reason = "";
    char *value = signed_value(signer, message, "", &reason);

    if (value != NULL || strcmp(reason, want) != 0)
        fail_msg("%s: %s", name, value != NULL ? value : reason);
    message_free(&message);
}

static void test_sign_refuses_more(void **state)
{
    struct signer *signer = signed_signer();
    struct message *inbound = signed_message("", USUAL);
    struct message *cut = signed_message("", USUAL);
    struct message *cut_elsewhere = signed_message("", "From: a@example.org\n");
    struct message *many = signed_message("", USUAL);

    (void)state;
    inbound->direction = DIRECTION_IN;
    check_refusal("inbound", signer, inbound, SIGN_INBOUND);
    cut->headers_cut = true;
    check_refusal("cut", signer, cut, SIGN_HEADERS_CUT);
    cut_elsewhere->headers_cut = true;
    check_refusal("cut, but not ours", signer, cut_elsewhere, SIGN_NO_KEY);
    for (size_t i = 0; i < 500; i++)
        message_add_header(many, "References", " <x@y>");
    check_refusal("more names than libopendkim signs", signer, many, SIGN_HEADERS_CUT);
    signer_release(&signer);
}

static void test_sign_is_failure(void **state)
{
    (void)state;
    assert_true(sign_is_failure(SIGN_ERROR));
    assert_true(sign_is_failure(SIGN_KEY_UNREADABLE));
    assert_true(sign_is_failure(SIGN_HEADERS_CUT));
    assert_false(sign_is_failure(SIGN_NO_KEY));
    assert_false(sign_is_failure(SIGN_ALREADY_SIGNED));
}

static void test_sign_notes(void **state)
{
    EVP_PKEY *weak = keys_make_rsa(1024);
    char *path = keys_write(signed_folder, "weak.pem", weak, "", 0600), *problem = NULL;
    struct conf_sign weak_section = {
        .domain = (char *)"weak.example", .selector = (char *)"s1", .key = path};
    struct conf weak_conf = {.signs = &weak_section, .nsigns = 1};
    struct signer *signer = signed_signer(), *weak_signer = signer_new(&weak_conf, NULL, &problem);
    struct signer_note note;

    (void)state;
    assert_true(signer_note(signer, 0, &note));
    assert_string_equal(note.domain, "example.com");
    assert_null(note.problem);
    assert_false(note.weak);
    assert_int_equal(note.bits, 2048);
    assert_true(signer_note(signer, 1, &note));
    assert_string_equal(note.domain, "open.example");
    assert_string_equal(note.path, signed_shared_path);
    assert_non_null(strstr(note.problem, "everybody"));
    assert_true(signer_note(signer, 5, &note));
    assert_string_equal(note.domain, "ed25519.example");
    assert_null(note.problem);
    assert_false(note.weak);
    assert_false(signer_note(signer, SIGNED_SECTIONS, &note));
    assert_true(signer_note(weak_signer, 0, &note));
    assert_true(note.weak);
    signer_release(&signer);
    signer_release(&weak_signer);
    EVP_PKEY_free(weak);
    free(path);
}

/* After a reload the daemon is no longer root. */
static void test_sign_keeps_key_at_reload(void **state)
{
    struct conf_sign section = {
        .domain = (char *)"example.com", .selector = (char *)"s1", SIGNED_FORM};
    struct conf reload_conf = {.signs = &section, .nsigns = 1};
    char *problem = NULL;
    struct signer *before, *after;
    struct signer_note note;
    struct message *message;
    const char *reason = "";
    char *value;

    (void)state;
    if (geteuid() != 0)
        skip();
    section.key = mem_print("%s/reload.pem", signed_folder);
    assert_int_equal(link(signed_key_path, section.key), 0);
    before = signer_new(&reload_conf, NULL, &problem);
    assert_int_equal(chmod(signed_folder, 0700), 0);
    assert_int_equal(seteuid(65534), 0);
    after = signer_new(&reload_conf, before, &problem);
    assert_int_equal(seteuid(0), 0);
    signer_release(&before);
    assert_true(signer_note(after, 0, &note));
    assert_null(note.problem);
    assert_true(note.kept);
    message = signed_message("", USUAL);
    value = signed_value(after, message, "Hello.\r\n", &reason);
    assert_non_null(value);
    assert_true(signed_verifies(message, value, "Hello.\r\n"));
    free(value);
    message_free(&message);
    signer_release(&after);
    free(section.key);
}

/* Only what is broken for good is made again. */
static void test_sign_again(void **state)
{
    static const struct {
        const char *name;
        const char *domain, *selector;
        enum verify_status status;
        const char *syntax;
        const char *more; /* the selector of a second one, which passes; NULL: there is none */
        bool broken;
    } cases[] = {
        {"broken", "example.com", "s1", VERIFY_FAIL, NULL, NULL, true},
        {"any case", "Example.COM", "S1", VERIFY_FAIL, NULL, NULL, true},
        {"no syntax", "example.com", "s1", VERIFY_PERMERROR, "no h=", NULL, true},
        {"no key published", "example.com", "s1", VERIFY_PERMERROR, NULL, NULL, false},
        {"DNS fails", "example.com", "s1", VERIFY_TEMPERROR, NULL, NULL, false},
        {"passes", "example.com", "s1", VERIFY_PASS, NULL, NULL, false},
        {"another selector", "example.com", "s2", VERIFY_FAIL, NULL, NULL, false},
        {"another domain", "example.org", "s1", VERIFY_FAIL, NULL, NULL, false},
        {"one of two passes", "example.com", "s1", VERIFY_FAIL, NULL, "s1", false},
        {"another one passes", "example.com", "s1", VERIFY_FAIL, NULL, "s9", true},
    };
    struct signer *signer = signed_signer();
    struct message *message = signed_message(
        "alice@example.com", "DKIM-Signature: v=1; d=example.com; s=s1; h=from; bh=x; b=x\n" USUAL);
    const char *reason = "";
    struct signature *signature;

    (void)state;
    assert_null(signature_begin(signer, &signed_conf, message, &reason));
    assert_string_equal(reason, SIGN_ALREADY_SIGNED);
    signature = signature_begin_again(signer, &signed_conf, message);
    assert_non_null(signature);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct verify_signature found[2] = {
            {.signature = {.domain = (char *)(uintptr_t)cases[i].domain,
                           .selector = (char *)(uintptr_t)cases[i].selector,
                           .problem = cases[i].syntax},
             .status = cases[i].status},
            {.signature = {.domain = (char *)(uintptr_t) "example.com",
                           .selector = (char *)(uintptr_t)cases[i].more},
             .status = VERIFY_PASS},
        };
        const struct verify verify = {.signatures = found, .count = cases[i].more != NULL ? 2 : 1};

        if (verify_finds_broken(&verify, signature) != cases[i].broken)
            fail_msg("%s", cases[i].name);
    }
    signature_free(&signature);
    message_free(&message);
    signer_release(&signer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sign_again),        cmocka_unit_test(test_sign_reasons),
        cmocka_unit_test(test_sign_refuses_more), cmocka_unit_test(test_sign_is_failure),
        cmocka_unit_test(test_sign_notes),        cmocka_unit_test(test_sign_keeps_key_at_reload),
    };

    return cmocka_run_group_tests_name("sign_reasons", tests, signed_set_up, signed_tear_down);
}
