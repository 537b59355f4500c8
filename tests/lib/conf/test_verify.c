/* SPDX-License-Identifier: BSD-2-Clause */
/* What a configuration says of mail from outside. */
#include "lib/base/count.h"
#include "lib/conf/conf.h"
#include "tests/lib/conf/support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void test_verify_actions(void **state)
{
    struct conf *conf = load_good("verify example.com { dmarc-reject = reject }\n"
                                  "verify \"*\" { dmarc-reject = hold  spf-fail = log }\n"
                                  "verify .Example.com { dmarc-reject = warn }\n"
                                  "verify .a.example.com { spf-fail = ignore }\n",
                                  NULL);
    static const struct {
        const char *domain;
        enum conf_result result;
        int want; /* by support.c's actions: ignore, log, warn, hold, defer, reject */
    } cases[] = {
        {"example.com", CONF_DMARC_REJECT, 5},   {"EXAMPLE.com", CONF_DMARC_REJECT, 5},
        {"x.example.com", CONF_DMARC_REJECT, 2}, {"x.a.example.com", CONF_DMARC_REJECT, 2},
        {"xexample.com", CONF_DMARC_REJECT, 3},  {"example.com", CONF_SPF_FAIL, 1},
        {"x.a.example.com", CONF_SPF_FAIL, 0},   {"x.example.com", CONF_SPF_FAIL, 1},
        {"example.com", CONF_DKIM_FAIL, -1},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++)
        if (conf_verify_action(conf, cases[i].domain, cases[i].result) != cases[i].want)
            fail_msg("case %zu, %s", i, cases[i].domain);
    assert_string_equal(conf_authserv_id(conf), conf->hostname);
    conf_release(&conf);
    conf = load_good("authserv-id = mail.example.com\n", NULL);
    assert_string_equal(conf_authserv_id(conf), "mail.example.com");
    conf_release(&conf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_verify_actions)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
