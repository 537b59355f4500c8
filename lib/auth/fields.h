/* SPDX-License-Identifier: BSD-2-Clause */
/* Which header fields a signature covers. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* Lists as libopendkim takes them, ended by NULL: the fields that are signed where they are, and
 * those of which one more is signed than there are, so that nobody can add one (RFC 6376
 * §8.15). */
extern const char *const fields_signed[];
extern const char *const fields_oversigned[];
extern const char *const fields_oversigned_with_dates[];

bool fields_is_signed(const char *name);
