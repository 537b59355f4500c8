/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines and line ends, whatever the pieces. */
#include "lib/message/wire.h"

#include "lib/base/count.h"
#include "lib/base/text.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BYTES(literal) literal, sizeof(literal) - 1

/* "long/longest returns/feeds/nuls" and the survival. */
static char *describe(const struct wire *wire)
{
    struct text text = TEXT_EMPTY;
    char *survival = wire_survival(wire);

    text_print(&text, "%" PRIu64 "/%" PRIu64 " %" PRIu64 "/%" PRIu64 "/%" PRIu64 " %s",
               wire->long_lines, wire->longest, wire->bare_returns, wire->bare_feeds, wire->nuls,
               survival);
    free(survival);
    return text_take(&text);
}

static void check_body(const char *name, const char *bytes, size_t length, size_t piece,
                       const char *want)
{
    struct wire wire = {.complete = false};
    char *got;

    for (size_t at = 0; at < length; at += piece)
        wire_body(&wire, bytes + at, length - at < piece ? length - at : piece);
    assert_false(wire.complete);
    wire_end(&wire);
    assert_true(wire.complete);
    got = describe(&wire);
    if (strcmp(got, want) != 0)
        fail_msg("%s in pieces of %zu: %s, wanted %s", name, piece, got, want);
    free(got);
}

static void test_wire_body(void **state)
{
    static const struct {
        const char *name, *bytes;
        size_t length;
        const char *want;
    } cases[] = {
        {"nothing", BYTES(""), "0/0 0/0/0 likely"},
        {"lines", BYTES("Hello,\r\n\r\nBob.\r\n"), "0/6 0/0/0 likely"},
        {"no end of the last line", BYTES("Hello,\r\nBob and Eve"), "0/11 0/0/0 likely"},
        {"LF alone", BYTES("a\nb\r\n\n"), "0/1 0/2/0 at-risk:bare-lf"},
        {"CR alone", BYTES("a\rb\r\n"), "0/3 1/0/0 at-risk:bare-cr"},
        {"two CR", BYTES("a\r\r\nb\r\n"), "0/2 1/0/0 at-risk:bare-cr"},
        {"CR at the end", BYTES("a\r\nb\r"), "0/2 1/0/0 at-risk:bare-cr"},
        {"CR, text, CRLF", BYTES("\rxy\r\n"), "0/3 1/0/0 at-risk:bare-cr"},
        {"NUL", BYTES("a\0b\r\n"), "0/3 0/0/1 at-risk:nul"},
        {"eight bits", BYTES("gr\xc3\xbc\xc3\x9f\r\n"), "0/6 0/0/0 at-risk:8bit"},
        {"eight bits late", BYTES("0123456789abcdef\xff\r\n"), "0/17 0/0/0 at-risk:8bit"},
        {"a part in 8bit", BYTES("--x\r\ncontent-Transfer-encoding: 8BIT\r\n\r\na\r\n"),
         "0/31 0/0/0 at-risk:8bit"},
        {"a part in binary at the end", BYTES("Content-Transfer-Encoding:binary"),
         "0/32 0/0/0 at-risk:8bit"},
        {"a part in base64", BYTES("Content-Transfer-Encoding: base64\r\n"), "0/33 0/0/0 likely"},
        {"not at the line's beginning", BYTES("> Content-Transfer-Encoding: 8bit\r\n"),
         "0/33 0/0/0 likely"},
        {"all", BYTES("\xff\0\n\ra\r\n"), "0/2 1/1/1 at-risk:bare-cr,bare-lf,nul,8bit"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        for (size_t piece = 1; piece <= cases[i].length + 1; piece++)
            check_body(cases[i].name, cases[i].bytes, cases[i].length, piece, cases[i].want);
}

/* 998 octets are fine, 999 are not; the CRLF does not count. */
static void test_wire_line_length(void **state)
{
    char bytes[1003];

    (void)state;
    memset(bytes, 'x', sizeof(bytes));
    memcpy(bytes + 998, "\r\nx", 3);
    check_body("998 octets", bytes, 1001, 7, "0/998 0/0/0 likely");
    check_body("998 octets", bytes, 1001, 999, "0/998 0/0/0 likely");
    memcpy(bytes + 998, "x\r\n", 3);
    check_body("999 octets", bytes, 1001, 1, "1/999 0/0/0 at-risk:line-998");
    check_body("999 octets", bytes, 1001, 1000, "1/999 0/0/0 at-risk:line-998");
    check_body("999 octets without an end", bytes, 999, 500, "1/999 0/0/0 at-risk:line-998");
}

static void test_wire_header(void **state)
{
    static const struct {
        const char *name, *field, *value;
        bool space;
        const char *want;
    } cases[] = {
        {"one line", "To", " a@b.c", false, "0/9 0/0/0 likely"},
        {"the space that the MTA ate", "To", "a@b.c", true, "0/9 0/0/0 likely"},
        {"folded with LF", "To", " a@b.c,\n\td@e.f", false, "0/10 0/0/0 likely"},
        {"folded with CRLF", "To", " a@b.c,\r\n d@e.f", false, "0/10 0/0/0 likely"},
        {"CR alone", "X", " a\rb", false, "0/6 1/0/0 at-risk:bare-cr"},
        {"LF alone", "X", " a\nBcc: b", false, "0/6 0/1/0 at-risk:bare-lf"},
        {"LF at the end", "X", " a\n", false, "0/4 0/1/0 at-risk:bare-lf"},
        {"encoding", "Content-transfer-encoding", " 8bit", false, "0/31 0/0/0 at-risk:8bit"},
        {"encoding on the next line", "Content-Transfer-Encoding", "\n\tbinary", false,
         "0/26 0/0/0 at-risk:8bit"},
        {"other encoding", "Content-Transfer-Encoding", " 7bit", false, "0/31 0/0/0 likely"},
        {"eight bits", "Subject", " gr\xc3\xbc\xc3\x9f", false, "0/15 0/0/0 at-risk:8bit"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct wire wire = {.complete = false};
        char *got;

        wire_header(&wire, cases[i].field, cases[i].value, cases[i].space);
        got = describe(&wire);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: %s, wanted %s", cases[i].name, got, cases[i].want);
        free(got);
    }
}

static void test_wire_header_length(void **state)
{
    struct wire wire = {.complete = false};
    char value[998];

    (void)state;
    memset(value, 'x', sizeof(value));
    value[0] = ' ';
    value[996] = '\0';
    wire_header(&wire, "X", value, false);
    assert_int_equal(wire.longest, 998);
    assert_int_equal(wire.long_lines, 0);
    value[996] = 'x';
    value[997] = '\0';
    wire_header(&wire, "X", value, false);
    assert_int_equal(wire.long_lines, 1);
    value[500] = '\n';
    value[501] = '\t';
    wire_header(&wire, "X", value, false);
    assert_int_equal(wire.long_lines, 1);
    value[501] = '\0';
    wire_header(&wire, "X", value + 2, true);
    assert_int_equal(wire.longest, 999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire_body),
        cmocka_unit_test(test_wire_line_length),
        cmocka_unit_test(test_wire_header),
        cmocka_unit_test(test_wire_header_length),
    };

    return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
