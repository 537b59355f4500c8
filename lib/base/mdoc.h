/* SPDX-License-Identifier: BSD-2-Clause */
/* Plain words as the source of manual pages, in mdoc(7). */
#pragma once

#include "lib/base/text.h"

/* Adds words as running text: a line a sentence, broken before 80 columns, nothing in it taken for
 * a macro or an escape.  What stands in `backquotes` is set as something to be typed. */
void mdoc_prose(struct text *text, const char *words);
