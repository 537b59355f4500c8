/* SPDX-License-Identifier: BSD-2-Clause */
/* In place of libmilter: macros from a list, and what was asked of the MTA as text. */
#pragma once

#include <stddef.h>

struct fake_macro {
    const char *name, *value;
};

/* What smfi_getsymval() finds; ended by a NULL name. */
void fake_macros(const struct fake_macro *macros);

/* What was asked since the last call, one line each ("reply 550 5.7.1 text"); the caller frees it.
 */
char *fake_taken(void);

/* From now on the MTA is gone: everything fails. */
void fake_gone(int gone);
