/* SPDX-License-Identifier: BSD-2-Clause */
/* The mailboxes of From, Sender and To headers. */
#include "lib/base/count.h"
#include "lib/message/address.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MOST 8

/* want: the addresses, a space between; local parts that have spaces are shown quoted. */
static const struct {
    const char *value;
    int count;
    const char *want;
} fine[] = {
    {"", 0, ""},
    {" ", 0, ""},
    {"(nobody)", 0, ""},
    {"a@b", 1, "a@b"},
    {" a@b", 1, "a@b"},
    {"a@b ", 1, "a@b"},
    {"\ta@b\t", 1, "a@b"},
    {"<a@b>", 1, "a@b"},
    {" <a@b>", 1, "a@b"},
    {"< a@b >", 1, "a@b"},
    {"Alice <a@b>", 1, "a@b"},
    {"Alice<a@b>", 1, "a@b"},
    {"Alice B. Smith <a@b>", 1, "a@b"},
    {"A. B. <a@b>", 1, "a@b"},
    {"Dr. <a@b>", 1, "a@b"},
    {"Smith.Alice <a@b>", 1, "a@b"},
    {"Alice.. Smith <a@b>", 1, "a@b"},
    {"\"Smith, Alice\" <a@b>", 1, "a@b"},
    {"\"Alice\" Smith <a@b>", 1, "a@b"},
    {"\"Alice\"Smith <a@b>", 1, "a@b"},
    {"\"\" <a@b>", 1, "a@b"},
    {"\"c@d\" <a@b>", 1, "a@b"},
    {"\"<c@d>\" <a@b>", 1, "a@b"},
    {"\"a \\\"quoted\\\" name\" <a@b>", 1, "a@b"},
    {"\"back\\\\slash\" <a@b>", 1, "a@b"},
    {"\"folded\r\n name\" <a@b>", 1, "a@b"},
    {"\"folded\n\tname\" <a@b>", 1, "a@b"},
    {"=?utf-8?q?J=C3=B6rg?= <a@b>", 1, "a@b"},
    {"=?utf-8?B?YUBiIDxjQGQ+?= <a@b>", 1, "a@b"},
    {"=?utf-8?q?J=C3=B6rg?=\n =?utf-8?q?_Smith?= <a@b>", 1, "a@b"},
    {"\"=?utf-8?q?c=40d?=\" <a@b>", 1, "a@b"},
    {"J\xc3\xb6rg <a@b>", 1, "a@b"},
    {"\"J\xc3\xb6rg\" <a@b>", 1, "a@b"},
    /* Latin-1 in a name hurts nobody */
    {"J\xf6rg <a@b>", 1, "a@b"},
    {"j\xc3\xb6rg@b\xc3\xbc"
     "cher.example",
     1, "j\xc3\xb6rg@xn--bcher-kva.example"},
    {"a@Example.COM", 1, "a@example.com"},
    {"a (comment)@b", 1, "a@b"},
    {"a@(comment)b", 1, "a@b"},
    {"a@b (Alice)", 1, "a@b"},
    {"(Alice) a@b", 1, "a@b"},
    {"Alice (the (nested (deeply)) one) <a@b>", 1, "a@b"},
    {"(c@d) a@b", 1, "a@b"},
    {"a@b (<c@d>)", 1, "a@b"},
    {"a@b (\\))", 1, "a@b"},
    {"a@b (\\()", 1, "a@b"},
    {"a@b (\")", 1, "a@b"},
    {"a@b (J\xf6rg)", 1, "a@b"},
    {"a@b (folded\n comment)", 1, "a@b"},
    {"<(x)a(x)@(x)b(x)>(x)", 1, "a@b"},
    {"Alice\n <a@b>", 1, "a@b"},
    {"Alice\r\n <a@b>", 1, "a@b"},
    {"Alice\r\n\t<a@b>", 1, "a@b"},
    {"Alice\n \n <a@b>", 1, "a@b"},
    {"a@b\n", 1, "a@b"},
    {"a@b\r\n", 1, "a@b"},
    {"first.last@b", 1, "first.last@b"},
    {"first . last@b", 1, "first.last@b"},
    {"first (x) . (y) last (z) @ b", 1, "first.last@b"},
    {"first.\n last@b", 1, "first.last@b"},
    {"\"first\".last@b", 1, "first.last@b"},
    {"first.\"middle one\".last@b", 1, "\"first.middle one.last\"@b"},
    {"\"a\"@b", 1, "a@b"},
    {"\"a b\"@c", 1, "\"a b\"@c"},
    {"\"a\\b\"@c", 1, "ab@c"},
    {"\"a\n b\"@c", 1, "\"a b\"@c"},
    {"\"a\r\n b\"@c", 1, "\"a b\"@c"},
    {"\"a@b\"@c", 1, "\"a@b\"@c"},
    {"\"\"@c", 1, "\"\"@c"},
    {"a@b.c", 1, "a@b.c"},
    {"a@b . c", 1, "a@b.c"},
    {"a@b (x) . (y) c", 1, "a@b.c"},
    {"a@b.\n c", 1, "a@b.c"},
    {"a@[192.0.2.1]", 1, "a@[192.0.2.1]"},
    {"a@ [192.0.2.1]", 1, "a@[192.0.2.1]"},
    {"a@[ 192.0.2.1 ]", 1, "a@[192.0.2.1]"},
    {"a@[192.0.\n 2.1]", 1, "a@[192.0.2.1]"},
    {"<a@[IPv6:2001:db8::1]>", 1, "a@[IPv6:2001:db8::1]"},
    {"<@x:a@b>", 1, "a@b"},
    {"<@x,@y:a@b>", 1, "a@b"},
    {"< @x , @y (c) : a@b >", 1, "a@b"},
    {"<,@x,,@y:a@b>", 1, "a@b"},
    {"<@[192.0.2.1]:a@b>", 1, "a@b"},
    {"Alice <@x:a@b>", 1, "a@b"},
    {"a@b,c@d", 2, "a@b c@d"},
    {"a@b, c@d", 2, "a@b c@d"},
    {"a@b,\n c@d", 2, "a@b c@d"},
    {"Alice <a@b>, \"Bob, B.\" <c@d>, e@f", 3, "a@b c@d e@f"},
    {"a@b (x), (y) c@d", 2, "a@b c@d"},
    {",a@b", 1, "a@b"},
    {"a@b,", 1, "a@b"},
    {",,a@b,, ,(x),c@d,,", 2, "a@b c@d"},
    {"undisclosed-recipients:;", 0, ""},
    {"undisclosed-recipients: ;", 0, ""},
    {"Undisclosed Recipients:;", 0, ""},
    {"\"a group\":;", 0, ""},
    {"group:(nobody);", 0, ""},
    {"group: a@b;", 1, "a@b"},
    {"group: a@b, Bob <c@d>;", 2, "a@b c@d"},
    {"group: a@b, c@d; (comment)", 2, "a@b c@d"},
    {"group:,a@b,,c@d,;", 2, "a@b c@d"},
    {"group:a@b;, c@d", 2, "a@b c@d"},
    {"x@y, group:a@b;, c@d", 3, "x@y a@b c@d"},
    {"one:a@b;, two:c@d;", 2, "a@b c@d"},
    {"a@b,c@d,e@f,g@h,i@j,k@l,m@n,o@p", 8, "a@b c@d e@f g@h i@j k@l m@n o@p"},
    {"a@b,c@d,e@f,g@h,i@j,k@l,m@n,o@p,q@r", 8, "a@b c@d e@f g@h i@j k@l m@n o@p"},
    {"o'neil@example.com", 1, "o'neil@example.com"},
    {"a+b=c@example.com", 1, "a+b=c@example.com"},
    {"a@my_host.example", 1, "a@my_host.example"},
    {"a@xn--bcher-kva.example", 1, "a@xn--bcher-kva.example"},
};

/* want: what was parsed before the mistake. */
static const struct {
    const char *value;
    const char *want;
} wrong[] = {
    {"a", ""},
    {"alice smith", ""},
    {"Alice", ""},
    {"\"Alice\"", ""},
    {"root (Cron Daemon)", ""},
    {"@", ""},
    {"a@", ""},
    {"@b", ""},
    {"<>", ""},
    {"< >", ""},
    {"Alice <>", ""},
    {"<a>", ""},
    {"<a@>", ""},
    {"<@b>", ""},
    {"<a@b", ""},
    {"a@b>", "a@b"},
    {"<<a@b>>", ""},
    {"Alice <a@b", ""},
    {"Alice a@b>", ""},
    {"Alice a@b", ""},
    {"Alice Smith a@b", ""},
    {"<a@b> <c@d>", "a@b"},
    {"<a@b> c@d", "a@b"},
    {"a@b c@d", "a@b"},
    {"a@b <c@d>", "a@b"},
    {"<a@b> Alice", "a@b"},
    {"Smith, Alice <a@b>", ""},
    {"c@d <a@b>", "c@d"},
    {"Alice @ Home <a@b>", "Alice@home"},
    {"Alice@Home <a@b>", "Alice@home"},
    {"=?iso-8859-1?q?c@d?= <a@b>", ""},
    {"Alice [Home] <a@b>", ""},
    {"[Home] <a@b>", ""},
    {". <a@b>", ""},
    {".Alice <a@b>", ""},
    {"\"Alice <a@b>", ""},
    {"\"Alice\\\" <a@b>", ""},
    {"\"Alice\\", ""},
    {"Alice\" <a@b>", ""},
    {"(Alice <a@b>", ""},
    {"(Alice \\) <a@b>", ""},
    {"(Alice\\", ""},
    {"((Alice) <a@b>", ""},
    {"Alice) <a@b>", ""},
    {"a@b (", ""},
    {"a@b )", "a@b"},
    {".a@b", ""},
    {"a.@b", ""},
    {"a..b@c", ""},
    {"a. .b@c", ""},
    {"a b@c", ""},
    {"\"a\" b@c", ""},
    {"\"a\"b@c", ""},
    {"a\"b\"@c", ""},
    {"a\\b@c", ""},
    {"a@.b", ""},
    {"a@b.", ""},
    {"a@b..c", ""},
    {"a@b c.d", "a@b"},
    {"a@b@c", "a@b"},
    {"a@@b", ""},
    {"a@\"b\"", ""},
    {"a@-b", ""},
    {"a@b-", ""},
    {"a@b/c", ""},
    {"a@b!c", ""},
    {"a@b:c", "a@b"},
    {"a@b;", "a@b"},
    {"a@[192.0.2]", ""},
    {"a@[192.0.2.1", ""},
    {"a@192.0.2.1]", "a@192.0.2.1"},
    {"a@[192.0.2.1]x", "a@[192.0.2.1]"},
    {"a@[192.0.2.\\1]", ""},
    {"a@[192.0.\n2.1]", ""},
    {"a@[]", ""},
    {"a@\xe2\x98\x83.example", ""},
    {"a@\xff.example", ""},
    {"\xff@b", ""},
    {"\"a\x01\"@b", ""},
    {"\"a\tb\"@c", ""},
    {"a\x01@b", ""},
    {"a\x7f@b", ""},
    {"a@b\nX: y", ""},
    {"a@b\r\nX: y", ""},
    {"a@b\r", ""},
    {"a@b\rc", ""},
    {"\na@b", ""},
    {"\"a\nb\" <a@b>", ""},
    {"<a@b\n>", ""},
    {"<@x a@b>", ""},
    {"<@x,a@b>", ""},
    {"<@x,y:a@b>", ""},
    {"<@:a@b>", ""},
    {"<@x:>", ""},
    {"<@x:@y:a@b>", ""},
    {":;", ""},
    {":a@b;", ""},
    {"group:", ""},
    {"group:a@b", "a@b"},
    {"group:a@b,", "a@b"},
    {"group a@b;", ""},
    {"group:a@b;;", "a@b"},
    {"group:a@b; c@d", "a@b"},
    {"group:a@b;.", "a@b"},
    {"group:inner:a@b;;", ""},
    {"a@b:c@d;", "a@b"},
    {";", ""},
    {"a@b;c@d", "a@b"},
    {"a@b, c", "a@b"},
    {"a@b, c@", "a@b"},
    {"a@b, <c@d", "a@b"},
    {"a@b, (", "a@b"},
};

/* The texts of all that was parsed, a space between; clears them. */
static void join(struct address addresses[MOST], char *joined_r, size_t room)
{
    size_t length = 0;

    joined_r[0] = '\0';
    for (size_t i = 0; i < MOST; i++) {
        if (addresses[i].text != NULL)
            length += (size_t)snprintf(joined_r + length, room - length, "%s%s",
                                       length > 0 ? " " : "", addresses[i].text);
        address_clear(&addresses[i]);
    }
}

static void test_fine(void **state)
{
    char joined[1024];

    (void)state;
    assert_true(COUNT_OF(fine) >= 80);
    for (size_t i = 0; i < COUNT_OF(fine); i++) {
        struct address addresses[MOST];
        int count = address_list_parse(fine[i].value, addresses, MOST);

        join(addresses, joined, sizeof(joined));
        if (count != fine[i].count)
            fail_msg("<%s>: %d addresses, not %d", fine[i].value, count, fine[i].count);
        if (strcmp(joined, fine[i].want) != 0)
            fail_msg("<%s>: <%s>, not <%s>", fine[i].value, joined, fine[i].want);
    }
}

static void test_wrong(void **state)
{
    char joined[1024];

    (void)state;
    assert_true(COUNT_OF(wrong) >= 80);
    for (size_t i = 0; i < COUNT_OF(wrong); i++) {
        struct address addresses[MOST];
        int count = address_list_parse(wrong[i].value, addresses, MOST);

        join(addresses, joined, sizeof(joined));
        if (count != -1)
            fail_msg("<%s>: %d addresses <%s>, where there is no list", wrong[i].value, count,
                     joined);
        if (strcmp(joined, wrong[i].want) != 0)
            fail_msg("<%s>: <%s> before the mistake, not <%s>", wrong[i].value, joined,
                     wrong[i].want);
    }
}

static void test_parts(void **state)
{
    struct address address;

    (void)state;
    assert_int_equal(address_list_parse("\"a b\".\"c\"@[IPv6:::1]", &address, 1), 1);
    assert_string_equal(address.local, "a b.c");
    assert_string_equal(address.domain, "[IPv6:::1]");
    assert_true(address.is_literal);
    assert_false(address.needs_smtputf8);
    address_clear(&address);
}

static void test_at_most_max(void **state)
{
    struct address address;

    (void)state;
    assert_int_equal(address_list_parse("a@b, c@d", &address, 1), 1);
    assert_string_equal(address.text, "a@b");
    address_clear(&address);
    assert_int_equal(address_list_parse("a@b", NULL, 0), 0);
}

/* A stranger's depth and length cost neither stack nor more than linear time. */
static void test_large(void **state)
{
    static const struct {
        const char *name;
        const char *unit;
        const char *end;
        int want;
    } cases[] = {
        {"comments that open", "(", "a@b", -1},
        {"comments", "(x)", "a@b", 1},
        {"commas", ",", "a@b", 1},
        {"words", "x ", "<a@b>", 1},
        {"a local part", "x", "@b", -1},
        {"an atom in a name", "x", " <a@b>", 1},
        {"dots", "x.", "x@b", -1},
        {"folds", "\n ", "a@b", 1},
        {"domains", "a@b.", "c", 1},
        {"mailboxes", "a@b,", "", 1},
        {"groups", "g:;,", "a@b", 1},
        {"quotes", "\"x\" ", "<a@b>", 1},
        {"a quoted string", "\"\\x", "\"@b", -1},
        {"encoded words", "=?a?q?b?= ", "<a@b>", 1},
        {"a route", "<@x,", "@x:a@b>", -1},
    };
    const size_t size = 1024 * 1024;
    char *value = malloc(size + 64);

    (void)state;
    assert_non_null(value);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t unit = strlen(cases[i].unit);
        struct address address;
        size_t at = 0;
        int count;

        for (; at + unit <= size; at += unit)
            memcpy(value + at, cases[i].unit, unit);
        memcpy(value + at, cases[i].end, strlen(cases[i].end) + 1);
        count = address_list_parse(value, &address, 1);
        if (count != cases[i].want)
            fail_msg("%s: %d, not %d", cases[i].name, count, cases[i].want);
        address_clear(&address);
    }
    free(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fine),  cmocka_unit_test(test_wrong),
        cmocka_unit_test(test_parts), cmocka_unit_test(test_at_most_max),
        cmocka_unit_test(test_large),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
