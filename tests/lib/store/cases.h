/* SPDX-License-Identifier: BSD-2-Clause */
/* What every backend has to do: the contract, as cases that run on any store. */
#pragma once

#include "tests/lib/store/ask.h"

#include <stddef.h>

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
