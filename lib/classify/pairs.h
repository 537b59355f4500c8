/* SPDX-License-Identifier: BSD-2-Clause */
/* The "name=value" lists of log lines, and the values that have parts. */
#pragma once

#include "lib/classify/line.h"

/* Reads the whole list into line; unknown names are passed over.  Postfix parts its pairs with
 * blanks, commas or both and puts addresses into <>; Sendmail parts them with a comma and a blank,
 * and its last value goes to the end. */
void pairs_read(struct span text, struct line *line);

/* Reads one value of that field, and the pairs behind it. */
void pairs_read_value(struct span text, enum line_field field, struct line *line);

/* "mx.example.com[192.0.2.1]:25", "[192.0.2.1]:25", Sendmail's "mx.example.com. [192.0.2.1]" and
 * bare names: sets name and the two fields behind it, address and port. */
void pairs_set_host(struct span text, enum line_field name, struct line *line);
