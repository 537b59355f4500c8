/* SPDX-License-Identifier: BSD-2-Clause */
/* Changes to a message's headers, at its end.  Each is false when the MTA is gone or does not take
 * it. */
#pragma once

#include "milter/session.h"

/* A field above all others. */
bool edit_insert(SMFICTX *context, const struct session *session, const char *name,
                 const char *value);

/* A field below all others. */
bool edit_add(SMFICTX *context, const struct session *session, const char *name, const char *value);

/* The number-th field of that name goes; the first is 1. */
bool edit_remove(SMFICTX *context, const char *name, int number);
