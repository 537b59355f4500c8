/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The other side of script.h: a command as the call that it was made from, and the call's answer as
 * the script would give it.  So the local store speaks to other programs as Redis does.
 */
#pragma once

#include "lib/base/text.h"
#include "lib/store/call.h"

#define SCRIPT_WORDS_MAX 512 /* of one command */

struct script_word {
    const char *bytes;
    size_t length;
};

/* Takes EVALSHA or UNLINK.  NULL: it is nothing that script_command() writes. */
struct call *script_call(const struct script_word *words, size_t count);

/* What script_answer() reads. */
void script_write_answer(const struct call *call, struct text *answer);
