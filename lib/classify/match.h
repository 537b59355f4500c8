/* SPDX-License-Identifier: BSD-2-Clause */
/* Matching the body of a log line with the table of shapes. */
#pragma once

#include "lib/classify/shapes.h"

/* Reads a body that one of those services wrote into line, whose mta is set.  bare: the line had no
 * header, so that only shapes that nothing else has may match.  false: none does. */
bool match_shapes(unsigned services, bool bare, struct span body, struct line *line);

/* Whether every letter that a form uses has a meaning: for tests. */
bool match_knows_form(const char *form);
