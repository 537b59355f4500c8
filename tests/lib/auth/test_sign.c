/* SPDX-License-Identifier: BSD-2-Clause */
/* Signatures are judged by libopendkim's verifier, which is told the public key. */
#include "lib/auth/key_cache.h"
#include "lib/auth/sign.h"
#include "tests/lib/auth/keys.h"

#include "lib/base/mem.h"
#include "lib/base/text.h"

#include <opendkim/dkim.h>
#include <pthread.h>
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

#define THREADS 4
#define SIGNATURES 10

static char *folder, *key_path, *shared_path, *ed25519_path;
static char *rsa_record, *ed25519_record;
static struct conf_login_rule equal_rule = {.kind = LOGIN_EQUAL};
static struct conf_sign sections[6];
static struct conf conf;

static int set_up(void **state)
{
    EVP_PKEY *key = keys_make_rsa(2048), *ed25519_key = keys_make_ed25519();

    (void)state;
    folder = keys_folder();
    key_path = keys_write(folder, "good.pem", key, "", 0600);
    shared_path = keys_write(folder, "shared.pem", key, "", 0644);
    ed25519_path = keys_write(folder, "ed25519.pem", ed25519_key, "", 0600);
    rsa_record = keys_record(key);
    ed25519_record = keys_record(ed25519_key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ed25519_key);
    sections[0] = (struct conf_sign){
        .domain = (char *)"example.com", .selector = (char *)"s1", .key = key_path};
    sections[1] = (struct conf_sign){
        .domain = (char *)"open.example", .selector = (char *)"s1", .key = shared_path};
    sections[2] = (struct conf_sign){
        .domain = (char *)"two.example", .selector = (char *)"s1", .key = key_path};
    sections[3] = (struct conf_sign){
        .domain = (char *)"two.example", .selector = (char *)"e1", .key = ed25519_path};
    sections[4] = (struct conf_sign){
        .domain = (char *)"two.example", .selector = (char *)"open", .key = shared_path};
    sections[5] = (struct conf_sign){
        .domain = (char *)"ed25519.example", .selector = (char *)"e1", .key = ed25519_path};
    conf = (struct conf){
        .signs = sections,
        .nsigns = sizeof(sections) / sizeof(sections[0]),
        .login_rules = &equal_rule,
        .nlogin_rules = 1,
        .recipient_delimiter = (char *)"+",
    };
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(key_path);
    free(shared_path);
    free(ed25519_path);
    free(rsa_record);
    free(ed25519_record);
    keys_remove_folder(&folder);
    return 0;
}

/* --- a message and its signature ------------------------------------------------------ */

/* headers: "Name: value" lines, folded with LF as MTAs hand them over. */
static struct message *make_message(const char *user, const char *headers)
{
    struct message *message = message_new(PROGRAM_MILTER, "mx.example.com");
    char *copy = mem_copy(headers), *field = copy;

    message_set_user(message, user);
    message->direction = DIRECTION_OUT;
    while (*field != '\0') {
        char *end = field, *colon = strchr(field, ':');

        do
            end = strchr(end, '\n') + 1;
        while (*end == ' ' || *end == '\t');
        end[-1] = '\0';
        *colon = '\0';
        message_add_header(message, field, colon + 1);
        field = end;
    }
    free(copy);
    return message;
}

static struct signature *make_signature(struct signer *signer, const struct message *message,
                                        const char *body, const char **reason_r)
{
    struct signature *signature = signature_begin(signer, &conf, message, reason_r);

    if (signature == NULL)
        return NULL;
    /* octet by octet: MTAs cut where they like */
    for (const char *c = body; *c != '\0'; c++)
        (void)signature_body(signature, c, 1);
    if (!signature_end(signature, reason_r))
        signature_free(&signature);
    return signature;
}

/* The one value. */
static char *sign(struct signer *signer, const struct message *message, const char *body,
                  const char **reason_r)
{
    struct signature *signature = make_signature(signer, message, body, reason_r);
    char *value = NULL;

    if (signature != NULL) {
        value = mem_copy(signature_value(signature, 0));
        assert_null(signature_value(signature, 1));
    }
    signature_free(&signature);
    return value;
}

static DKIM_CBSTAT give_record(DKIM *dkim, DKIM_SIGINFO *info, unsigned char *buffer, size_t room)
{
    const char *record =
        strcmp((const char *)dkim_sig_getselector(info), "e1") == 0 ? ed25519_record : rsa_record;

    (void)dkim;
    assert_true(strlen(record) < room);
    memcpy(buffer, record, strlen(record) + 1);
    return DKIM_CBSTAT_CONTINUE;
}

static void add_field(DKIM *dkim, const char *name, const char *value)
{
    struct text field = TEXT_EMPTY;

    text_print(&field, "%s:", name);
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            text_add_char(&field, '\r');
        text_add_char(&field, *value);
    }
    assert_int_equal(dkim_header(dkim, (u_char *)field.bytes, field.length), DKIM_STAT_OK);
    text_free(&field);
}

static bool verifies(const struct message *message, const char *value, const char *body)
{
    DKIM_LIB *library = dkim_init(NULL, NULL);
    DKIM_STAT status;
    DKIM *dkim = dkim_verify(library, (const u_char *)"test", NULL, &status);

    assert_non_null(dkim);
    (void)dkim_set_key_lookup(library, give_record);
    add_field(dkim, "DKIM-Signature", value);
    for (size_t i = 0; i < message->nheaders; i++)
        add_field(dkim, message->headers[i].name, message->headers[i].value);
    status = dkim_eoh(dkim);
    if (status == DKIM_STAT_OK && body[0] != '\0')
        status = dkim_body(dkim, (u_char *)(uintptr_t)body, strlen(body));
    if (status == DKIM_STAT_OK)
        status = dkim_eom(dkim, NULL);
    dkim_free(dkim);
    dkim_close(library);
    return status == DKIM_STAT_OK;
}

static struct signer *open_signer(void)
{
    char *problem = NULL;
    struct signer *signer = signer_new(&conf, NULL, &problem);

    assert_non_null(signer);
    return signer;
}

/* Calls check with a signer for example.com that has an RSA key, and one that has an Ed25519 key.
 */
static void with_each_key(void (*check)(struct signer *signer))
{
    struct conf_sign section = {
        .domain = (char *)"example.com", .selector = (char *)"e1", .key = ed25519_path};
    struct conf ed25519_conf = {.signs = &section, .nsigns = 1};
    char *problem = NULL;
    struct signer *signer = open_signer();

    check(signer);
    signer_release(&signer);
    signer = signer_new(&ed25519_conf, NULL, &problem);
    assert_non_null(signer);
    check(signer);
    signer_release(&signer);
}

/* --- tests ---------------------------------------------------------------------------- */

#define FROM "From: Alice <alice@example.com>\n"
#define USUAL                                                                                      \
    FROM "To: bob@example.net\nSubject: hello\nDate: Thu, 1 Jan 2026 00:00:00 +0000\nMessage-ID: " \
         "<1@x>\n"

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

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message *message = make_message("alice@example.com", cases[i].headers);
        const char *reason = "";
        char *value = sign(signer, message, cases[i].body, &reason);

        if (value == NULL)
            fail_msg("%s: %s", cases[i].name, reason);
        if (!verifies(message, value, cases[i].body))
            fail_msg("%s: does not verify: %s", cases[i].name, value);
        if (verifies(message, value, "Other.\r\n"))
            fail_msg("%s: verifies with another body", cases[i].name);
        free(value);
        message_free(&message);
    }
}

static void test_sign_verifies(void **state)
{
    (void)state;
    with_each_key(check_verifies);
}

/* Receivers see the line end that the MTA adds. */
static void test_sign_ends_last_line(void **state)
{
    struct signer *signer = open_signer();
    struct message *message = make_message("alice@example.com", USUAL);
    const char *reason = "";
    char *value = sign(signer, message, "Hello.", &reason);

    (void)state;
    assert_non_null(value);
    assert_true(verifies(message, value, "Hello.\r\n"));
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

    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message *message = make_message("alice@example.com", cases[i].headers);
        const char *reason = "";
        char *value = sign(signer, message, "Hello.\r\n", &reason);

        assert_non_null(value);
        message_add_header(message, cases[i].field, cases[i].value);
        if (verifies(message, value, "Hello.\r\n") == cases[i].breaks)
            fail_msg("%s", cases[i].name);
        free(value);
        message_free(&message);
    }
}

static void test_sign_covers(void **state)
{
    (void)state;
    with_each_key(check_covers);
}

static void test_sign_value(void **state)
{
    struct signer *signer = open_signer();
    struct message *message = make_message("alice@example.com", USUAL);
    const char *reason = "";
    struct signature *signature = make_signature(signer, message, "Hello.\r\n", &reason);
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
    struct signer *signer = open_signer();
    struct message *message = make_message("a@two.example", headers);
    const char *reason = "";
    struct signature *signature = make_signature(signer, message, "Hello.\r\n", &reason);

    (void)state;
    assert_non_null(signature);
    /* the key that all can read is left out */
    assert_string_equal(signature_names(signature), "s1/two.example,e1/two.example");
    assert_non_null(strstr(signature_value(signature, 0), "a=rsa-sha256;"));
    assert_non_null(strstr(signature_value(signature, 1), "a=ed25519-sha256;"));
    assert_null(signature_value(signature, 2));
    for (size_t n = 0; n < 2; n++) {
        assert_true(verifies(message, signature_value(signature, n), "Hello.\r\n"));
        assert_false(verifies(message, signature_value(signature, n), "Other.\r\n"));
    }
    message_add_header(message, "Subject", "three");
    for (size_t n = 0; n < 2; n++)
        assert_false(verifies(message, signature_value(signature, n), "Hello.\r\n"));
    signature_free(&signature);
    message_free(&message);
    signer_release(&signer);
}

static void test_sign_ed25519_alone(void **state)
{
    struct signer *signer = open_signer();
    struct message *message = make_message("a@ed25519.example", "From: a@ed25519.example\n");
    const char *reason = "";
    char *value = sign(signer, message, "Hello.\r\n", &reason);

    (void)state;
    assert_non_null(value);
    assert_true(verifies(message, value, "Hello.\r\n"));
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
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message *message = make_message("a@two.example", headers);
        struct signature *signature;
        struct signer *signer;
        const char *reason = "";

        conf.sign_canonicalization = cases[i].canon;
        conf.sign_expire_ms = 7 * 86400 * INT64_C(1000);
        signer = open_signer();
        signature = make_signature(signer, message, "Hello.\r\n\r\n", &reason);
        assert_non_null(signature);
        for (size_t n = 0; n < 2; n++) {
            /* MTAs put a space before the value */
            char *value = mem_print(" %s", signature_value(signature, n));

            if (strstr(value, cases[i].tag) == NULL || !verifies(message, value, "Hello.\r\n"))
                fail_msg("%s: %s", cases[i].tag, value);
            if (verifies(message, value, "Hello. \r\n") != cases[i].trailing_blank)
                fail_msg("%s: trailing blank: %s", cases[i].tag, value);
            if (number_of(value, "x=") - number_of(value, "t=") != INT64_C(7) * 86400)
                fail_msg("%s: expiry: %s", cases[i].tag, value);
            free(value);
        }
        signature_free(&signature);
        signer_release(&signer);
        message_free(&message);
    }
    conf.sign_canonicalization = CANON_RELAXED_RELAXED;
    conf.sign_expire_ms = 0;
}

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
    struct signer *signer = open_signer();

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message *message = make_message(cases[i].user, cases[i].headers);
        const char *reason = NULL;
        char *value = sign(signer, message, "Hello.\r\n", &reason);

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
    char *value = sign(signer, message, "", &reason);

    if (value != NULL || strcmp(reason, want) != 0)
        fail_msg("%s: %s", name, value != NULL ? value : reason);
    message_free(&message);
}

static void test_sign_refuses_more(void **state)
{
    struct signer *signer = open_signer();
    struct message *inbound = make_message("", USUAL);
    struct message *cut = make_message("", USUAL);
    struct message *cut_elsewhere = make_message("", "From: a@example.org\n");
    struct message *many = make_message("", USUAL);

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

/* A header of more than libopendkim's strings hold at once is signed all the same. */
static void check_long_header(struct signer *signer)
{
    struct message *message = make_message("alice@example.com", USUAL);
    struct text to = TEXT_EMPTY;
    const char *reason = "";
    char *value;

    for (int i = 0; i < 5000; i++)
        text_print(&to, " recipient%d@example.net,\n", i);
    text_add_string(&to, " last@example.net");
    message_add_header(message, "Cc", text_string(&to));
    value = sign(signer, message, "Hello.\r\n", &reason);
    if (value == NULL)
        fail_msg("%s", reason);
    assert_true(verifies(message, value, "Hello.\r\n"));
    free(value);
    text_free(&to);
    message_free(&message);
}

static void test_sign_long_header(void **state)
{
    (void)state;
    with_each_key(check_long_header);
}

static void test_sign_notes(void **state)
{
    EVP_PKEY *weak = keys_make_rsa(1024);
    char *path = keys_write(folder, "weak.pem", weak, "", 0600), *problem = NULL;
    struct conf_sign weak_section = {
        .domain = (char *)"weak.example", .selector = (char *)"s1", .key = path};
    struct conf weak_conf = {.signs = &weak_section, .nsigns = 1};
    struct signer *signer = open_signer(), *weak_signer = signer_new(&weak_conf, NULL, &problem);
    struct signer_note note;

    (void)state;
    assert_true(signer_note(signer, 0, &note));
    assert_string_equal(note.domain, "example.com");
    assert_null(note.problem);
    assert_false(note.weak);
    assert_int_equal(note.bits, 2048);
    assert_true(signer_note(signer, 1, &note));
    assert_string_equal(note.domain, "open.example");
    assert_string_equal(note.path, shared_path);
    assert_non_null(strstr(note.problem, "everybody"));
    assert_true(signer_note(signer, 5, &note));
    assert_string_equal(note.domain, "ed25519.example");
    assert_null(note.problem);
    assert_false(note.weak);
    assert_false(signer_note(signer, sizeof(sections) / sizeof(sections[0]), &note));
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
    struct conf_sign section = {.domain = (char *)"example.com", .selector = (char *)"s1"};
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
    section.key = mem_print("%s/reload.pem", folder);
    assert_int_equal(link(key_path, section.key), 0);
    before = signer_new(&reload_conf, NULL, &problem);
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(seteuid(65534), 0);
    after = signer_new(&reload_conf, before, &problem);
    assert_int_equal(seteuid(0), 0);
    signer_release(&before);
    assert_true(signer_note(after, 0, &note));
    assert_null(note.problem);
    assert_true(note.kept);
    message = make_message("", USUAL);
    value = sign(after, message, "Hello.\r\n", &reason);
    assert_non_null(value);
    assert_true(verifies(message, value, "Hello.\r\n"));
    free(value);
    message_free(&message);
    signer_release(&after);
    free(section.key);
}

static void *sign_some(void *context)
{
    struct message *message = make_message("alice@example.com", USUAL);
    size_t verified = 0;

    for (size_t i = 0; i < SIGNATURES; i++) {
        const char *reason = "";
        char *value = sign(context, message, "Hello.\r\n", &reason);

        verified += value != NULL && verifies(message, value, "Hello.\r\n");
        free(value);
    }
    message_free(&message);
    return (void *)(uintptr_t)verified;
}

/* Threads share a signer, and with it a key that is parsed once, not for every signature. */
static void test_sign_threads(void **state)
{
    struct signer *signer = open_signer();
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
        cmocka_unit_test(test_sign_reasons),
        cmocka_unit_test(test_sign_forms),
        cmocka_unit_test(test_sign_refuses_more),
        cmocka_unit_test(test_sign_is_failure),
        cmocka_unit_test(test_sign_long_header),
        cmocka_unit_test(test_sign_notes),
        cmocka_unit_test(test_sign_keeps_key_at_reload),
        cmocka_unit_test(test_sign_threads),
        cmocka_unit_test(test_sign_with_several_keys),
        cmocka_unit_test(test_sign_ed25519_alone),
    };

    return cmocka_run_group_tests_name("sign", tests, set_up, tear_down);
}
