/* SPDX-License-Identifier: BSD-2-Clause */
/* What is made of a message, its client and the DNS: the whole value of Authentication-Results. */
#include "ctl/mail.h"
#include "lib/auth/results.h"
#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/lib/auth/signing.h"
#include "tests/lib/auth/zone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define NOW_SEC INT64_C(1700000000)

static const char *const records[] = {
    "example.com TXT v=spf1 ip4:192.0.2.1 -all",
    "_dmarc.example.com TXT v=DMARC1; p=reject; sp=quarantine",
    "_dmarc.test.example TXT v=DMARC1; p=reject; t=y",
    "mail.example.com TXT v=spf1 ip4:192.0.2.1 ip6:2001:db8::1 -all",
    "bad.example.com TXT v=spf1 foo",
    "1.2.0.192.in-addr.arpa PTR other.example.com",
    "1.2.0.192.in-addr.arpa PTR mail.example.com",
    "mail.example.com A 192.0.2.1",
    "other.example.com A 192.0.2.99",
    "2.2.0.192.in-addr.arpa PTR other.example.com",
    "4.2.0.192.in-addr.arpa FAIL PTR",
    "5.2.0.192.in-addr.arpa PTR broken.example.com",
    "broken.example.com FAIL A",
    "broken.example.com FAIL TXT",
    "broken.example.net FAIL TXT",
    "_dmarc.broken.example FAIL TXT",
    "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa PTR "
    "mail.example.com",
    "mail.example.com AAAA 2001:db8::1",
    NULL,
};

/* Each wants, after "mx.test; dkim=none" and without --ip, this rest. */
static const struct {
    const char *name, *ip, *helo, *sender, *headers, *want;
} rows[] = {
    {"pass", "192.0.2.1", "mail.example.com", "joe@example.com", "From: joe@example.com\r\n",
     "spf=pass smtp.mailfrom=joe@example.com; spf=pass smtp.helo=mail.example.com; "
     "iprev=pass policy.iprev=192.0.2.1; "
     "dmarc=pass header.from=example.com policy.dmarc=reject"},
    {"fail", "192.0.2.2", "mail.example.com", "joe@example.com", "From: joe@example.com\r\n",
     "spf=fail smtp.mailfrom=joe@example.com; spf=fail smtp.helo=mail.example.com; "
     "iprev=fail policy.iprev=192.0.2.2; "
     "dmarc=fail header.from=example.com policy.dmarc=reject"},
    {"the null sender is the HELO name", "192.0.2.1", "mail.example.com", "",
     "From: joe@example.com\r\n",
     "spf=pass smtp.helo=mail.example.com; iprev=pass policy.iprev=192.0.2.1; "
     "dmarc=pass header.from=example.com policy.dmarc=reject"},
    {"HELO does not align", "192.0.2.1", "mail.example.com", "joe@example.net",
     "From: joe@example.com\r\n",
     "spf=none smtp.mailfrom=joe@example.net; spf=pass smtp.helo=mail.example.com; "
     "iprev=pass policy.iprev=192.0.2.1; "
     "dmarc=fail header.from=example.com policy.dmarc=reject"},
    {"no reverse name, IPv6", "2001:db8::2", "[IPv6:2001:db8::2]", "joe@example.net",
     "From: joe@example.net\r\n",
     "spf=none smtp.mailfrom=joe@example.net; spf=none smtp.helo=\"[IPv6:2001:db8::2]\"; "
     "iprev=permerror policy.iprev=\"2001:db8::2\"; "
     "dmarc=none header.from=example.net policy.dmarc=none"},
    {"reverse name, IPv6", "2001:db8::1", "mail.example.com", "", "From: joe@example.net\r\n",
     "spf=pass smtp.helo=mail.example.com; iprev=pass policy.iprev=\"2001:db8::1\"; "
     "dmarc=none header.from=example.net policy.dmarc=none"},
    {"reverse lookup fails", "192.0.2.4", "h", "joe@example.net", "From: joe@example.net\r\n",
     "spf=none smtp.mailfrom=joe@example.net; spf=none smtp.helo=h; "
     "iprev=temperror policy.iprev=192.0.2.4; "
     "dmarc=none header.from=example.net policy.dmarc=none"},
    {"forward lookup fails", "192.0.2.5", "h", "joe@example.net", "From: joe@example.net\r\n",
     "spf=none smtp.mailfrom=joe@example.net; spf=none smtp.helo=h; "
     "iprev=temperror policy.iprev=192.0.2.5; "
     "dmarc=none header.from=example.net policy.dmarc=none"},
    {"errors have reasons", "192.0.2.4", "h", "joe@bad.example.com",
     "From: joe@sub.example.com\r\n",
     "spf=permerror reason=\"bad.example.com: \\\"foo\\\": no such mechanism\" "
     "smtp.mailfrom=joe@bad.example.com; spf=none smtp.helo=h; "
     "iprev=temperror policy.iprev=192.0.2.4; "
     "dmarc=fail header.from=sub.example.com policy.dmarc=quarantine"},
    {"temperror is not none", "192.0.2.4", "h", "joe@broken.example.net",
     "From: joe@broken.example\r\n",
     "spf=temperror reason=\"broken.example.net TXT: SERVFAIL\" "
     "smtp.mailfrom=joe@broken.example.net; "
     "spf=none smtp.helo=h; iprev=temperror policy.iprev=192.0.2.4; "
     "dmarc=temperror reason=\"_dmarc.broken.example: SERVFAIL\" header.from=broken.example "
     "policy.dmarc=none"},
    {"what could have passed does not fail", "192.0.2.4", "h", "joe@broken.example.com",
     "From: joe@example.com\r\n",
     "spf=temperror reason=\"broken.example.com TXT: SERVFAIL\" "
     "smtp.mailfrom=joe@broken.example.com; "
     "spf=none smtp.helo=h; iprev=temperror policy.iprev=192.0.2.4; "
     "dmarc=temperror reason=\"DKIM or SPF could not be checked\" header.from=example.com "
     "policy.dmarc=reject"},
    {"what could not have passed does", "192.0.2.4", "h", "joe@broken.example.net",
     "From: joe@example.com\r\n",
     "spf=temperror reason=\"broken.example.net TXT: SERVFAIL\" "
     "smtp.mailfrom=joe@broken.example.net; "
     "spf=none smtp.helo=h; iprev=temperror policy.iprev=192.0.2.4; "
     "dmarc=fail header.from=example.com policy.dmarc=reject"},
    {"odd values", "192.0.2.4", "h\"\\;\001", "jo;e\"@example.net", "From: joe@example.net\r\n",
     "spf=none smtp.mailfrom=\"jo;e\\\"@example.net\"; spf=none smtp.helo=\"h\\\"\\\\;?\"; "
     "iprev=temperror policy.iprev=192.0.2.4; "
     "dmarc=none header.from=example.net policy.dmarc=none"},
    {"no client", NULL, NULL, NULL, "From: Joe <joe@Example.COM>\r\n",
     "dmarc=fail header.from=example.com policy.dmarc=reject"},
    {"test mode", NULL, NULL, NULL, "From: joe@test.example\r\n",
     "dmarc=fail header.from=test.example policy.dmarc=quarantine"},
    {"no From", NULL, NULL, NULL, "To: joe@example.com\r\n",
     "dmarc=permerror reason=\"there is no From\" policy.dmarc=none"},
    {"two From", NULL, NULL, NULL, "From: a@example.com\r\nFrom: b@example.com\r\n",
     "dmarc=permerror reason=\"there are several From\" policy.dmarc=none"},
    {"two From, one in disguise", NULL, NULL, NULL, "From : a@example.com\r\nFrom: b@b.test\r\n",
     "dmarc=permerror reason=\"there are several From\" policy.dmarc=none"},
    {"two authors of one domain", NULL, NULL, NULL, "From: a@example.com, b@EXAMPLE.com\r\n",
     "dmarc=fail header.from=example.com policy.dmarc=reject"},
    {"two authors", NULL, NULL, NULL, "From: a@example.com, b@example.net\r\n",
     "dmarc=permerror reason=\"From has addresses of several domains\" policy.dmarc=none"},
    {"no address", NULL, NULL, NULL, "From: Joe\r\n",
     "dmarc=permerror reason=\"From has no address with a domain\" policy.dmarc=none"},
};

static void prepare(struct incoming *incoming, const struct mail *mail, const char *ip)
{
    *incoming = (struct incoming){
        .message = mail->message,
        .helo = "",
        .sender = "",
        .receiver = "mx.test",
        .now_sec = NOW_SEC,
        .verify = verify_new(mail->message, false, NOW_SEC),
    };
    if (ip != NULL)
        assert_true(ip_parse(ip, &incoming->client));
    verify_body(incoming->verify, mail->body, mail->body_length);
    verify_body_end(incoming->verify);
}

static char *evaluate(struct incoming *incoming, struct zone *zone, bool waves)
{
    assert_true(zone_run(zone, waves, incoming_gather, incoming) > 0);
    incoming_judge(incoming);
    /* all that is asked for now was asked before */
    assert_int_equal(zone_run(zone, false, incoming_conclude, incoming), 1);
    return results_format(incoming, "mx.test", " ");
}

static void finish(struct incoming *incoming, struct mail *mail)
{
    struct verify *verify = incoming->verify;

    incoming_clear(incoming);
    verify_free(&verify);
    mail_free(mail);
}

static void test_rows(void **state)
{
    unsigned bad = 0;

    (void)state;
    for (size_t i = 0; i < 2 * COUNT_OF(rows); i++) {
        size_t n = i / 2;
        char *want = mem_print("mx.test; dkim=none; %s; arc=none", rows[n].want);
        char *text = mem_print("%s\r\nbody\r\n", rows[n].headers);
        struct zone *zone = zone_new();
        struct incoming incoming;
        struct mail mail;
        char *got;

        zone_add_lines(zone, records);
        mail_parse(text, strlen(text), &mail);
        prepare(&incoming, &mail, rows[n].ip);
        incoming.helo = rows[n].helo != NULL ? rows[n].helo : "";
        incoming.sender = rows[n].sender != NULL ? rows[n].sender : "";
        got = evaluate(&incoming, zone, i % 2 == 1);
        if (strcmp(got, want) != 0) {
            print_error("%s: %s\n  not %s\n", rows[n].name, got, want);
            bad++;
        }
        free(got);
        finish(&incoming, &mail);
        zone_free(&zone);
        free(text);
        free(want);
    }
    assert_int_equal(bad, 0);
}

/* RFC 7489's pct=: the policy is the message's own, and what is published stands beside it. */
static void test_share(void **state)
{
    static const struct {
        enum dmarc_discovery discovery;
        unsigned sample;
        const char *want;
    } cases[] = {
        {DMARC_TREE_WALK, 99, "dmarc=fail header.from=share.example policy.dmarc=reject"},
        {DMARC_SUFFIX_LIST, 24,
         "dmarc=fail header.from=share.example policy.dmarc=reject (p=reject; pct=25)"},
        {DMARC_SUFFIX_LIST, 25,
         "dmarc=fail header.from=share.example policy.dmarc=quarantine (p=reject; pct=25)"},
    };
    static const char text[] = "From: joe@share.example\r\n\r\nbody\r\n";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *want = mem_print("mx.test; dkim=none; %s; arc=none", cases[i].want);
        struct zone *zone = zone_new();
        struct incoming incoming;
        struct mail mail;
        char *got;

        zone_add(zone, "_dmarc.share.example", "TXT", "v=DMARC1; p=reject; pct=25");
        mail_parse(text, strlen(text), &mail);
        prepare(&incoming, &mail, NULL);
        incoming.discovery = cases[i].discovery;
        incoming.dmarc_sample = cases[i].sample;
        got = evaluate(&incoming, zone, false);
        assert_string_equal(got, want);
        free(got);
        finish(&incoming, &mail);
        zone_free(&zone);
        free(want);
    }
}

/* A message that is signed, its DMARC, and the same after somebody changed it. */
static void test_signed(void **state)
{
    static const char from[] = "From: joe@test.example\r\n";
    EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
    char *hash = signing_hash("body\r\n", EVP_sha256());
    char *tags = mem_print("v=1; a=ed25519-sha256; d=test.example; s=s1; i=joe@test.example; "
                           "h=from; bh=%s; b=",
                           hash);
    char *content = mem_print("%sDKIM-Signature: %s", from, tags);
    char *signature = signing_sign(key, NULL, content);
    char *public_key = signing_public_key(key);
    char *record = mem_print("t=y; k=ed25519; p=%s", public_key);
    struct zone *zone = zone_new();

    (void)state;
    zone_add_lines(zone, records);
    zone_add_txt(zone, "s1._domainkey.test.example", record, strlen(record));
    for (int changed = 0; changed < 2; changed++) {
        char *text = mem_print("%sDKIM-Signature: %s%s\r\n\r\nbody%s\r\n", from, tags, signature,
                               changed ? "!" : "");
        char *shown = mem_print("%.8s", signature);
        bool quoted = strpbrk(shown, "/=") != NULL;
        char *want = mem_print(
            "mx.test; dkim=%s (test mode)%s header.d=test.example header.i=joe@test.example "
            "header.s=s1 header.a=ed25519-sha256 header.b=%s%s%s; dmarc=%s "
            "header.from=test.example policy.dmarc=quarantine; arc=none",
            changed ? "fail" : "pass", changed ? " reason=\"the body has changed\"" : "",
            quoted ? "\"" : "", shown, quoted ? "\"" : "", changed ? "fail" : "pass");
        struct incoming incoming;
        struct mail mail;
        char *got;

        mail_parse(text, strlen(text), &mail);
        prepare(&incoming, &mail, NULL);
        got = evaluate(&incoming, zone, true);
        assert_string_equal(got, want);
        free(got);
        finish(&incoming, &mail);
        free(want);
        free(shown);
        free(text);
    }
    zone_free(&zone);
    free(record);
    free(public_key);
    free(signature);
    free(content);
    free(tags);
    free(hash);
    EVP_PKEY_free(key);
}

/* RFC 6008 section 4: what is shown of a signature is of that one alone. */
static void test_shown_signatures(void **state)
{
    static const char *const encoded[] = {"AAAABBBBCCCCDDDD", "AAAABBBBCCCDDDDD", "AAAABBBB",
                                          "AAAABBBBCCCCDDDD", "AAAB"};
    static const char *const want[] = {"AAAABBBBCCCC", "AAAABBBBCCCD", "AAAABBBB", "AAAABBBBCCCC",
                                       "AAAB"};
    struct text text = TEXT_EMPTY;
    struct zone *zone = zone_new();
    struct incoming incoming;
    struct mail mail;
    char *got;
    const char *at;

    (void)state;
    for (size_t i = 0; i < COUNT_OF(encoded); i++)
        text_print(&text, "DKIM-Signature: v=1; b=%s\r\n", encoded[i]);
    text_add_string(&text, "From: joe@example.com\r\n\r\n");
    mail_parse(text_string(&text), text.length, &mail);
    prepare(&incoming, &mail, NULL);
    got = evaluate(&incoming, zone, false);
    at = got;
    for (size_t i = 0; i < COUNT_OF(want); i++) {
        char *shown = mem_print("header.b=%s;", want[i]);

        at = strstr(at, "header.b=");
        assert_non_null(at);
        if (strncmp(at, shown, strlen(shown)) != 0)
            fail_msg("not %s in %s", shown, at);
        free(shown);
        at++;
    }
    free(got);
    finish(&incoming, &mail);
    zone_free(&zone);
    text_free(&text);
}

static void test_received_spf(void **state)
{
    static const struct {
        const char *name, *ip, *helo, *sender;
        bool of_helo;
        const char *want; /* without the receiver, which is last */
    } cases[] = {
        {"pass", "192.0.2.1", "mail.example.com", "joe@example.com", false,
         "pass client-ip=\"192.0.2.1\"; envelope-from=\"joe@example.com\"; "
         "helo=\"mail.example.com\"; identity=\"mailfrom\"; mechanism=\"ip4:192.0.2.1\""},
        {"fail", "192.0.2.2", "h", "joe@example.com", false,
         "fail client-ip=\"192.0.2.2\"; envelope-from=\"joe@example.com\"; helo=\"h\"; "
         "identity=\"mailfrom\"; mechanism=\"-all\""},
        {"of HELO, IPv6", "2001:db8::1", "mail.example.com", "joe@example.net", true,
         "pass client-ip=\"2001:db8::1\"; envelope-from=\"joe@example.net\"; "
         "helo=\"mail.example.com\"; identity=\"helo\"; mechanism=\"ip6:2001:db8::1\""},
        {"no record", "192.0.2.1", "h", "joe@example.net", false,
         "none client-ip=\"192.0.2.1\"; envelope-from=\"joe@example.net\"; helo=\"h\"; "
         "identity=\"mailfrom\"; problem=\"example.net has no SPF record\""},
        {"permerror", "192.0.2.1", "h", "joe@bad.example.com", false,
         "permerror client-ip=\"192.0.2.1\"; envelope-from=\"joe@bad.example.com\"; helo=\"h\"; "
         "identity=\"mailfrom\"; problem=\"bad.example.com: \\\"foo\\\": no such mechanism\""},
        {"temperror", "192.0.2.1", "h", "joe@broken.example.net", false,
         "temperror client-ip=\"192.0.2.1\"; envelope-from=\"joe@broken.example.net\"; "
         "helo=\"h\"; identity=\"mailfrom\"; problem=\"broken.example.net TXT: SERVFAIL\""},
        {"<>", "192.0.2.1", "mail.example.com", "", false,
         "pass client-ip=\"192.0.2.1\"; helo=\"mail.example.com\"; identity=\"mailfrom\"; "
         "mechanism=\"ip4:192.0.2.1\""},
        {"odd names", "192.0.2.1", "h\"\\\001", "j;o\"e@example.com", false,
         "pass client-ip=\"192.0.2.1\"; envelope-from=\"j;o\\\"e@example.com\"; "
         "helo=\"h\\\"\\\\?\"; identity=\"mailfrom\"; mechanism=\"ip4:192.0.2.1\""},
    };
    static const char text[] = "From: joe@example.com\r\n\r\n";

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char *want = mem_print("%s; receiver=\"mx.test\"", cases[i].want), *got;
        struct zone *zone = zone_new();
        struct incoming incoming;
        struct mail mail;

        zone_add_lines(zone, records);
        mail_parse(text, strlen(text), &mail);
        prepare(&incoming, &mail, cases[i].ip);
        incoming.helo = cases[i].helo;
        incoming.sender = cases[i].sender;
        free(evaluate(&incoming, zone, true));
        got = results_received_spf(&incoming, cases[i].of_helo, " ");
        if (strcmp(got, want) != 0)
            fail_msg("%s: %s", cases[i].name, got);
        free(got);
        free(want);
        finish(&incoming, &mail);
        zone_free(&zone);
    }
}

static void test_claims(void **state)
{
    static const struct {
        const char *value;
        bool ours;
    } claims[] = {
        {" mx.test; dkim=pass", true},
        {"mx.test;dkim=pass", true},
        {" MX.Test 1; none", true},
        {" mx.test", true},
        {" (a (nested) \\) comment) mx.test (x) 1 (y) ; none", true},
        {"\n\tmx.test\n ;\n none", true},
        {" \"mx.test\"; none", true},
        {" \"mx\\.test\"; none", true},
        {" mx.test.example; none", false},
        {" a.mx.test; none", false},
        {" example.net; dkim=pass header.d=mx.test", false},
        {" example.net; x (mx.test)", false},
        {" (mx.test) example.net; none", false},
        {" (mx.test \\) ) example.net; none", false},
        /* not of the grammar: rather one too many than one that some reader believes */
        {" mx.test dkim=pass", true},
        {" mx.test/x; none", true},
        {" (mx.test; none", true},
        {" \"mx.test; none", true},
        {" example.net dkim=pass", false},
        {"", false},
        {" ;", false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(claims); i++)
        if (results_claim(claims[i].value, "mx.test") != claims[i].ours)
            fail_msg("\"%s\": %d", claims[i].value, !claims[i].ours);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows),         cmocka_unit_test(test_share),
        cmocka_unit_test(test_signed),       cmocka_unit_test(test_shown_signatures),
        cmocka_unit_test(test_received_spf), cmocka_unit_test(test_claims),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
