/* SPDX-License-Identifier: BSD-2-Clause */
/* What is found in a message: the same in whatever pieces it comes. */

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "lib/base/text.h"
#include "tests/lib/content/look.h"
#include "tests/lib/content/make_zip.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char conf_text[] = "hostname = mx.example.test\n"
                                "mime-nesting = 3\n"
                                "mime-parts = 6\n"
                                "max-header-fields = 10\n"
                                "max-header-size = 1000\n";

static void check_pieces(const struct conf *conf, const char *name, const char *bytes,
                         size_t length, const char *want)
{
    static const size_t pieces[] = {SIZE_MAX / 2, 1, 2, 7, 100};

    for (size_t i = 0; i < COUNT_OF(pieces); i++) {
        struct content_fact fact = {0};
        char *words;

        look_into(conf, bytes, length, pieces[i], &fact);
        words = look_words(&fact);
        if (!fact.seen || strcmp(words, want) != 0)
            fail_msg("%s in pieces of %zu: \"%s\", wanted \"%s\"", name, pieces[i], words, want);
        free(words);
        content_fact_clear(&fact);
    }
}

struct sample {
    const char *name, *mail, *want;
};

static void check_samples(const struct sample *samples, size_t count)
{
    struct conf *conf = conf_of(conf_text);

    for (size_t i = 0; i < count; i++)
        check_pieces(conf, samples[i].name, samples[i].mail, strlen(samples[i].mail),
                     samples[i].want);
    conf_release(&conf);
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\n\n"
#define TEXT_PART "--b\nContent-Type: text/plain\n\nHello.\n"

static void test_attachments(void **state)
{
    static const struct sample samples[] = {
        {"plain", "Subject: x\n\nHello.\n", ""},
        {"nothing at all", "\n", ""},
        {"no body", "Content-Type: text/plain\n", ""},
        {"a picture as the message", "Content-Type: image/png\n\nabc", "attachments=1/3 file=/3"},
        {"two",
         MIXED TEXT_PART
         "--b\nContent-Type: application/pdf; name=a.pdf\n\n12345\n"
         "--b\nContent-Disposition: attachment; filename=\"b c.txt\"\n\n123456789\n--b--\n",
         "attachments=2/14 file=b c.txt/9"},
        {"base64",
         MIXED TEXT_PART
         "--b\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: BASE64\n\n"
         "aGVs\nbG8=\n--b--\n",
         "attachments=1/5 file=a.pdf/5"},
        {"base64 without padding",
         MIXED TEXT_PART "--b\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"
                         "aGVsbG8h\n--b--\n",
         "attachments=1/6 file=/6"},
        {"name in RFC 2231",
         MIXED TEXT_PART "--b\nContent-Disposition: attachment;\n filename*0*=UTF-8''r%C3%A9;\n "
                         "filename*1*=sum%C3%A9.pdf\n\nx\n--b--\n",
         "attachments=1/1 file=r\xc3\xa9sum\xc3\xa9.pdf/1"},
        {"name in RFC 2047",
         MIXED TEXT_PART
         "--b\nContent-Type: application/x;\n name=\"=?utf-8?B?YS5leGU=?=\"\n\nx\n--b--\n",
         "attachments=1/1 file=a.exe/1 risk=name:exe:a.exe@2"},
        {"two names, both harmless",
         MIXED TEXT_PART "--b\nContent-Type: application/pdf; name=b.pdf\n"
                         "Content-Disposition: attachment; filename=a.pdf\n\nx\n--b--\n",
         "attachments=1/1 file=a.pdf/1"},
        {"signed by S/MIME",
         "Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
         "boundary=b\n\n" TEXT_PART
         "--b\nContent-Type: application/pkcs7-signature; name=smime.p7s\n"
         "Content-Transfer-Encoding: base64\n\nMIIB\n--b--\n",
         "attachments=1/3 file=smime.p7s/3"},
        {"delivery status",
         "Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n" TEXT_PART
         "--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; x\n"
         "--b\nContent-Type: message/rfc822\n\nSubject: y\n\nHello.\n--b--\n",
         ""},
        {"a text with links",
         "Content-Type: text/html; charset=utf-8\nContent-Transfer-Encoding: quoted-printable\n\n"
         "<a href=3D\"http://192.0.2.1=\n/x\">a</a>\n",
         "links=1 address=192.0.2.1"},
        {"text in UTF-16",
         MIXED
         "--b\nContent-Type: text/plain; charset=UTF-16LE\nContent-Transfer-Encoding: base64\n\n"
         "aAB0AHQAcAA6AC8ALwAxADkAMgAuADAALgAyAC4AMQA=\n--b--\n",
         "links=1 address=192.0.2.1"},
        {"Japanese",
         "Content-Type: text/html; charset=ISO-2022-JP\n\n"
         "\033$B<a$$href=http://192.0.2.1>\033(B <a href=\"http://a.test/\">x</a>\n",
         "links=1 domain=a.test"},
    };

    (void)state;
    check_samples(samples, COUNT_OF(samples));
}

static void test_risks(void **state)
{
    static const struct sample samples[] = {
        {"by name", MIXED "--b\nContent-Type: application/x; name=Setup.EXE\n\nhello\n--b--\n",
         "attachments=1/5 file=Setup.EXE/5 risk=name:exe:Setup.EXE@1"},
        {"the other name",
         MIXED "--b\nContent-Type: text/plain; name=a.exe\nContent-Disposition: attachment; "
               "filename=a.txt\n\nx\n--b--\n",
         "attachments=1/1 file=a.exe/1 risk=name:exe:a.exe@1"},
        {"by magic",
         MIXED "--b\nContent-Type: image/png; name=a.png\nContent-Transfer-Encoding: base64\n\n"
               "f0VMRgIBAQ==\n--b--\n",
         "attachments=1/7 file=a.png/7 risk=magic:Unix program:a.png@1"},
        {"a script that says it is a text",
         MIXED "--b\nContent-Type: text/plain; name=a.txt\n\n#!/bin/sh\n--b--\n",
         "attachments=1/9 file=a.txt/9 risk=magic:script:a.txt@1"},
        {"a text about scripts", "Content-Type: text/plain\n\n#!/bin/sh\n", ""},
        {"in a forwarded message",
         MIXED TEXT_PART
         "--b\nContent-Type: message/rfc822\n\n"
         "Content-Type: multipart/mixed; boundary=c\n\n"
         "--c\n\nHello.\n--c\nContent-Type: application/x; name=a.js\n\nx\n--c--\n--b--\n",
         "attachments=1/1 file=a.js/1 risk=name:js:a.js@2.2"},
        {"many", "Content-Type: application/x; name=a.js\n\nx",
         "attachments=1/1 file=a.js/1 risk=name:js:a.js@1"},
    };

    (void)state;
    check_samples(samples, COUNT_OF(samples));
}

/* An archive at the end of a message that is far longer than what is kept. */
static void test_archive(void **state)
{
    static char padding[3 * 1024 * 1024];
    struct zip_file files[] = {{.name = "letter.txt", .bytes = padding, .length = sizeof(padding)},
                               {.name = "a/setup.exe", .bytes = "x", .length = 1},
                               {.name = NULL}};
    struct conf *conf = conf_of(conf_text);
    struct text mail = TEXT_EMPTY;
    struct text zip = make_zip(files, NULL);
    struct content_fact fact = {0};
    char *words, *want;

    (void)state;
    text_add_string(&mail, "Content-Type: application/octet-stream; name=a.zip\r\n"
                           "Content-Transfer-Encoding: binary\r\n\r\n");
    text_add(&mail, zip.bytes, zip.length);
    look_into(conf, mail.bytes, mail.length, 65535, &fact);
    words = look_words(&fact);
    want = mem_print("attachments=1/%zu file=a.zip/%zu risk=archive:exe:a.zip:a/setup.exe@1",
                     zip.length, zip.length);
    assert_string_equal(words, want);
    free(words);
    free(want);
    content_fact_clear(&fact);
    text_free(&zip);
    text_free(&mail);
    conf_release(&conf);
}

static void test_malformed(void **state)
{
    static const struct sample samples[] = {
        {"no boundary parameter", "Content-Type: multipart/mixed\n\nx\n",
         "malformed=:multipart/mixed has no boundary parameter"},
        {"the boundary never comes", MIXED "Hello.\n", "malformed=:its boundary \"b\" never comes"},
        {"the last boundary is missing", MIXED TEXT_PART,
         "malformed=:its last boundary \"b\" is missing"},
        {"of an inner one",
         MIXED "--b\nContent-Type: multipart/alternative; boundary=c\n\n--c\n\nx\n--b--\n",
         "malformed=1:its last boundary \"c\" is missing"},
        {"no type", "Content-Type: html\n\nx\n", "malformed=:its Content-Type is not a type"},
        {"the old type", "Content-Type: text\n\nx\n", ""},
        {"two types", "Content-Type: text/plain\nContent-Type: text/html\n\nx\n",
         "malformed=:it has two Content-Type fields"},
        {"two types in a part",
         MIXED "--b\nContent-Type: text/plain\nContent-Type: text/html\n\nx\n--b--\n",
         "malformed=1:it has two Content-Type fields"},
        {"an encoding that is none", "Content-Transfer-Encoding: base46\n\nx\n",
         "malformed=:its Content-Transfer-Encoding is none that exists"},
        {"base64 that is none",
         MIXED TEXT_PART "--b\nContent-Type: application/pdf\nContent-Transfer-Encoding: base64\n\n"
                         "aGVs*bG8=\n--b--\n",
         "attachments=1/5 file=/5 malformed=2:its base64 holds characters that are none"},
        {"a multipart in base64",
         "Content-Type: multipart/mixed; boundary=b\nContent-Transfer-Encoding: "
         "base64\n\n--b\n\nx\n--b--\n",
         "malformed=:a multipart is encoded as a whole"},
        {"as deep as is allowed",
         "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\n"
         "Content-Type: message/rfc822\n\nSubject: x\n\nx\n",
         ""},
        {"deeper",
         "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\n"
         "Content-Type: message/rfc822\n\nContent-Type: message/rfc822\n\nx\n",
         "malformed=:parts are nested over 3 levels deep"},
        {"too many parts", MIXED "--b\n\n--b\n\n--b\n\n--b\n\n--b\n\n--b\n\n--b--\n",
         "malformed=6:it has more than 6 parts"},
        {"as many as are allowed", MIXED "--b\n\n--b\n\n--b\n\n--b\n\n--b\n\n--b--\n", ""},
        {"a part without an empty line",
         MIXED "--b\nContent-Type: application/x; name=a.js\n--b--\n",
         "attachments=1/0 file=a.js/0 risk=name:js:a.js@1"},
        {"white space behind a boundary", MIXED "--b \t\nContent-Type: text/plain\n\nx\n--b-- \n",
         ""},
        {"a boundary that is longer", MIXED "--b\n\n--bb\n--b--\n--b\n", ""},
        {"a digest",
         "Content-Type: multipart/digest; boundary=b\n\n--b\n\nContent-Type: application/x; "
         "name=a.js\n\nx\n--b--\n",
         "attachments=1/1 file=a.js/1 risk=name:js:a.js@1"},
        {"a field that is too long", NULL, "malformed=:its header field X-Long has 1001 octets"},
        {"too many fields",
         "A: 1\nA: 2\nA: 3\nA: 4\nA: 5\nA: 6\nA: 7\nA: 8\nA: 9\nA: 10\nA: 11\n\nx\n",
         "malformed=:it has 11 header fields"},
    };
    struct sample copies[COUNT_OF(samples)];
    char spaces[1001];
    char *long_field;

    (void)state;
    memset(spaces, 'x', sizeof(spaces) - 1);
    spaces[sizeof(spaces) - 1] = '\0';
    long_field = mem_print("X-Long: %s\n\nx\n", spaces);
    memcpy(copies, samples, sizeof(samples));
    for (size_t i = 0; i < COUNT_OF(copies); i++)
        if (copies[i].mail == NULL)
            copies[i].mail = long_field;
    check_samples(copies, COUNT_OF(copies));
    free(long_field);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attachments),
        cmocka_unit_test(test_risks),
        cmocka_unit_test(test_archive),
        cmocka_unit_test(test_malformed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
