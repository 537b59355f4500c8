/* SPDX-License-Identifier: BSD-2-Clause */
/* SPF against the RFC 7208 test suite; where that is not there nothing is tested. */
#include "lib/auth/spf.h"
#include "tests/lib/auth/spf_suite.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

struct check {
    const struct spf_query *query;
    struct spf_result *result;
};

static bool evaluate(const struct lookup *lookup, void *context)
{
    struct check *check = context;

    return spf_check(check->query, lookup, check->result);
}

static void run(struct spf_suite_case *one, struct spf_result *result_r, void *context)
{
    struct check check = {&one->query, result_r};

    assert_true(zone_run(one->zone, *(bool *)context, evaluate, &check) > 0);
}

static void run_suite(bool waves)
{
    unsigned all, good;

    if (!spf_suite_run(run, &waves, &all, &good))
        skip();
    assert_int_equal(all, SPF_SUITE_CASES);
    assert_int_equal(good, all);
}

static void test_all_known(void **state)
{
    (void)state;
    run_suite(false);
}

static void test_waves(void **state)
{
    (void)state;
    run_suite(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_known),
        cmocka_unit_test(test_waves),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
