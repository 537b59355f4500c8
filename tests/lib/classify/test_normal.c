/* SPDX-License-Identifier: BSD-2-Clause */
/* The form of a text that rules look at. */
#include "lib/base/count.h"
#include "lib/classify/normal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static unsigned complaints;

static void test_forms(void **state)
{
    static const struct {
        const char *text;
        const char *want;
        bool several_lines;
    } rows[] = {
        {"User  Unknown", "user unknown", false},
        {"\tMailbox_Full\r\n", "mailbox full", false},
        {"it doesn't exist.", "it does not exist.", false},
        {"it doesn\xe2\x80\x99t exist", "it does not exist", false},
        {"I can not, sorry", "i cannot, sorry", false},
        {"\"No\" `such' user", "no such user", false},
        {"E-Mails isn't over-quota", "emails is not over quota", false},
        {"<bob@example.com>: unknown", "<addr>: unknown", false},
        {"[bob@example.com] unknown", "<addr> unknown", false},
        {"not allowed...bob@example.com", "not allowed...<addr>", false},
        {"bob.smith+tag@example.com.", "<addr>.", false},
        {"@example.com", "@example.com", false},
        {"client [192.0.2.1] blocked", "client <ip> blocked", false},
        {"IP=192.0.2.1", "ip=<ip>", false},
        {"IP:192.0.2.1 listed", "ip:<ip> listed", false},
        {"from 2001:db8::1:25.", "from <ip>.", false},
        {"at 12:30:00", "at 12:30:00", false},
        {"version 1.2.3", "version 1.2.3", false},
        {"http://x.example/?ip=192.0.2.1", "http://x.example/?ip=<ip>", false},
        {"first 550-5.1.1 second 550 5.1.1 third", "first second third", true},
        {"first 550-second", "first second", true},
        {"first 550-5.1.1 second", "first 550-5.1.1 second", false},
        {"\xd0\x9d\xd0\xb5\xd1\x82 USER", "\xd0\xbd\xd0\xb5\xd1\x82 user", false},
        {"\xd0\x81\xd0\x96 \xd1\x91\xd0\x96", "\xd0\xb5\xd0\xb6 \xd0\xb5\xd0\xb6", false},
        {"\xd0\x84", "\xd1\x94", false},
        {"Empf\xc3\xa4nger \xc3\x9c"
         "berf\xc3\xbcllt",
         "empfanger uberfullt", false},
        {"gro\xc3\x9f gro\xdf", "gross gros", false},
        {"Empf\xe4nger \xc9t\xe9", "empfanger ete", false},
        {"e\xcc\x81t\xc3\xa9", "ete", false},
        {"no\xc2\xa0"
         "User",
         "no user", false},
        {"\xc5\x81\xc3\xb3"
         "d\xc5\xba P\xc5\x99\xc3\xad\xc5\xa1",
         "lodz pris", false},
        {"\xe7\x94\xa8\xe6\x88\xb7", "\xe7\x94\xa8\xe6\x88\xb7", false},
        {"\xc3", "a", false},
        {"\xf0", "d", false},
        {"\xe2\x80", "\xe2\x80", false},
        {"", "", false},
    };
    char form[NORMAL_ROOM];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        size_t length = normal_form(span_of(rows[i].text), rows[i].several_lines, form);

        if (strcmp(form, rows[i].want) != 0 || length != strlen(form)) {
            print_message("%s: \"%s\" in place of \"%s\"\n", rows[i].text, form, rows[i].want);
            complaints++;
        }
    }
    assert_int_equal(complaints, 0);
}

/* However long a text is, and where the room ends. */
static void test_long(void **state)
{
    static const char *const words[] = {"a", "user ", "b@c ", "don't ", "192.0.2.1 ", "can not "};
    char text[NORMAL_MAX * 3];
    char form[NORMAL_ROOM + 1];

    (void)state;
    for (size_t i = 0; i < COUNT_OF(words); i++) {
        size_t length = 0;

        while (length + strlen(words[i]) <= sizeof(text)) {
            memcpy(text + length, words[i], strlen(words[i]));
            length += strlen(words[i]);
        }
        form[NORMAL_ROOM] = '!';
        length = normal_form((struct span){text, length}, false, form);
        assert_in_range(length, NORMAL_MAX - 16, NORMAL_MAX);
        assert_int_equal(strlen(form), length);
        assert_int_equal(form[NORMAL_ROOM], '!');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
