/* SPDX-License-Identifier: BSD-2-Clause */
/* What a flag in the store says of a suspension, and what is found of it. */
#include "lib/base/count.h"
#include "lib/decide/checks.h"
#include "lib/decide/verdict.h"
#include "tests/support/conf_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define NOW 1800000000 /* 2027-01-15 08:00 UTC */

static const struct {
    const char *name;
    const char *fields[10]; /* names and values */
    const char *sender; /* NULL: the login's */
    const char *sentence; /* part of it; NULL: nothing is found */
    int action; /* at least */
} cases[] = {
    {"nothing", {NULL}, NULL, NULL, 0},
    {"a class alone", {"class", "bulk"}, NULL, NULL, 0},
    {"until it is released",
     {"suspended", "1799999000", "suspended-until", "0", "suspended-reason", "billing"},
     NULL,
     "until it is released (reason: billing)",
     ACTION_REJECT},
    {"until a time",
     {"suspended", "1799999000", "suspended-until", "1800003600", "suspended-reason", "abuse"},
     NULL,
     "until 2027-01-15 09:00 UTC (reason: abuse)",
     ACTION_REJECT},
    {"it is over", {"suspended", "1799999000", "suspended-until", "1800000000"}, NULL, NULL, 0},
    {"one second more",
     {"suspended", "1799999000", "suspended-until", "1800000001"},
     NULL,
     "(reason: not told)",
     ACTION_REJECT},
    {"strange values",
     {"suspended", "yes", "suspended-until", "-1", "suspended-reason", ""},
     NULL,
     "until it is released (reason: not told)",
     ACTION_REJECT},
    {"a postmaster who answers",
     {"suspended", "1", "suspended-reason", "abuse"},
     "postmaster@example.test",
     "until it is released",
     ACTION_WARN},
};

static void test_cases(void **state)
{
    struct conf *conf = conf_of("mode = enforce\nlocal-domains = {example.test}");

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        struct message *message = message_new(PROGRAM_POLICY, "mx.example.test");
        const struct finding *found = NULL;
        const char *user = cases[i].sender != NULL ? cases[i].sender : "alice@example.test";

        message->stage = STAGE_RCPT;
        message->direction = DIRECTION_OUT;
        message_set_user(message, user);
        message_set_sender(message, user);
        (void)message_add_recipient(message, "bob@example.net");
        message->facts.flag_sec = NOW;
        for (size_t f = 0; cases[i].fields[f] != NULL; f += 2)
            note_fact_add(&message->facts.flag, cases[i].fields[f], cases[i].fields[f + 1]);
        checks_run(conf, message);
        verdict_set(conf, message);
        for (size_t f = 0; f < message->findings.count; f++)
            if (message->findings.items[f].cause == cause_get(CAUSE_ACCOUNT_SUSPENDED))
                found = &message->findings.items[f];
        if ((found != NULL) != (cases[i].sentence != NULL))
            fail_msg("%s: found %d", cases[i].name, found != NULL);
        if (found != NULL && strstr(found->sentence, cases[i].sentence) == NULL)
            fail_msg("%s: %s", cases[i].name, found->sentence);
        if (found != NULL)
            assert_int_equal(found->action, cases[i].action);
        message_free(&message);
    }
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
