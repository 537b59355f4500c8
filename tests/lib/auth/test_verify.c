/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Verification on messages that the test signs itself: it writes down the canonical forms by hand,
 * so that the code under test does not judge itself.
 */
#include "ctl/mail.h"
#include "lib/auth/verify.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/lib/auth/signing.h"
#include "tests/lib/auth/zone.h"

#include <openssl/rsa.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_SEC INT64_C(1700000000)
#define NAME "s1._domainkey.example.com"
#define IDN_NAME "s1._domainkey.xn--bcher-kva.example.com"

static EVP_PKEY *rsa2048, *rsa768, *ed25519;

static int make_keys(void **state)
{
    (void)state;
    rsa2048 = EVP_RSA_gen(2048);
    rsa768 = EVP_RSA_gen(768);
    ed25519 = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    return rsa2048 == NULL || rsa768 == NULL || ed25519 == NULL;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa2048);
    EVP_PKEY_free(rsa768);
    EVP_PKEY_free(ed25519);
    return 0;
}

/* --- rows ----------------------------------------------------------------------------- */

#define FROM "From: Joe <joe@example.com>\r\n"
#define FROM_SIGNED "from:Joe <joe@example.com>\r\n"
#define HEAD "v=1; a=rsa-sha256; d=example.com; s=s1; "
#define RELAXED "c=relaxed/relaxed; "
#define TAIL "h=from; bh=#; b="
#define RSA_RECORD "v=DKIM1; k=rsa; p=#"

struct row {
    const char *name;
    const char *want; /* "pass", or "status: problem" */
    const char *tags; /* # is the hash of the canonical body */
    const char *headers, *body; /* as they are sent; NULL: the usual */
    const char *canonical_headers, *canonical_body; /* as they are signed */
    const char *record; /* # is the key; NULL: the usual */
    const char *second; /* another record at the same name */
    EVP_PKEY **key; /* NULL: rsa2048 */
    bool sha1, simple;
};

static const struct row rows[] = {
    {.name = "relaxed", .want = "pass", .tags = HEAD RELAXED TAIL},
    {.name = "simple",
     .want = "pass",
     .tags = HEAD TAIL,
     .simple = true,
     .canonical_headers = FROM},
    {.name = "relaxed header white space",
     .want = "pass",
     .tags = HEAD RELAXED TAIL,
     .headers = "FROM \t:\t Joe\r\n\t  <joe@example.com>  \r\n"},
    {.name = "simple keeps white space",
     .want = "pass",
     .tags = HEAD TAIL,
     .simple = true,
     .headers = "From:  Joe\r\n <joe@example.com> \r\n",
     .canonical_headers = "From:  Joe\r\n <joe@example.com> \r\n"},
    {.name = "relaxed body white space",
     .want = "pass",
     .tags = HEAD RELAXED TAIL,
     .body = "a \t b \r\n\t\r\n  c\t\r\n \r\n\r\n",
     .canonical_body = "a b\r\n\r\n c\r\n"},
    {.name = "simple body",
     .want = "pass",
     .tags = HEAD "c=relaxed; " TAIL,
     .body = "a  b \r\n\r\n\r\n",
     .canonical_body = "a  b \r\n"},
    {.name = "empty body, relaxed",
     .want = "pass",
     .tags = HEAD RELAXED TAIL,
     .body = "",
     .canonical_body = ""},
    {.name = "blank body, relaxed",
     .want = "pass",
     .tags = HEAD RELAXED TAIL,
     .body = " \r\n\t\r\n  ",
     .canonical_body = ""},
    {.name = "empty body, simple",
     .want = "pass",
     .tags = HEAD "c=relaxed; " TAIL,
     .body = "",
     .canonical_body = "\r\n"},
    {.name = "no line end at the end",
     .want = "pass",
     .tags = HEAD RELAXED TAIL,
     .body = "a ",
     .canonical_body = "a\r\n"},
    {.name = "a bare CR is text",
     .want = "pass",
     .tags = HEAD RELAXED TAIL,
     .body = "a\rb \r\r\n",
     .canonical_body = "a\rb \r\r\n"},
    {.name = "from the bottom up",
     .want = "pass",
     .tags = HEAD RELAXED "h=from:x:x:x; bh=#; b=",
     .headers = "X: 1\r\nX: 2\r\n" FROM,
     .canonical_headers = FROM_SIGNED "x:2\r\nx:1\r\n"},
    {.name = "a field above those that are signed",
     .want = "pass",
     .tags = HEAD RELAXED "h=from:x; bh=#; b=",
     .headers = "X: 1\r\nX: 2\r\n" FROM,
     .canonical_headers = FROM_SIGNED "x:2\r\n"},
    {.name = "its own field",
     .want = "pass",
     .tags = HEAD RELAXED "h=from:dkim-signature; bh=#; b="},
    {.name = "oversigned field added",
     .want = "fail: the signature does not match",
     .tags = HEAD RELAXED "h=from:x:x; bh=#; b=",
     .headers = "X: 1\r\nX: 2\r\n" FROM,
     .canonical_headers = FROM_SIGNED "x:2\r\n"},
    {.name = "ed25519",
     .want = "pass",
     .key = &ed25519,
     .record = "k=ed25519; p=#",
     .tags = "v=1; a=ed25519-sha256; d=example.com; s=s1; " RELAXED TAIL},
    {.name = "changed header",
     .want = "fail: the signature does not match",
     .tags = HEAD RELAXED TAIL,
     .headers = "From: Jim <joe@example.com>\r\n"},
    {.name = "changed body",
     .want = "fail: the body has changed",
     .tags = HEAD RELAXED TAIL,
     .body = "other\r\n"},
    {.name = "ed25519, changed header",
     .want = "fail: the signature does not match",
     .key = &ed25519,
     .record = "k=ed25519; p=#",
     .tags = "v=1; a=ed25519-sha256; d=example.com; s=s1; " RELAXED TAIL,
     .headers = "From: Jim <joe@example.com>\r\n"},
    {.name = "rsa-sha1",
     .want = "permerror: rsa-sha1 is not accepted",
     .sha1 = true,
     .tags = "v=1; a=rsa-sha1; d=example.com; s=s1; " RELAXED TAIL},
    {.name = "short key",
     .want = "policy: the key is too short",
     .key = &rsa768,
     .tags = HEAD RELAXED TAIL},
    {.name = "l= of all", .want = "pass", .tags = HEAD RELAXED "l=6; " TAIL},
    {.name = "l= of a part",
     .want = "pass",
     .tags = HEAD RELAXED "l=3; " TAIL,
     .body = "hello\r\n",
     .canonical_body = "hel"},
    {.name = "l= beyond",
     .want = "permerror: l= is beyond the body",
     .tags = HEAD RELAXED "l=7; " TAIL},
    {.name = "l= that is huge",
     .want = "permerror: l= is beyond the body",
     .tags = HEAD RELAXED "l=99999999999999999999999999; " TAIL},
    {.name = "l= that is none",
     .want = "permerror: l= is no number",
     .tags = HEAD RELAXED "l=-1; " TAIL},
    {.name = "not expired", .want = "pass", .tags = HEAD RELAXED "t=1; x=1700000000; " TAIL},
    {.name = "expired",
     .want = "permerror: expired",
     .tags = HEAD RELAXED "t=1; x=1699999999; " TAIL},
    {.name = "x= before t=",
     .want = "permerror: expires before it is signed",
     .tags = HEAD RELAXED "t=1700000100; x=1700000099; " TAIL},
    {.name = "a fast clock", .want = "pass", .tags = HEAD RELAXED "t=1700000300; " TAIL},
    {.name = "in the future",
     .want = "permerror: signed in the future",
     .tags = HEAD RELAXED "t=1700000301; " TAIL},
    {.name = "i= of a subdomain",
     .want = "pass",
     .tags = HEAD RELAXED "i=joe+=40x@a.Example.com; " TAIL},
    {.name = "i= elsewhere",
     .want = "permerror: i= is not of d=",
     .tags = HEAD RELAXED "i=x@notexample.com; " TAIL},
    {.name = "i= above",
     .want = "permerror: i= is not of d=",
     .tags = HEAD RELAXED "i=x@com; " TAIL},
    {.name = "t=s and a subdomain",
     .want = "permerror: the key is not for subdomains",
     .tags = HEAD RELAXED "i=x@a.example.com; " TAIL,
     .record = "t=y:s; p=#"},
    {.name = "t=s and the domain",
     .want = "pass",
     .tags = HEAD RELAXED "i=x@EXAMPLE.com; " TAIL,
     .record = "t=s; p=#"},
    {.name = "t=s and the domain in another form",
     .want = "pass",
     .tags = "v=1; a=rsa-sha256; d=xn--bcher-kva.example.com; s=s1; " RELAXED "i=x@b\xc3\xbc"
             "cher.example.com; " TAIL,
     .record = "t=s; p=#"},
    {.name = "no v=",
     .want = "permerror: no v=",
     .tags = "a=rsa-sha256; d=example.com; s=s1; " RELAXED TAIL},
    {.name = "v=2",
     .want = "permerror: unknown version",
     .tags = "v=2; a=rsa-sha256; d=example.com; s=s1; " RELAXED TAIL},
    {.name = "no a=", .want = "permerror: no a=", .tags = "v=1; d=example.com; s=s1; " TAIL},
    {.name = "other a=",
     .want = "permerror: unknown algorithm",
     .tags = "v=1; a=rsa-sha512; d=example.com; s=s1; " TAIL},
    {.name = "no d=", .want = "permerror: no d=", .tags = "v=1; a=rsa-sha256; s=s1; " TAIL},
    {.name = "no s=",
     .want = "permerror: no s=",
     .tags = "v=1; a=rsa-sha256; d=example.com; " TAIL},
    {.name = "no h=", .want = "permerror: no h=", .tags = HEAD "bh=#; b="},
    {.name = "no bh=", .want = "permerror: no bh=", .tags = HEAD "h=from; b="},
    {.name = "short bh=", .want = "permerror: bh= is no hash", .tags = HEAD "h=from; bh=AAAA; b="},
    {.name = "From is not signed",
     .want = "permerror: From is not signed",
     .tags = HEAD "h=to:x-from; bh=#; b="},
    {.name = "empty name",
     .want = "permerror: an empty name in h=",
     .tags = HEAD "h=from::to; bh=#; b="},
    {.name = "other c=",
     .want = "permerror: unknown canonicalization",
     .tags = HEAD "c=relaxed/nofws; " TAIL},
    {.name = "other q=", .want = "permerror: unknown query method", .tags = HEAD "q=http; " TAIL},
    {.name = "q= with another", .want = "pass", .tags = HEAD RELAXED "q=http : dns/txt; " TAIL},
    {.name = "unknown tag", .want = "pass", .tags = HEAD RELAXED "zz=1; " TAIL},
    {.name = "a tag twice",
     .want = "permerror: the signature's syntax is wrong",
     .tags = HEAD "s=s1; " TAIL},
    {.name = "empty tag",
     .want = "permerror: the signature's syntax is wrong",
     .tags = HEAD "; " TAIL},
    {.name = "folded tags",
     .want = "pass",
     .tags = "v=1; a=rsa-sha256; d = example.com; s=s1; " RELAXED "h= from : to; bh=#; b="},
    {.name = "revoked",
     .want = "permerror: key revoked",
     .tags = HEAD RELAXED TAIL,
     .record = "v=DKIM1; p="},
    {.name = "no p=",
     .want = "permerror: no key in the record",
     .tags = HEAD RELAXED TAIL,
     .record = "v=DKIM1; k=rsa"},
    {.name = "not base64",
     .want = "permerror: the key in the record cannot be read",
     .tags = HEAD RELAXED TAIL,
     .record = "p=AAA"},
    {.name = "not a key",
     .want = "permerror: the key in the record cannot be read",
     .tags = HEAD RELAXED TAIL,
     .record = "p=AAAA"},
    {.name = "other service",
     .want = "permerror: the key is not for mail",
     .tags = HEAD RELAXED TAIL,
     .record = "s=tlsrpt; p=#"},
    {.name = "services",
     .want = "pass",
     .tags = HEAD RELAXED TAIL,
     .record = "s=tlsrpt : email; p=#"},
    {.name = "other hash",
     .want = "permerror: the key is not for this hash",
     .tags = HEAD RELAXED TAIL,
     .record = "h=sha1:sha512; p=#"},
    {.name = "hashes", .want = "pass", .tags = HEAD RELAXED TAIL, .record = "h=sha1:sha256; p=#"},
    {.name = "other type",
     .want = "permerror: the key is of another type",
     .key = &ed25519,
     .tags = HEAD RELAXED TAIL,
     .record = "k=ed25519; p=#"},
    {.name = "unknown type",
     .want = "permerror: the key is of an unknown type",
     .tags = HEAD RELAXED TAIL,
     .record = "k=dsa; p=#"},
    {.name = "other record",
     .want = "permerror: the record is no key record",
     .tags = HEAD RELAXED TAIL,
     .record = "v=DKIM2; p=#"},
    {.name = "v= is not first",
     .want = "permerror: the record is no key record",
     .tags = HEAD RELAXED TAIL,
     .record = "k=rsa; v=DKIM1; p=#"},
    {.name = "no record",
     .want = "permerror: no key is published",
     .tags = "v=1; a=rsa-sha256; d=example.net; s=s1; " TAIL},
    {.name = "DNS fails",
     .want = "temperror: DNS: SERVFAIL",
     .tags = "v=1; a=rsa-sha256; d=example.org; s=s1; " TAIL},
    {.name = "the second record",
     .want = "pass",
     .tags = HEAD RELAXED TAIL,
     .record = "spf",
     .second = RSA_RECORD},
};

static bool learn(const struct lookup *lookup, void *context)
{
    return verify_learn_keys(context, lookup);
}

/* The message as it is sent, with the signature over its canonical forms on top. */
static char *make_message(const struct row *row, EVP_PKEY *key)
{
    const EVP_MD *digest = row->sha1 ? EVP_sha1() : EVP_sha256();
    const char *headers = row->headers != NULL ? row->headers : FROM;
    const char *canonical = row->canonical_headers != NULL ? row->canonical_headers : FROM_SIGNED;
    char *hash =
        signing_hash(row->canonical_body != NULL ? row->canonical_body : "body\r\n", digest);
    char *tags = signing_fill(row->tags, hash);
    char *content =
        mem_print("%s%s%s", canonical, row->simple ? "DKIM-Signature: " : "dkim-signature:", tags);
    char *signature = signing_sign(key, digest, content);
    char *message = mem_print("DKIM-Signature: %s%s\r\n%s\r\n%s", tags, signature, headers,
                              row->body != NULL ? row->body : "body\r\n");

    free(signature);
    free(content);
    free(tags);
    free(hash);
    return message;
}

static struct zone *make_zone(const struct row *row, EVP_PKEY *key)
{
    struct zone *zone = zone_new();
    char *public_key = signing_public_key(key);
    char *record = signing_fill(row->record != NULL ? row->record : RSA_RECORD, public_key);

    zone_add_txt(zone, NAME, record, strlen(record));
    zone_add_txt(zone, IDN_NAME, record, strlen(record));
    free(record);
    if (row->second != NULL) {
        record = signing_fill(row->second, public_key);
        zone_add_txt(zone, NAME, record, strlen(record));
        free(record);
    }
    free(public_key);
    zone_add(zone, "s1._domainkey.example.org", "FAIL", "TXT");
    return zone;
}

static struct verify *verify_text(const char *text, struct zone *zone, struct mail *mail)
{
    struct verify *verify;

    mail_parse(text, strlen(text), mail);
    verify = verify_new(mail->message, false, NOW_SEC);
    for (size_t i = 0; i < mail->body_length; i++)
        verify_body(verify, mail->body + i, 1);
    verify_body_end(verify);
    assert_true(zone_run(zone, true, learn, verify) > 0);
    verify_judge(verify);
    return verify;
}

static void test_rows(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct row *row = &rows[i];
        EVP_PKEY *key = row->key != NULL ? *row->key : rsa2048;
        char *text = make_message(row, key);
        struct zone *zone = make_zone(row, key);
        struct mail mail;
        struct verify *verify = verify_text(text, zone, &mail);
        const struct verify_signature *one = &verify->signatures[0];
        char *got =
            mem_print("%s%s%s", verify_status_name(one->status), one->problem != NULL ? ": " : "",
                      one->problem != NULL ? one->problem : "");

        if (verify->count != 1 || strcmp(got, row->want) != 0) {
            print_error("%s: \"%s\", not \"%s\"\n", row->name, got, row->want);
            bad++;
        }
        free(got);
        verify_free(&verify);
        mail_free(&mail);
        zone_free(&zone);
        free(text);
    }
    assert_int_equal(bad, 0);
}

static void test_notes(void **state)
{
    const struct row row = {.name = "notes",
                            .tags = HEAD RELAXED "l=3; " TAIL,
                            .body = "hello\r\n",
                            .canonical_body = "hel",
                            .record = "t=y; p=#"};
    char *text = make_message(&row, rsa2048);
    struct zone *zone = make_zone(&row, rsa2048);
    struct mail mail;
    struct verify *verify = verify_text(text, zone, &mail);

    (void)state;
    assert_int_equal(verify->signatures[0].status, VERIFY_PASS);
    assert_true(verify->signatures[0].testing);
    assert_int_equal(verify->signatures[0].bits, 2048);
    assert_int_equal(verify->signatures[0].unsigned_octets, 4);
    verify_free(&verify);
    mail_free(&mail);
    zone_free(&zone);
    free(text);
}

/* libmilter without SMFIP_HDR_LEADSPC hands over values without their first space. */
static void test_leading_space(void **state)
{
    const struct row row = {
        .name = "space", .tags = HEAD TAIL, .simple = true, .canonical_headers = FROM};
    char *text = make_message(&row, rsa2048);
    struct zone *zone = make_zone(&row, rsa2048);
    struct mail mail;
    struct verify *verify;

    (void)state;
    mail_parse(text, strlen(text), &mail);
    for (size_t i = 0; i < mail.message->nheaders; i++)
        memmove(mail.message->headers[i].value, mail.message->headers[i].value + 1,
                strlen(mail.message->headers[i].value));
    for (int lost = 0; lost < 2; lost++) {
        verify = verify_new(mail.message, lost == 1, NOW_SEC);
        verify_body(verify, mail.body, mail.body_length);
        verify_body_end(verify);
        assert_true(zone_run(zone, false, learn, verify) > 0);
        verify_judge(verify);
        assert_int_equal(verify->signatures[0].status, lost == 1 ? VERIFY_PASS : VERIFY_FAIL);
        verify_free(&verify);
    }
    mail_free(&mail);
    zone_free(&zone);
    free(text);
}

static void test_cap(void **state)
{
    struct text text = TEXT_EMPTY;
    struct zone *zone = zone_new();
    struct mail mail;
    struct verify *verify;

    (void)state;
    for (int i = 0; i < VERIFY_SIGNATURES_MAX + 1; i++)
        text_add_string(&text, "DKIM-Signature: v=1\r\n");
    text_add_string(&text, "\r\n");
    verify = verify_text(text_string(&text), zone, &mail);
    assert_int_equal(verify->count, VERIFY_SIGNATURES_MAX);
    assert_true(verify->too_many);
    verify_free(&verify);
    mail_free(&mail);
    zone_free(&zone);
    text_free(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),
        cmocka_unit_test(test_notes),
        cmocka_unit_test(test_leading_space),
        cmocka_unit_test(test_cap),
    };

    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
