/* SPDX-License-Identifier: BSD-2-Clause */
/* Evaluations with the configured resolver, waited for. */
#pragma once

#include "lib/auth/lookups.h"
#include "lib/conf/conf.h"

#include <stdbool.h>

/* Starts zeroed, ends with evaluator_close(). */
struct evaluator {
    struct loop *loop;
    struct dns *dns;
    struct spf_engine *spf_engine;
};

/* false: there is no resolver to ask; it was told. */
bool evaluator_open(struct evaluator *evaluator, const struct conf *conf);
void evaluator_run(struct evaluator *evaluator, lookups_evaluate *evaluate, void *context);
void evaluator_close(struct evaluator *evaluator);
