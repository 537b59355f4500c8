/* SPDX-License-Identifier: BSD-2-Clause */
#include "tests/lib/auth/signed.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/lib/auth/keys.h"
#include "tests/support/conf_text.h"

#include <opendkim/dkim.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

char *signed_folder, *signed_key_path, *signed_shared_path, *signed_ed25519_path;
static char *rsa_record, *ed25519_record;
static struct conf_login_rule equal_rule = {.kind = LOGIN_EQUAL};
static struct conf *defaults;
static struct conf_sign sections[SIGNED_SECTIONS];
struct conf signed_conf;

int signed_set_up(void **state)
{
    EVP_PKEY *key = keys_make_rsa(2048), *ed25519_key = keys_make_ed25519();

    (void)state;
    signed_folder = keys_folder();
    signed_key_path = keys_write(signed_folder, "good.pem", key, "", 0600);
    signed_shared_path = keys_write(signed_folder, "shared.pem", key, "", 0644);
    signed_ed25519_path = keys_write(signed_folder, "ed25519.pem", ed25519_key, "", 0600);
    rsa_record = keys_record(key);
    ed25519_record = keys_record(ed25519_key);
    EVP_PKEY_free(key);
    EVP_PKEY_free(ed25519_key);
    sections[0] = (struct conf_sign){.domain = (char *)"example.com",
                                     .selector = (char *)"s1",
                                     .key = signed_key_path,
                                     SIGNED_FORM};
    sections[1] = (struct conf_sign){.domain = (char *)"open.example",
                                     .selector = (char *)"s1",
                                     .key = signed_shared_path,
                                     SIGNED_FORM};
    sections[2] = (struct conf_sign){.domain = (char *)"two.example",
                                     .selector = (char *)"s1",
                                     .key = signed_key_path,
                                     SIGNED_FORM};
    sections[3] = (struct conf_sign){.domain = (char *)"two.example",
                                     .selector = (char *)"e1",
                                     .key = signed_ed25519_path,
                                     SIGNED_FORM};
    sections[4] = (struct conf_sign){.domain = (char *)"two.example",
                                     .selector = (char *)"open",
                                     .key = signed_shared_path,
                                     SIGNED_FORM};
    sections[5] = (struct conf_sign){.domain = (char *)"ed25519.example",
                                     .selector = (char *)"e1",
                                     .key = signed_ed25519_path,
                                     SIGNED_FORM};
    defaults = conf_of("");
    signed_conf = (struct conf){
        .sign_headers = defaults->sign_headers,
        .oversign_headers = defaults->oversign_headers,
        .signs = sections,
        .nsigns = COUNT_OF(sections),
        .login_rules = &equal_rule,
        .nlogin_rules = 1,
        .recipient_delimiter = (char *)"+",
    };
    return 0;
}

int signed_tear_down(void **state)
{
    (void)state;
    conf_release(&defaults);
    free(signed_key_path);
    free(signed_shared_path);
    free(signed_ed25519_path);
    free(rsa_record);
    free(ed25519_record);
    keys_remove_folder(&signed_folder);
    return 0;
}

/* --- a message and its signature ------------------------------------------------------ */

/* headers: "Name: value" lines, folded with LF as MTAs hand them over. */
struct message *signed_message(const char *user, const char *headers)
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

struct signature *signed_make(struct signer *signer, const struct message *message,
                              const char *body, const char **reason_r)
{
    struct signature *signature = signature_begin(signer, &signed_conf, message, reason_r);

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
char *signed_value(struct signer *signer, const struct message *message, const char *body,
                   const char **reason_r)
{
    struct signature *signature = signed_make(signer, message, body, reason_r);
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

bool signed_verifies(const struct message *message, const char *value, const char *body)
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

struct signer *signed_signer(void)
{
    char *problem = NULL;
    struct signer *signer = signer_new(&signed_conf, NULL, &problem);

    assert_non_null(signer);
    return signer;
}

/* Calls check with a signer for example.com that has an RSA key, and one that has an Ed25519 key.
 */
void signed_with_each_key(void (*check)(struct signer *signer))
{
    struct conf_sign section = {.domain = (char *)"example.com",
                                .selector = (char *)"e1",
                                .key = signed_ed25519_path,
                                SIGNED_FORM};
    struct conf ed25519_conf = {
        .signs = &section,
        .nsigns = 1,
        .sign_headers = defaults->sign_headers,
        .oversign_headers = defaults->oversign_headers,
    };
    char *problem = NULL;
    struct signer *signer = signed_signer();

    check(signer);
    signer_release(&signer);
    signer = signer_new(&ed25519_conf, NULL, &problem);
    assert_non_null(signer);
    check(signer);
    signer_release(&signer);
}
