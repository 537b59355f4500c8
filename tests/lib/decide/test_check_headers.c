/* SPDX-License-Identifier: BSD-2-Clause */
/* config.headers: what is found in a message's headers and lines, and the near misses. */
#include "lib/decide/checks.h"

#include "lib/base/count.h"
#include "lib/base/mem.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define FROM "From: a@one.test\n"
#define DATE "Date: Thu, 1 Jan 2026 00:00:00 +0000\n"
#define ID "Message-ID: <1@one.test>\n"
#define USUAL FROM DATE ID

/* headers: lines of "Name: value". */
static struct message *make(const char *headers, const char *body, enum direction direction)
{
    struct message *message = message_new(PROGRAM_MILTER, "mx.one.test");
    char *copy = mem_copy(headers), *rest = copy, *line;

    message->stage = STAGE_END_OF_MESSAGE;
    message->direction = direction;
    while ((line = strsep(&rest, "\n")) != NULL && *line != '\0') {
        char *value = strchr(line, ':');

        *value++ = '\0';
        message_add_header(message, line, value);
        wire_header(&message->wire, line, value, false);
    }
    wire_body(&message->wire, body, strlen(body));
    wire_end(&message->wire);
    free(copy);
    return message;
}

static const char *field_of(const struct finding *finding, const char *name)
{
    for (size_t i = 0; i < finding->nfields; i++)
        if (strcmp(finding->fields[i].name, name) == 0)
            return finding->fields[i].value;
    return "";
}

/* "problem(header)", several joined by blanks. */
static char *found(const struct message *message)
{
    char *text = mem_copy("");

    for (size_t i = 0; i < message->findings.count; i++) {
        const struct finding *finding = &message->findings.items[i];
        char *longer;

        if (finding->cause->id == NULL || strcmp(finding->cause->id, "config.headers") != 0)
            continue;
        longer = mem_print("%s%s%s(%s)", text, *text != '\0' ? " " : "",
                           field_of(finding, "problem"), field_of(finding, "header"));
        assert_non_null(finding->hint);
        assert_non_null(finding->sentence);
        free(text);
        text = longer;
    }
    return text;
}

static void test_check_headers(void **state)
{
    static char long_line[1002], line[1001];
    const struct {
        const char *name, *headers, *body, *want;
    } cases[] = {
        {"usual", USUAL, "Hello\r\n", ""},
        {"no Date", FROM ID, "", "missing(Date)"},
        {"no From", DATE ID, "", "missing(From)"},
        {"no Message-ID", FROM DATE, "", "missing(Message-ID)"},
        {"none at all", "Subject: x\n", "", "missing(Date, From, Message-ID)"},
        {"two Date", USUAL DATE, "", "repeated(Date)"},
        {"two From and two Message-ID", USUAL FROM ID, "", "repeated(From, Message-ID)"},
        {"two To are not ours to judge", USUAL "To: a@x.test\nTo: b@x.test\n", "", ""},
        {"names in another case", "from: a@one.test\ndate: x\nMESSAGE-ID: <1@x>\n", "", ""},
        {"From that is none", "From: alice\n" DATE ID, "", "unparsable(From)"},
        {"From with a loose bracket", "From: Alice <a@one.test\n" DATE ID, "", "unparsable(From)"},
        {"empty From", "From:\n" DATE ID, "", "unparsable(From)"},
        {"From with two addresses", "From: a@one.test, B <b@one.test>\n" DATE ID, "", ""},
        {"From with a quoted name", "From: \"Doe, Jo\" <a@one.test>\n" DATE ID, "", ""},
        {"CR alone", USUAL, "a\rb\r\n", "bare-cr()"},
        {"LF alone", USUAL, "a\nb\r\n", "bare-lf()"},
        {"998 octets", USUAL, line, ""},
        {"999 octets", USUAL, long_line, "line-998()"},
        {"eight bits are no fault", USUAL, "\xc3\xbc\r\n", ""},
        {"several", FROM FROM DATE, "a\rb\n", "missing(Message-ID) repeated(From) bare-cr()"},
    };
    struct conf *conf = conf_of("mode = enforce");

    (void)state;
    memset(line, 'x', 998);
    memset(long_line, 'x', 999);
    memcpy(line + 998, "\r\n", 3);
    memcpy(long_line + 999, "\r\n", 3);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = make(cases[i].headers, cases[i].body, DIRECTION_OUT);
        char *got;

        checks_run(conf, message);
        got = found(message);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s: \"%s\", wanted \"%s\"", cases[i].name, got, cases[i].want);
        free(got);
        message_free(&message);
    }
    conf_release(&conf);
}

/* Mail from outside is not ours to correct; an unfinished message has not shown all. */
static void test_check_headers_not_asked(void **state)
{
    struct conf *conf = conf_of("mode = enforce");
    struct message *message = make("Subject: x\n", "", DIRECTION_IN);
    char *got;

    (void)state;
    checks_run(conf, message);
    got = found(message);
    assert_string_equal(got, "");
    free(got);
    message_free(&message);
    message = make("Subject: x\n", "", DIRECTION_OUT);
    message->wire.complete = false;
    checks_run(conf, message);
    got = found(message);
    assert_string_equal(got, "");
    free(got);
    message_free(&message);
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_headers),
        cmocka_unit_test(test_check_headers_not_asked),
    };

    return cmocka_run_group_tests_name("check_headers", tests, NULL, NULL);
}
