/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * charge.lua's side in C: a call as a Redis command, and the script's answer as the call's.
 *
 * Arguments and answers are packed octets, for one string costs Redis less than twenty numbers.
 */
#pragma once

#include "lib/base/text.h"
#include "lib/store/call.h"

#include <stdbool.h>
#include <stddef.h>

#define SCRIPT_SHA_SIZE 41 /* 40 hex digits, as SCRIPT LOAD answers, and NUL */

/* The script, for SCRIPT LOAD. */
const char *script_source(void);
/* The one for a cluster, which calls with a reserve need.  The caller frees it. */
char *script_cluster_source(void);

/* Adds the call to a text as a command of Redis' protocol. */
void script_command(const struct call *call, const char *sha, struct text *text);

/* The call's plan alone, the script's last argument. */
void script_plan(const struct call *call, struct text *plan_r);

/* Takes the answer in; false: that is no answer to this call. */
bool script_answer(struct call *call, const char *bytes, size_t length);
