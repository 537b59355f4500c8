/* SPDX-License-Identifier: BSD-2-Clause */
/* Replies as logs, reports and people quote them. */
#include "lib/base/count.h"
#include "lib/classify/reply.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

static unsigned complaints;

struct row {
    const char *text;
    unsigned code;
    const char *enhanced; /* empty: none */
    const char *words;
    enum smtp_stage stage;
    bool reported;
};

static void check(const struct row *row)
{
    struct reply reply;
    char enhanced[16] = "";

    reply_parse(span_of(row->text), &reply);
    if (reply.enhanced.class != 0)
        (void)snprintf(enhanced, sizeof(enhanced), "%u.%u.%u", reply.enhanced.class,
                       reply.enhanced.subject, reply.enhanced.detail);
    if (reply.code == row->code && strcmp(enhanced, row->enhanced) == 0 &&
        span_equals(reply.text, row->words) && reply.stage == row->stage &&
        reply.reported == row->reported)
        return;
    print_message("%s: %u %s \"%.*s\" at %d%s\n", row->text, reply.code, enhanced,
                  (int)reply.text.length, reply.text.start != NULL ? reply.text.start : "",
                  (int)reply.stage, reply.reported ? ", reported" : "");
    complaints++;
}

static void test_quotations(void **state)
{
    static const struct row rows[] = {
        {"550 5.1.1 No", 550, "5.1.1", "No", SMTP_UNKNOWN, false},
        {"550-5.1.1 No", 550, "5.1.1", "No", SMTP_UNKNOWN, false},
        {"550 #5.1.0 No", 550, "5.1.0", "No", SMTP_UNKNOWN, false},
        {"550", 550, "", "", SMTP_UNKNOWN, false},
        {"5.7.1 No", 0, "5.7.1", "No", SMTP_UNKNOWN, false},
        {"550 No (#5.1.1)", 550, "5.1.1", "No (#5.1.1)", SMTP_UNKNOWN, false},
        {"585 No", 585, "", "No", SMTP_UNKNOWN, false},
        {"498 No", 498, "", "No", SMTP_UNKNOWN, false},
        {"999 No", 0, "", "999 No", SMTP_UNKNOWN, false},
        {"290 times", 0, "", "290 times", SMTP_UNKNOWN, false},
        {"5500 times", 0, "", "5500 times", SMTP_UNKNOWN, false},
        {"192.0.2.1 failed", 0, "", "192.0.2.1 failed", SMTP_UNKNOWN, false},
        {"host mx[192.0.2.1] said: 550 No (in reply to RCPT TO command)", 550, "", "No", SMTP_RCPT,
         false},
        {"a@b SMTP error from remote mail server after MAIL FROM:<c@d> SIZE=9: 550 No", 550, "",
         "No", SMTP_MAIL, false},
        {"a: b: 421 c: 450 No", 421, "", "c: 450 No", SMTP_UNKNOWN, false},
        {"a: 250 Ok", 0, "", "a: 250 Ok", SMTP_UNKNOWN, false},
        {"smtp; 550 5.1.1 No", 550, "5.1.1", "No", SMTP_UNKNOWN, true},
        {"SMTP;550 No", 550, "", "No", SMTP_UNKNOWN, true},
        {"Diagnostic-Code: X-Postfix; host mx[192.0.2.1] said: 450 No", 450, "", "No", SMTP_UNKNOWN,
         true},
        {"x-unix; mailbox full", 0, "", "mailbox full", SMTP_UNKNOWN, true},
        {"X-Notes; 5.0.0 No", 0, "5.0.0", "No", SMTP_UNKNOWN, true},
        {"blocked; see the page", 0, "", "blocked; see the page", SMTP_UNKNOWN, false},
        {"x; y", 0, "", "x; y", SMTP_UNKNOWN, false},
        {"smtp", 0, "", "smtp", SMTP_UNKNOWN, false},
        {"", 0, "", "", SMTP_UNKNOWN, false},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(rows); i++)
        check(&rows[i]);
    assert_int_equal(complaints, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_quotations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
