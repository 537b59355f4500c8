/* SPDX-License-Identifier: BSD-2-Clause */
#include "lib/base/count.h"
#include "milter/negotiate.h"

#include <libmilter/mfapi.h>
#include <libmilter/mfdef.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void test_negotiate_flags(void **state)
{
    static const unsigned long quiet = SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL |
                                       SMFIP_NR_DATA | SMFIP_NR_HDR | SMFIP_NR_BODY;
    static const struct {
        const char *name;
        bool enforces;
        unsigned long offered_actions, offered_protocol, actions, protocol;
    } cases[] = {
        {"all, enforce", true, SMFI_CURR_ACTS, SMFI_CURR_PROT,
         SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST,
         quiet | SMFIP_NOUNKNOWN | SMFIP_NOEOH | SMFIP_HDR_LEADSPC},
        {"all, observe", false, SMFI_CURR_ACTS, SMFI_CURR_PROT,
         SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE | SMFIF_SETSYMLIST,
         quiet | SMFIP_NR_RCPT | SMFIP_NOUNKNOWN | SMFIP_NOEOH | SMFIP_HDR_LEADSPC},
        {"an old MTA", true, SMFI_V2_ACTS, SMFI_V2_PROT,
         SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE, SMFIP_NOEOH},
        {"nothing", false, 0, 0, 0, 0},
    };

    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        unsigned long actions, protocol;

        negotiate_flags(cases[i].enforces, cases[i].offered_actions, cases[i].offered_protocol,
                        &actions, &protocol);
        if (actions != cases[i].actions || protocol != cases[i].protocol)
            fail_msg("%s: %lx %lx", cases[i].name, actions, protocol);
    }
}

/* A stage is named once, and MAIL's list has a macro that every MTA always sends. */
static void test_negotiate_macros(void **state)
{
    unsigned seen = 0;

    (void)state;
    for (unsigned i = 0; i < negotiate_macros_count; i++) {
        const unsigned bit = 1U << negotiate_macros[i].stage;

        assert_false(seen & bit);
        seen |= bit;
        if (negotiate_macros[i].stage == SMFIM_ENVFROM)
            assert_non_null(strstr(negotiate_macros[i].names, "{mail_addr}"));
    }
    assert_true(seen & 1U << SMFIM_EOM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_negotiate_flags),
        cmocka_unit_test(test_negotiate_macros),
    };

    return cmocka_run_group_tests_name("negotiate", tests, NULL, NULL);
}
