/* SPDX-License-Identifier: BSD-2-Clause */
/* Commands in Redis' protocol (RESP), as its clients write them: arrays of bulk strings. */
#pragma once

#include "lib/store/script_call.h"

#include <stddef.h>

#define RESP_COMMAND_MAX                                                                           \
    ((size_t)1 << 20) /* octets of a word; who reads caps the whole with it                        \
                       */

enum resp_parsed {
    RESP_WHOLE,
    RESP_PART, /* the rest has to come first */
    RESP_BAD, /* it is none, or has more words or octets than any of ours */
};

/* Takes one command apart.  WHOLE: at is behind it, and the words, at least one, lie in what was
 * given. */
enum resp_parsed resp_parse(const char **at, const char *end,
                            struct script_word words_r[SCRIPT_WORDS_MAX], size_t *count_r);
