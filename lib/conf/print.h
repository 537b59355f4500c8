/* SPDX-License-Identifier: BSD-2-Clause */
/* Values as a file would say them. */
#pragma once

#include "lib/base/text.h"

/* A string in double quotes, with what would end it or be read as something else escaped. */
void print_quoted(struct text *text, const char *string);
