/* SPDX-License-Identifier: BSD-2-Clause */
/* Finding the word that was meant. */
#pragma once

#include <stddef.h>

/* The candidate that is nearest to word by edits (a swap counts one), or NULL when none is near
 * enough to be worth suggesting.  Candidates are borrowed. */
const char *words_nearest(const char *word, const char *const *candidates, size_t count);
