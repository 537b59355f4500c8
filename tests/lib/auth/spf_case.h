/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows for SPF evaluation: a zone, a client, and what comes out. */
#pragma once

#include "lib/auth/spf.h"
#include "tests/lib/auth/zone.h"

#include <stddef.h>

#define SPF_CASE_LINES 20

struct spf_case {
    const char *name;
    const char *zone[SPF_CASE_LINES];
    const char *want; /* "status mechanism lookups voids", "-" for no mechanism */
    const char *text; /* part of the explanation or of the problem; NULL: no explanation */
    const char *ip; /* NULL: 192.0.2.1 */
    const char *sender; /* NULL: joe@example.com */
    const char *helo; /* NULL: mail.example.com */
};

/* Evaluates each row with all answers known and in waves; a failure prints the row's name. */
void spf_cases_run(const struct spf_case *cases, size_t count);

/* Evaluates one row, for more than what it wants.  The caller frees both; runs_r may be NULL. */
struct zone *spf_case_run(const struct spf_case *row, bool waves, struct spf_result *result_r,
                          unsigned *runs_r);
