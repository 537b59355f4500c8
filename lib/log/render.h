/* SPDX-License-Identifier: BSD-2-Clause */
/* An event as one line, in either format. */
#pragma once

#include "lib/log/log.h"

/* Writes the line, without time, tag or line end, NUL-terminated, and returns its length. */
size_t render_event(const struct log_event *event, enum log_format format,
                    char line_r[LOG_LINE_MAX + 1]);
