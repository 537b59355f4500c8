/* SPDX-License-Identifier: BSD-2-Clause */
/* The lines that tell what became of mail: one per failure, one where a failure has ended, and one
 * a minute for each cause that there is much of. */
#pragma once

#include "feedback/learn.h"
#include "feedback/result.h"

#include "lib/log/log.h"

/* A line for a failure, or for a success after failures; nothing for plain success. */
void delivery_report(struct log *log, const struct result *result, const struct learned *learned);

/* What to do about a failure, in one line.  The caller frees it. */
char *delivery_hint(const struct result *result);

struct summary;
struct summary *summary_new(void);
void summary_free(struct summary **summary);
void summary_add(struct summary *summary, const struct result *result);

/* At the end of a minute: a line for each cause with more than most lines in it (0: none). */
void summary_report(struct summary *summary, struct log *log, int64_t most);
