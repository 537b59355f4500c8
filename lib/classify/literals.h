/* SPDX-License-Identifier: BSD-2-Clause */
/* Which strings a regular expression needs: a text that holds none of them cannot match. */
#pragma once

#include "lib/base/strings.h"

#include <stdbool.h>

#define LITERALS_MAX 64 /* strings of one expression */
#define LITERAL_LENGTH_MAX 16 /* octets; the rest of a longer one is not looked for */
#define LITERAL_LENGTH_MIN 3 /* a shorter one is found too often to help */

#define LITERALS_SETS 2 /* that one expression needs at once, most */

/* Adds the strings, in lower case, for an expression in PCRE2's syntax that is matched without
 * regard to case: a text that it matches holds a string of the first set, and of the second where
 * that is not empty.  false: none can be told, or the expression uses syntax that is not understood
 * here; it has to be tried on every text. */
bool literals_find(const char *expression, struct strings literals_r[LITERALS_SETS]);
