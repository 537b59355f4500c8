/* SPDX-License-Identifier: BSD-2-Clause */
/* What the operator is to do about a delivery that failed: with its own names, numbers and
 * commands.  Pure: reads the result alone. */
#pragma once

#include "feedback/result.h"

/* In one line.  What the result does not name is spoken of in general words, so a result that has
 * no more than its cause will do.  Strings may be NULL.  The caller frees it. */
char *advice_make(const struct result *result);
