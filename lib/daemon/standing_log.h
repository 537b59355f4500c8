/* SPDX-License-Identifier: BSD-2-Clause */
/* The log of how the world sees our addresses. */
#pragma once

#include "lib/auth/standing.h"

/* A standing_changed whose context is the log: one cause line for what became bad, and one for what
 * became good again (state=). */
void standing_log(const struct standing_change *change, void *log);
