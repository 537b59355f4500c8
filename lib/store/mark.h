/* SPDX-License-Identifier: BSD-2-Clause */
/* The numbers of a mark: what notes.lua reckons, in C. */
#pragma once

#include "lib/base/text.h"
#include "lib/store/store_note.h"

/* The mark that is made at now_sec on top of what was there (NULL: nothing), as a value. known: the
 * message was counted before. */
struct mark_made {
    int64_t amount, period_sec, keep_sec;
    const char *text;
    size_t text_length;
    bool known;
};
void mark_make(const char *before, const struct mark_made *mark, int64_t now_sec,
               struct text *value_r);
