/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A small DNS for evaluations: answers from a table, at once or one wave later.
 *
 * Lines are "name TYPE value": A, AAAA, PTR, CNAME with one word, MX with a preference and a name,
 * TXT with the rest of the line, FAIL with a type or "any".  A name that is neither there nor above
 * one that is there is DNS_ABSENT.
 */
#pragma once

#include "lib/auth/lookups.h"

#include <stdbool.h>
#include <stddef.h>

struct zone;

struct zone *zone_new(void);
void zone_free(struct zone **zone);
void zone_add_lines(struct zone *zone, const char *const *lines); /* ends with NULL */
void zone_add_txt(struct zone *zone, const char *name, const char *bytes, size_t length);
void zone_add(struct zone *zone, const char *name, const char *type, const char *value);

/* Runs the evaluation until it is not pending.  With waves, what is asked for the first time is not
 * known before the next run.  Returns the number of runs; 0: it never ended. */
unsigned zone_run(struct zone *zone, bool waves, lookups_evaluate *evaluate, void *context);

/* What was asked so far, in the order of asking: "name TYPE". */
size_t zone_asked(const struct zone *zone);
bool zone_was_asked(const struct zone *zone, const char *question);
