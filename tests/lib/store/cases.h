/* SPDX-License-Identifier: BSD-2-Clause */
/* What every backend has to do: the contract, as cases that run on any store. */
#pragma once

#include "tests/lib/store/ask.h"

#include <stddef.h>
#include <stdint.h>

#define CASE_SECOND INT64_C(1000000)
#define CASE_START (INT64_C(1800000000) * CASE_SECOND) /* on the edge of a slice of all windows */

/* One message of one user with a limit of messages a minute. */
struct store_limit case_messages(const char *subject, int64_t max);
struct store_request case_request(const struct store_limit *limits, size_t nlimits,
                                  const char *identity, int64_t at_us);

struct contract_case {
    const char *name;
    /* Asks about subjects that begin with name alone. */
    void (*run)(struct ask *ask);
};

extern const struct contract_case contract_cases[];
extern const size_t contract_case_count;

/* What is remembered besides use. */
extern const struct contract_case note_cases[];
extern const size_t note_case_count;

/* Limits that count what is different. */
extern const struct contract_case distinct_cases[];
extern const size_t distinct_case_count;
