/* SPDX-License-Identifier: BSD-2-Clause */
/* Who gets the process's signals, and when libmilter is up. */
#pragma once

#include <stdbool.h>

/* Waits until libmilter has set itself up, which it does in threads of its own: ending the process
 * before would pull its locks from under it.  false: it did not come up in time. */
bool signals_wait_for_libmilter(void);
