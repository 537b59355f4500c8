/* SPDX-License-Identifier: BSD-2-Clause */
/* The limits that are there to be included: include preset/NAME. */
#pragma once

#include "lib/base/text.h"

#include <stdbool.h>

#define PRESET_PREFIX "preset/"

/* The text of "preset/NAME": the file of that name where presets are installed, which the
 * administrator may have changed, else as it is built in.  false: there is none of that name, or
 * its file cannot be read; problem_r says what there is (the caller frees it).  path_r gets the
 * name for messages (the caller frees it). */
bool preset_read(const char *name, struct text *text_r, char **path_r, char **problem_r);
