/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Letters beyond ASCII as rules look at them, in every language that servers reply in.
 *
 * A Latin letter with a mark, in UTF-8 or in ISO 8859-1, is the letter without, in lower case
 * ("É" is "e", "ß" is "ss"); a mark that stands alone is nothing; a Cyrillic letter is in lower
 * case, and "ё" is "е"; a blank that does not break is a blank.  All else stays as it is.
 */
#pragma once

#include "lib/classify/span.h"

#define LETTERS_MAX 2 /* octets that one letter becomes */

/* Folds what begins at text, whose first octet is beyond ASCII.  Returns how many octets it read,
 * at least 1; writes as many at most, and says how many these are. */
size_t letters_fold(struct span text, char out_r[LETTERS_MAX], size_t *length_r);

/* A copy of a text, folded; the caller frees it. */
char *letters_folded(const char *text);
