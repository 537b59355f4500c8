/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/content/unsubscribe.h"

#include "lib/base/count.h"
#include "lib/base/text.h"
#include "tests/lib/content/look.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HTTPS "List-Unsubscribe: <mailto:leave@a.test>,\n <https://a.test/leave?u=1>\n"
#define POST "List-Unsubscribe-Post: List-Unsubscribe=One-Click\n"

static void test_read(void **state)
{
    static const struct {
        const char *name, *header;
        bool ours;
        const char *want; /* field, https, one click, signed, covered */
    } cases[] = {
        {"nothing", "Subject: x\n", false, "-----"},
        {"all, signed by us", HTTPS POST, true, "fhosc"},
        {"mailto only", "List-Unsubscribe: <mailto:leave@a.test>\n" POST, true, "f-osc"},
        {"http only", "List-Unsubscribe: <http://a.test/leave>\n" POST, true, "f-osc"},
        {"https in a comment", "List-Unsubscribe: (https://a.test) <mailto:a@a.test>\n", false,
         "f----"},
        {"another post", HTTPS "List-Unsubscribe-Post: yes\n", true, "fh-sc"},
        {"post in another case", HTTPS "list-unsubscribe-post:  list-unsubscribe=one-click \n",
         false, "fho--"},
        {"signed by another",
         HTTPS POST "DKIM-Signature: v=1; d=a.test; h=from:List-Unsubscribe :\n"
                    "\tlist-unsubscribe-post:to; b=x\n",
         false, "fhosc"},
        {"signed without the post",
         HTTPS POST "DKIM-Signature: v=1; bh=h; h=from:list-unsubscribe; b=x\n", false, "fhos-"},
        {"signed in two halves",
         HTTPS POST "DKIM-Signature: h=from:list-unsubscribe\n"
                    "DKIM-Signature: h=from:list-unsubscribe-post\n",
         false, "fhos-"},
        {"a signature without h=", HTTPS POST "DKIM-Signature: v=1; b=list-unsubscribe\n", false,
         "fhos-"},
        {"h= at the end", HTTPS POST "DKIM-Signature: v=1; h=\n", false, "fhos-"},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct unsubscribe got;
        struct mail mail;
        char words[6];

        mail_parse(cases[i].header, strlen(cases[i].header), &mail);
        mail.message->facts.signs_unsubscribe = cases[i].ours;
        unsubscribe_read(mail.message, &got);
        words[0] = got.has_field ? 'f' : '-';
        words[1] = got.has_https ? 'h' : '-';
        words[2] = got.one_click ? 'o' : '-';
        words[3] = got.is_signed ? 's' : '-';
        words[4] = got.is_covered ? 'c' : '-';
        words[5] = '\0';
        if (strcmp(words, cases[i].want) != 0)
            fail_msg("%s: %s, wanted %s", cases[i].name, words, cases[i].want);
        mail_free(&mail);
    }
}

static void test_kinds(void **state)
{
    static const struct {
        const char *name, *header, *sender, *precedence;
        bool answer, discussion;
    } cases[] = {
        {"letter", "Subject: x\n", "a@a.test", "", false, false},
        {"bulk", "Precedence: Bulk\n", "a@a.test", "bulk", false, false},
        {"first-class", "Precedence: first-class\n", "a@a.test", "", false, false},
        {"bounce", "Subject: x\n", "<>", "", true, false},
        {"vacation", "Precedence: bulk\nAuto-Submitted: auto-replied (vacation)\n", "a@a.test",
         "bulk", true, false},
        {"generated", "Auto-Submitted: auto-generated\n", "a@a.test", "", false, false},
        {"post to a list", "Precedence: list\nList-Id: <l.a.test>\nList-Post: <mailto:l@a.test>\n",
         "a@a.test", "list", false, true},
        {"announcement", "Precedence: list\nList-Id: <l.a.test>\nList-Post: NO\n", "a@a.test",
         "list", false, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *precedence;
        struct mail mail;

        mail_parse(cases[i].header, strlen(cases[i].header), &mail);
        message_set_sender(mail.message, cases[i].sender);
        precedence = unsubscribe_precedence(mail.message);
        if (strcmp(precedence != NULL ? precedence : "", cases[i].precedence) != 0 ||
            unsubscribe_is_answer(mail.message) != cases[i].answer ||
            unsubscribe_is_discussion(mail.message) != cases[i].discussion)
            fail_msg("%s", cases[i].name);
        mail_free(&mail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_read),
        cmocka_unit_test(test_kinds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
