/* SPDX-License-Identifier: BSD-2-Clause */
/* What stands before a log line's own words: the syslog header. */
#pragma once

#include "lib/classify/line.h"

/* Reads time, host, program and pid into line; body_r is what follows.  false: there is no header,
 * and line is unchanged. */
bool header_parse(struct span text, struct line *line, struct span *body_r);
