/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of our own log, read back: what stands behind the header that syslog or our file put
 * before it.
 *
 * Lines come from files that anything may have got into: every octet is allowed, and what is no
 * line of ours is none.
 */
#pragma once

#include "lib/base/strings.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_RECORD_MAX ((size_t)16 * 1024) /* octets of a line; a longer one is none of ours */
#define LOG_RECORD_FIELDS_MAX 64 /* what is behind them is not read */

/* Starts zeroed, ends with log_record_clear(). */
struct log_record {
    char *queue_id; /* "NOQUEUE" where there is none */
    struct strings names, values; /* in JSON also time, host, program and pid */
};

/* Reads "QUEUEID: event=NAME name=value ..." or a JSON object.  false: it is neither. */
bool log_record_read(const char *bytes, size_t length, struct log_record *record_r);
void log_record_clear(struct log_record *record);

/* The value of a field, or NULL. */
const char *log_record_value(const struct log_record *record, const char *name);
/* The same as a number; otherwise where it is missing or none. */
int64_t log_record_number(const struct log_record *record, const char *name, int64_t otherwise);
