/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The RFC 7208 test suite, where it is there: rfc7208-tests.jsonl, one case a line, in the folder
 * spf of $SLUICE_CORPORA or of ../shared/corpora beside the sources.
 */
#pragma once

#include "lib/auth/spf.h"
#include "tests/lib/auth/zone.h"

#include <stdbool.h>

#define SPF_SUITE_CASES 203

struct spf_suite_case {
    const char *name;
    struct spf_query query;
    struct zone *zone;
};

/* Evaluates one case; the result is the callee's. */
typedef void spf_suite_runner(struct spf_suite_case *one, struct spf_result *result_r,
                              void *context);

/* Runs all, and prints those that do not give what the suite wants.  false: it is not there. */
bool spf_suite_run(spf_suite_runner *run, void *context, unsigned *all_r, unsigned *good_r);
