/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Messages that mean to use up time and memory: each takes at most the time and memory that the
 * configuration and content.h name, and leaves a reason for the log.
 */
#include "lib/content/content.h"

#include "lib/base/count.h"
#include "lib/base/text.h"
#include "tests/lib/content/look.h"
#include "tests/support/conf_text.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#define MB ((size_t)1024 * 1024)
#define PIECE 65535 /* of a milter */
#define HELD_MOST (8 * MB) /* what content.h names, together */

/* Sanitizers and a busy machine take their share. */
#define SLOWNESS 10

struct bound {
    const char *malformed; /* what is said, at its beginning; "": nothing */
    double cpu_ms; /* at most, on a machine of its own and without sanitizers */
};

static double cpu_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* What malloc() has given out; 0 where a sanitizer has its own. */
static size_t held(void)
{
    struct mallinfo2 info = mallinfo2();

    return info.uordblks + info.hblkhd;
}

static void check(const char *name, struct text *mail, const struct bound *bound)
{
    struct conf *conf = conf_of("hostname = mx.example.test\ncontent-time = 60s\n");
    struct content_fact fact = {0};
    struct content *content;
    struct mail parsed;
    size_t before, most = 0;
    double begin;

    mail_parse(mail->bytes, mail->length, &parsed);
    begin = cpu_ms();
    before = held();
    content = content_new(conf, parsed.message);
    for (size_t at = 0; at < parsed.body_length; at += PIECE) {
        size_t left = parsed.body_length - at, now;

        content_body(content, parsed.body + at, left < PIECE ? left : PIECE);
        now = held();
        most = now > before + most ? now - before : most;
    }
    content_end(content, &fact);
    content_free(&content);
    begin = cpu_ms() - begin;
    if (most > HELD_MOST)
        fail_msg("%s: %zu octets held", name, most);
    if (begin > bound->cpu_ms * SLOWNESS)
        fail_msg("%s: %.0f ms", name, begin);
    if (strncmp(fact.malformed != NULL ? fact.malformed : "", bound->malformed,
                bound->malformed[0] != '\0' ? strlen(bound->malformed) : 1) != 0)
        fail_msg("%s: \"%s\"", name, fact.malformed);
    print_message("%s: %.1f ms, %zu KiB\n", name, begin, most / 1024);
    content_fact_clear(&fact);
    mail_free(&parsed);
    conf_release(&conf);
    text_free(mail);
}

static void repeat(struct text *text, const char *line, size_t octets)
{
    size_t length = strlen(line);

    for (size_t i = 0; i < octets / length; i++)
        text_add(text, line, length);
}

#define LINE_64 "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3\r\n"

static void test_50_mb(void **state)
{
    static const struct {
        const char *name, *head, *line;
        double cpu_ms;
    } cases[] = {
        {"50 MB attached",
         "Content-Type: application/pdf; name=a.pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n",
         LINE_64, 200},
        {"50 MB that begin as an archive",
         "Content-Type: application/pdf; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n"
         "UEsDBBQAAAAIAAAAIQAA\r\n",
         LINE_64, 1000},
        {"50 MB of HTML", "Content-Type: text/html\r\n\r\n", "<a href=http://a.test/>x</a>\r\n",
         200},
        {"50 MB of hyphens", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n",
         "--\r\n", 2000},
        {"50 MB on a line", "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n",
         "--xx--", 1000},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const bool is_multipart = strstr(cases[i].head, "multipart") != NULL;
        const struct bound bound = {is_multipart ? "its last boundary" : "", cases[i].cpu_ms};
        struct text mail = TEXT_EMPTY;

        text_add_string(&mail, cases[i].head);
        repeat(&mail, cases[i].line, 50 * MB);
        check(cases[i].name, &mail, &bound);
    }
}

static void test_headers(void **state)
{
    static const struct bound many = {"it has 10000 header fields", 100};
    static const struct bound large = {"its header field X-Large has 10", 100};
    struct text mail = TEXT_EMPTY;

    (void)state;
    repeat(&mail, "X-Many: 1\r\n", 11 * 10000);
    text_add_string(&mail, "\r\nHello.\r\n");
    check("10,000 header fields", &mail, &many);
    text_add_string(&mail, "X-Large: ");
    repeat(&mail, "x", MB);
    text_add_string(&mail, "\r\n\r\nHello.\r\n");
    check("a header of 1 MB", &mail, &large);
}

static void test_nested(void **state)
{
    static const struct bound deep = {"parts are nested over 20 levels deep", 100};
    static const struct bound many = {"it has more than 1000 parts", 200};
    static const struct bound large = {"its header has more than", 100};
    struct text mail = TEXT_EMPTY;

    (void)state;
    text_add_string(&mail, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    for (int i = 0; i < 1000; i++)
        text_print(&mail, "--b%.*d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n", i > 0,
                   i, i + 1);
    check("1,000 nested parts", &mail, &deep);
    text_add_string(&mail, "Content-Type: message/rfc822\r\n\r\n");
    repeat(&mail, "Content-Type: message/rfc822\r\n\r\n", 32000);
    check("1,000 nested messages", &mail, &deep);
    text_add_string(&mail, "Content-Type: multipart/mixed; boundary=b\r\n\r\n");
    repeat(&mail, "--b\r\nContent-Type: text/plain; name=a.js\r\n\r\nx\r\n", 5 * MB);
    check("100,000 parts", &mail, &many);
    text_add_string(&mail, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n");
    repeat(&mail, "Content-Type: text/plain\r\n", 10 * MB);
    check("a part that is all header", &mail, &large);
}

/* The time is this thread's own. */
static void test_time(void **state)
{
    struct conf *conf = conf_of("hostname = mx.example.test\ncontent-time = 10ms\n");
    struct text mail = TEXT_EMPTY;
    struct content_fact fact = {0};

    (void)state;
    text_add_string(&mail, "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\n");
    repeat(&mail, "--\r\n", 50 * MB);
    look_into(conf, mail.bytes, mail.length, PIECE, &fact);
    assert_string_equal(fact.malformed, "reading it takes over 10 ms");
    assert_string_equal(fact.malformed_remedy,
                        "send it in several messages, or raise content-time (now 10 ms)");
    content_fact_clear(&fact);
    text_free(&mail);
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_50_mb),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_nested),
        cmocka_unit_test(test_time),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
