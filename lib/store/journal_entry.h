/* SPDX-License-Identifier: BSD-2-Clause */
/* A call as octets, as the journal keeps it. */
#pragma once

#include "lib/base/text.h"
#include "lib/store/call.h"

/* Replaces the text by the entry. */
void journal_entry_write(enum call_operation operation, const struct call *call, int64_t at_ms,
                         struct text *entry_r);

/* The call, which the caller holds; NULL: these octets are no entry. */
struct call *journal_entry_read(const uint8_t *bytes, size_t length);
