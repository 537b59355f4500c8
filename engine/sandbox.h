/* SPDX-License-Identifier: BSD-2-Clause */
/* Giving up everything that evaluating needs nothing of, for good. */
#pragma once

#include <stdbool.h>

#define SANDBOX_MEMORY_MAX (64 * 1024 * 1024) /* octets, on top of what there is */

/* From now on the process may only read from and write to what it has open, take memory, and end:
 * no files, no sockets, no other processes, no code that was not there (seccomp(2)); no core, and
 * only so much memory.  All other descriptors than 0, 1 and 2 are closed.  false: errno says why,
 * and nothing must be read then. */
bool sandbox_enter(void);
